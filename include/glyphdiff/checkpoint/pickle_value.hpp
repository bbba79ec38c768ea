#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

/// What a pickle of PyTorch holds, as a tree of plain values. Nothing in it is code.
namespace glyphdiff {

struct PickleValue;

/// A global that a pickle names. Only those that read_pickle lists occur.
struct PickleGlobal {
  std::string name;  ///< module and name: "torch FloatStorage"
};

/// A run of numbers outside of the pickle.
struct PickleStorage {
  std::string key;          ///< its name among the file's storages
  std::string dtype;        ///< as in safetensors: "F32"
  std::int64_t count = 0;   ///< numbers that the storage has
  std::int64_t offset = 0;  ///< of a part of the storage: its first number
  std::int64_t size = 0;    ///< and how many; `count` for a whole one
};

/// A tensor: numbers of a storage. It lies within its storage.
struct PickleTensor {
  PickleStorage storage;
  std::int64_t offset = 0;  ///< numbers from the start of the storage
  std::vector<std::int64_t> shape;
  std::vector<std::int64_t> strides;  ///< in numbers, not negative

  /// Whether its numbers lie in C order without a gap.
  bool contiguous() const {
    if (std::find(shape.begin(), shape.end(), 0) != shape.end()) return true;
    std::int64_t expected = 1;
    for (std::size_t axis = shape.size(); axis-- > 0;) {
      if (shape[axis] != 1 && strides[axis] != expected) return false;
      expected *= shape[axis];
    }
    return true;
  }
};

struct PickleNone {};
using PickleItems = std::vector<PickleValue const*>;
struct PickleList {
  PickleItems items;
};
struct PickleTuple {
  PickleItems items;
};
/// A dict or an OrderedDict, in the order of insertion. Keys are strings, integers or booleans, and differ.
struct PickleDict {
  std::vector<std::pair<PickleValue const*, PickleValue const*>> pairs;
};

struct PickleValue {
  std::variant<PickleNone, bool, std::int64_t, double, std::string, PickleList, PickleTuple, PickleDict,
               PickleGlobal, PickleStorage, PickleTensor>
      content;

  /// The content if it is of that type, or nullptr.
  template <class T>
  T const* as() const {
    return std::get_if<T>(&content);
  }

  /// The items of a list or tuple, or nullptr.
  PickleItems const* items() const {
    if (auto const* list = as<PickleList>()) return &list->items;
    if (auto const* tuple = as<PickleTuple>()) return &tuple->items;
    return nullptr;
  }

  /// The value of a key if this is a dict that has it, or nullptr.
  PickleValue const* find(std::string_view key) const {
    if (auto const* dict = as<PickleDict>())
      for (auto const& [name, value] : dict->pairs)
        if (auto const* text = name->as<std::string>(); text != nullptr && *text == key) return value;
    return nullptr;
  }

  /// What it is, for messages.
  char const* kind() const {
    static constexpr char const* kinds[] = {"None",     "a boolean", "an integer", "a number",
                                            "a string", "a list",    "a tuple",    "a dict",
                                            "a global", "a storage", "a tensor"};
    return kinds[content.index()];
  }
};

/// A pickle's values. Several places of the tree may share one; none contains itself.
struct Pickle {
  std::deque<PickleValue> values;  ///< owns them; its elements never move
  PickleValue const* root = nullptr;
  std::size_t bytes = 0;  ///< length of the pickle, which may stand before other data
};

}  // namespace glyphdiff
