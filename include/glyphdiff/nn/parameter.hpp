#pragma once

#include <glyphdiff/config.hpp>
#include <glyphdiff/error.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace glyphdiff {

/// How a parameter starts. The defaults of PyTorch, as the reference leaves them.
enum class Initialisation {
  uniform_fan_in,  ///< uniform in +-1/sqrt(fan_in): kaiming_uniform(a = sqrt 5) for weights, and for biases
  zero,
  one,
  normal,         ///< N(0, 1), for embedding tables
  normal_fan_in,  ///< N(0, 1 / fan_in), for positional embeddings
};

/// A parameter as checkpoints know it: the reference's state-dict name, PyTorch's shape, its place in the
/// arena.
struct ParameterInfo {
  std::string name;
  std::vector<std::int64_t> shape;
  std::int64_t offset, count;
  Initialisation initialisation;
  std::int64_t fan_in;
};

/// All parameters of a network in state-dict order, which is also their order in the arena.
class ParameterList {
 public:
  /// Appends a parameter and returns its offset.
  std::int64_t add(std::string name, std::vector<std::int64_t> shape, Initialisation initialisation,
                   std::int64_t fan_in) {
    std::int64_t count = 1;
    for (std::int64_t extent : shape) count *= extent;
    std::int64_t const offset = total_;
    all_.push_back({std::move(name), std::move(shape), offset, count, initialisation, fan_in});
    total_ += count;
    return offset;
  }

  std::int64_t total() const { return total_; }  ///< floats in the arena
  std::vector<ParameterInfo> const& all() const { return all_; }
  auto begin() const { return all_.begin(); }
  auto end() const { return all_.end(); }

  /// The parameter of that name; Error if there is none.
  ParameterInfo const& operator[](std::string const& name) const {
    for (ParameterInfo const& info : all_)
      if (info.name == name) return info;
    throw Error("the network has no parameter named " + name);
  }

 private:
  std::vector<ParameterInfo> all_;
  std::int64_t total_ = 0;
};

/// Some of a network's parameters, the ones that are trained, and where each lies in an arena that holds
/// these alone.
class ParameterSelection {
 public:
  /// Those for which `chosen(info)` says so.
  template <class Chosen>
  ParameterSelection(ParameterList const& all, Chosen const& chosen) {
    for (ParameterInfo const& info : all) {
      if (!chosen(info)) continue;
      std::int64_t const offset = list_.add(info.name, info.shape, info.initialisation, info.fan_in);
      places_.emplace(info.offset, offset);
    }
  }

  /// The chosen parameters, with their offsets in the small arena.
  ParameterList const& list() const { return list_; }
  std::int64_t total() const { return list_.total(); }

  /// The place in the small arena of the parameter that begins at `offset` of the large one; -1 if it is not
  /// chosen.
  std::int64_t place(std::int64_t offset) const {
    auto const found = places_.find(offset);
    return found == places_.end() ? -1 : found->second;
  }

 private:
  ParameterList list_;
  std::map<std::int64_t, std::int64_t> places_;
};

}  // namespace glyphdiff
