// What command_line.hpp declares. It is compiled once for all programs, or included by a program that is
// compiled alone.
#include "command_line.hpp"

#include <CLI/CLI.hpp>

#include <deque>

#if !defined(GLYPHDIFF_COMMAND_LINE_INLINE)
#define GLYPHDIFF_COMMAND_LINE_INLINE
#endif

namespace cli {

namespace detail {

inline CLI::Option* of(void* option) { return static_cast<CLI::Option*>(option); }

}  // namespace detail

struct App::State {
  std::unique_ptr<CLI::App> own;  // of a program; a subcommand's belongs to the program's
  CLI::App* app;
  std::deque<Option> options{};
  std::deque<std::unique_ptr<App>> subcommands{};
};

GLYPHDIFF_COMMAND_LINE_INLINE Option* Option::check(Check const& check) {
  switch (check.kind) {
    case Check::Kind::integers:
      detail::of(option_)->check(CLI::Range(int(check.low), int(check.high)));
      break;
    case Check::Kind::numbers:
      detail::of(option_)->check(CLI::Range(check.low, check.high));
      break;
    case Check::Kind::positive:
      detail::of(option_)->check(CLI::PositiveNumber);
      break;
    case Check::Kind::not_negative:
      detail::of(option_)->check(CLI::NonNegativeNumber);
      break;
    case Check::Kind::words:
      detail::of(option_)->check(CLI::IsMember(check.words));
      break;
  }
  return this;
}

GLYPHDIFF_COMMAND_LINE_INLINE Option* Option::required() {
  detail::of(option_)->required();
  return this;
}

GLYPHDIFF_COMMAND_LINE_INLINE Option* Option::excludes(Option* other) {
  detail::of(option_)->excludes(detail::of(other->option_));
  return this;
}

GLYPHDIFF_COMMAND_LINE_INLINE Option* Option::excludes(std::string const& name) {
  detail::of(option_)->excludes(name);
  return this;
}

GLYPHDIFF_COMMAND_LINE_INLINE Option* Option::needs(Option* other) {
  detail::of(option_)->needs(detail::of(other->option_));
  return this;
}

GLYPHDIFF_COMMAND_LINE_INLINE Option* Option::capture_default_str() {
  detail::of(option_)->capture_default_str();
  return this;
}

GLYPHDIFF_COMMAND_LINE_INLINE Option* Option::delimiter(char separator) {
  detail::of(option_)->delimiter(separator);
  return this;
}

GLYPHDIFF_COMMAND_LINE_INLINE Option* Option::expected(int words) {
  detail::of(option_)->expected(words);
  return this;
}

GLYPHDIFF_COMMAND_LINE_INLINE std::size_t Option::count() const { return detail::of(option_)->count(); }

GLYPHDIFF_COMMAND_LINE_INLINE App::App(std::string const& description, std::string const& name)
    : state_(std::make_unique<State>()) {
  state_->own = std::make_unique<CLI::App>(description, name);
  state_->app = state_->own.get();
}

GLYPHDIFF_COMMAND_LINE_INLINE App::App(std::unique_ptr<State> state) : state_(std::move(state)) {}
GLYPHDIFF_COMMAND_LINE_INLINE App::~App() = default;

GLYPHDIFF_COMMAND_LINE_INLINE Option* App::add(std::string const& name, Target value,
                                               std::string const& help) {
  Option& option = state_->options.emplace_back();
  option.option_ = std::visit(
      [&](auto* to) { return static_cast<void*>(state_->app->add_option(name, *to, help)); }, value);
  return &option;
}

GLYPHDIFF_COMMAND_LINE_INLINE Option* App::add_flag(std::string const& name, bool& value,
                                                    std::string const& help) {
  Option& option = state_->options.emplace_back();
  option.option_ = state_->app->add_flag(name, value, help);
  return &option;
}

GLYPHDIFF_COMMAND_LINE_INLINE App* App::add_subcommand(std::string const& name,
                                                       std::string const& description) {
  auto state = std::make_unique<State>();
  state->app = state_->app->add_subcommand(name, description);
  return state_->subcommands.emplace_back(std::unique_ptr<App>(new App(std::move(state)))).get();
}

GLYPHDIFF_COMMAND_LINE_INLINE void App::footer(std::string const& text) { state_->app->footer(text); }
GLYPHDIFF_COMMAND_LINE_INLINE void App::require_subcommand() { state_->app->require_subcommand(1); }
GLYPHDIFF_COMMAND_LINE_INLINE bool App::parsed() const { return state_->app->parsed(); }

GLYPHDIFF_COMMAND_LINE_INLINE std::optional<int> App::parse(int argc, char** argv) {
  try {
    state_->app->parse(argc, argv);
    return {};
  } catch (CLI::ParseError const& error) {
    return state_->app->exit(error) == 0 ? 0 : 2;
  }
}

}  // namespace cli
