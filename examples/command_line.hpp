// The options of a program: CLI11's, as far as the programs use them, behind an interface that is quick to
// compile. CLI11 itself is compiled once, in command_line.cpp; in every program it would take a sixth of the
// time and 250 MB. A program that is compiled alone, without the build, includes it all the same.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace cli {

/// Where the value of an option goes. A vector takes any number of words.
using Target =
    std::variant<bool*, int*, std::int64_t*, std::uint64_t*, double*, std::string*, std::filesystem::path*,
                 std::optional<std::uint64_t>*, std::vector<int>*, std::vector<double>*,
                 std::vector<std::string>*, std::vector<std::filesystem::path>*>;

/// What a value must be: within a range, or one of some words.
struct Check {
  enum class Kind { integers, numbers, positive, not_negative, words } kind;
  double low = 0, high = 0;
  std::vector<std::string> words{};
};

inline Check Range(int low, int high) { return {Check::Kind::integers, double(low), double(high)}; }
inline Check Range(double low, double high) { return {Check::Kind::numbers, low, high}; }
inline Check IsMember(std::initializer_list<char const*> words) {
  return {Check::Kind::words, 0, 0, {words.begin(), words.end()}};
}
inline Check const PositiveNumber{Check::Kind::positive};
inline Check const NonNegativeNumber{Check::Kind::not_negative};

class Option {
 public:
  Option* check(Check const& check);
  Option* required();
  Option* excludes(Option* other);
  Option* excludes(std::string const& name);
  Option* needs(Option* other);
  Option* capture_default_str();      ///< the help shows the default
  Option* delimiter(char separator);  ///< words may also be separated so
  Option* expected(int words);
  std::size_t count() const;  ///< how often it was given

 private:
  friend class App;
  void* option_ = nullptr;
};

class App {
 public:
  explicit App(std::string const& description, std::string const& name = "");
  ~App();
  App(App const&) = delete;
  App& operator=(App const&) = delete;

  /// A name without dashes is positional.
  template <class T>
  Option* add_option(std::string const& name, T& value, std::string const& help = "") {
    return add(name, &value, help);
  }
  Option* add_flag(std::string const& name, bool& value, std::string const& help);
  App* add_subcommand(std::string const& name, std::string const& description);
  void require_subcommand();
  void footer(std::string const& text);  ///< stands below the help
  bool parsed() const;                   ///< whether this is the subcommand that was called

  /// Fills the values. The status to end with, once it has said why, if the program has nothing more to do: 0
  /// after --help, 2 after a mistake.
  std::optional<int> parse(int argc, char** argv);

 private:
  struct State;
  explicit App(std::unique_ptr<State> state);
  Option* add(std::string const& name, Target value, std::string const& help);
  std::unique_ptr<State> state_;
};

}  // namespace cli

#if !defined(GLYPHDIFF_COMMAND_LINE_LIBRARY)
#define GLYPHDIFF_COMMAND_LINE_INLINE inline
#include "command_line.cpp"
#endif
