#pragma once

#include <glyphdiff/checkpoint/checksum.hpp>
#include <glyphdiff/checkpoint/key_values.hpp>
#include <glyphdiff/number_text.hpp>
#include <glyphdiff/tensor.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

/// What makes two runs the same one, in words: the parts that a trainer is put together from.
namespace glyphdiff {

namespace detail {

template <class T>
constexpr std::string_view name_in_compiler() {
  return __PRETTY_FUNCTION__;
}

/// "LinearSchedule<1000>": a type's name without namespaces, the same from GCC and Clang.
template <class T>
std::string type_name() {
  std::string_view text = name_in_compiler<T>();  // "... [with T = X; ...]" or "... [T = X]"
  text = text.substr(text.find("T = ") + 4);
  text = text.substr(0, text.find_first_of(";]"));
  std::string name;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i, 2) != "::") {
      name += text[i];
      continue;
    }
    ++i;
    // What stands before it, brackets and all, is a namespace or an enclosing type.
    for (int depth = 0; !name.empty(); name.pop_back()) {
      char const c = name.back();
      if (depth == 0 && (c == '<' || c == ',' || c == ' ')) break;
      depth += (c == '>' || c == ')' || c == '}') - (c == '<' || c == '(' || c == '{');
    }
  }
  std::erase(name, ' ');
  return name;
}

/// The first type that a template is made for: a process' schedule.
template <class T>
struct FirstArgument {
  using type = void;
};
template <template <class...> class Template, class First, class... Others>
struct FirstArgument<Template<First, Others...>> {
  using type = First;
};

/// A part of a run by name: T::name, where T has one, so that a type may be renamed.
template <class T>
std::string part_name() {
  if constexpr (requires { std::string_view(T::name); })
    return std::string(std::string_view(T::name));
  else
    return type_name<T>();
}

/// And what part.description() tells, pairs of strings, of a part that has it: parameters known at run time.
template <class T>
void add_description(KeyValues& identity, std::string const& group, T const& part) {
  if constexpr (requires { part.description(); })
    for (auto const& [key, value] : part.description()) identity.emplace_back(group + "." + key, value);
}

/// A process by its names and by what it does at five times: "alpha sigma" of its noise levels and what the
/// network is told, in six digits, which tell schedules apart and are the same from every machine.
template <class D>
void describe_process(KeyValues& identity, D const& process) {
  std::string const whole = part_name<D>();
  identity.emplace_back("process.kind", whole.substr(0, whole.find('<')));
  using Schedule = typename FirstArgument<D>::type;
  if constexpr (!std::is_void_v<Schedule>) identity.emplace_back("process.schedule", part_name<Schedule>());
  if constexpr (requires { typename D::Prediction; })
    identity.emplace_back("process.prediction", part_name<typename D::Prediction>());
  if constexpr (requires { typename D::Variance; })
    identity.emplace_back("process.variance", part_name<typename D::Variance>());
  constexpr bool discrete = std::is_same_v<typename D::Time, int>;
  if constexpr (discrete) identity.emplace_back("process.steps", std::to_string(process.steps()));

  std::string levels, timesteps;
  for (int k = 0; k <= 4; ++k) {
    typename D::Time time{};
    if constexpr (discrete)
      time = int(std::int64_t(k) * (process.steps() - 1) / 4);
    else
      time = k / 4.0;
    auto const add = [&](std::string& list, std::string const& text) { list += (k > 0 ? ", " : "") + text; };
    if constexpr (requires { process.level(time).alpha + process.level(time).sigma; })
      add(levels, number_text(process.level(time).alpha) + " " + number_text(process.level(time).sigma));
    if constexpr (requires { number_text(process.network_timestep(time)); })
      add(timesteps, number_text(process.network_timestep(time)));
  }
  if (!levels.empty()) identity.emplace_back("process.levels", levels);
  if (!timesteps.empty()) identity.emplace_back("process.timesteps", timesteps);
  add_description(identity, "process", process);
}

}  // namespace detail

/// The pair that save_checkpoint and load_checkpoint take in `run` for the data: its name, and how many
/// images of what size and which values there are. Data that was changed under the same name is told by it.
inline KeyValues::value_type data_identity(std::string const& name, HostImages const& images) {
  Xxh64 hash;
  hash.add(images.data(), images.size() * sizeof(float));
  std::string size;
  for (int axis = 1; axis < 4; ++axis) size += (axis > 1 ? "x" : "") + std::to_string(images.extent(axis));
  return {"data", name + ", " + std::to_string(images.extent(0)) + " of " + size + ", xxh64 " +
                      checksum_text(hash.value())};
}

}  // namespace glyphdiff
