#pragma once

#include <glyphdiff/checkpoint/binary_file.hpp>
#include <glyphdiff/checkpoint/pickle_value.hpp>
#include <glyphdiff/error.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

/// Python's pickle protocol 2, as far as files of tensors need it. A pickle is a program for a stack machine
/// that can call any function of Python; this reader knows the few opcodes and globals that torch.save writes
/// for dicts of tensors, and refuses all others.
namespace glyphdiff {
namespace detail {

/// The types of storages, by the name of their class in PyTorch, and their dtype here.
inline constexpr std::pair<std::string_view, std::string_view> pickle_storages[] = {
    {"torch FloatStorage", "F32"},  {"torch HalfStorage", "F16"}, {"torch BFloat16Storage", "BF16"},
    {"torch DoubleStorage", "F64"}, {"torch LongStorage", "I64"}, {"torch IntStorage", "I32"},
    {"torch ShortStorage", "I16"},  {"torch CharStorage", "I8"},  {"torch ByteStorage", "U8"},
    {"torch BoolStorage", "BOOL"}};

inline constexpr std::string_view pickle_ordered_dict = "collections OrderedDict",
                                  pickle_tensor = "torch._utils _rebuild_tensor_v2",
                                  pickle_parameter = "torch._utils _rebuild_parameter";

inline bool is_pickle_global(std::string_view name) {
  for (auto const& [storage, dtype] : pickle_storages)
    if (name == storage) return true;
  return name == pickle_ordered_dict || name == pickle_tensor || name == pickle_parameter;
}

/// The stack machine. Every opcode makes at most one value, and what a value copies is bounded, so that
/// memory stays in proportion to the bytes.
class PickleReader {
 public:
  PickleReader(std::string_view bytes, std::string const& path) : bytes_(bytes), path_(path) {}

  Pickle read() {
    require(bytes_.starts_with("\x80\x02"), "pickle protocol 2", "something else");
    while (step()) {
    }
    require_depth(*result_.root);
    result_.bytes = at_;
    return std::move(result_);
  }

 private:
  static constexpr int deepest = 64;
  static constexpr std::size_t most_values = 1'000'000;  // an optimiser of a thousand parameters has 40,000
  static constexpr std::size_t most_axes = 16;

  [[noreturn]] void fail(std::string const& expected, std::string const& found) const {
    throw Error(path_, expected, found + " at byte " + std::to_string(opcode_at_) + " of the pickle");
  }
  void require(bool valid, std::string const& expected, std::string const& found) const {
    if (!valid) fail(expected, found);
  }

  // Bytes.

  std::string_view take(std::uint64_t count) {
    if (count > bytes_.size() - at_)
      throw Error(path_, std::to_string(count) + " more bytes of the pickle at byte " + std::to_string(at_),
                  std::to_string(bytes_.size() - at_) + "; the file is cut short");
    at_ += count;
    return bytes_.substr(at_ - count, count);
  }

  /// A little-endian integer of the type's width.
  template <class T>
  T integer() {
    T value;
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    return value;
  }

  std::string_view line() {
    std::size_t const end = bytes_.find('\n', at_);
    require(end != bytes_.npos, "a name that ends", "none");
    std::string_view const text = take(end - at_);
    take(1);
    return text;
  }

  /// Two's complement of `count` bytes.
  std::int64_t long_integer(std::uint64_t count) {
    std::string_view const digits = take(count);
    require(count <= 8, "an integer of 64 bits", std::to_string(8 * digits.size()) + " bits");
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < count; ++i) value |= std::uint64_t(std::uint8_t(digits[i])) << (8 * i);
    if (count > 0 && count < 8 && (digits.back() & 0x80) != 0) value |= ~std::uint64_t(0) << (8 * count);
    return std::int64_t(value);
  }

  double big_endian_double() {
    std::string_view const text = take(8);
    std::uint64_t value = 0;
    for (char const c : text) value = value << 8 | std::uint8_t(c);
    return std::bit_cast<double>(value);
  }

  // The stack.

  template <class T>
  void push(T content) {
    require(result_.values.size() < most_values, "at most " + std::to_string(most_values) + " values",
            "more");
    stack_.push_back(&result_.values.emplace_back(PickleValue{std::move(content)}));
  }

  PickleValue& top() {
    require(stack_.size() > floor(), "a value on the stack", "none");
    return *stack_.back();
  }

  PickleValue* pop() {
    PickleValue* const value = &top();
    stack_.pop_back();
    return value;
  }

  std::size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }

  /// The values above the last mark, which goes too.
  PickleItems pop_mark() {
    require(!marks_.empty(), "a mark on the stack", "none");
    PickleItems const items(stack_.begin() + std::ptrdiff_t(marks_.back()), stack_.end());
    stack_.resize(marks_.back());
    marks_.pop_back();
    return items;
  }

  PickleItems pop_some(std::size_t count) {
    require(stack_.size() >= floor() + count, "values on the stack", "too few");
    PickleItems const items(stack_.end() - std::ptrdiff_t(count), stack_.end());
    stack_.resize(stack_.size() - count);
    return items;
  }

  void append(PickleItems const& items) {
    auto* const list = std::get_if<PickleList>(&top().content);
    require(list != nullptr, "a list to append to", top().kind());
    list->items.insert(list->items.end(), items.begin(), items.end());
  }

  void insert(PickleItems const& items) {
    auto* const dict = std::get_if<PickleDict>(&top().content);
    require(dict != nullptr && items.size() % 2 == 0, "a dict and pairs for it", top().kind());
    for (std::size_t i = 0; i < items.size(); i += 2) dict->pairs.emplace_back(items[i], items[i + 1]);
  }

  void recall(std::uint32_t index) {
    auto const found = memo_.find(index);
    require(found != memo_.end(), "a value that was kept", "none of number " + std::to_string(index));
    stack_.push_back(found->second);
  }

  // Objects.

  void global() {
    std::string name(line());
    name += ' ';
    name += line();
    require(is_pickle_global(name), "what files of tensors hold", "the global \"" + printable(name) + "\"");
    push(PickleGlobal{std::move(name)});
  }

  /// ('storage', class, key, location, count), in old files with a sixth item: None, or (key, offset, count)
  /// of a part.
  void storage() {
    PickleItems const* const items = pop()->items();
    std::string const expected = "a description of a storage";
    require(items != nullptr && (items->size() == 5 || items->size() == 6), expected, "something else");
    auto const& t = *items;
    auto const* const kind = t[0]->as<std::string>();
    auto const* const type = t[1]->as<PickleGlobal>();
    auto const* const key = t[2]->as<std::string>();
    auto const* const count = t[4]->as<std::int64_t>();
    require(kind != nullptr && *kind == "storage" && type != nullptr && key != nullptr && key->size() < 256 &&
                t[3]->as<std::string>() != nullptr && count != nullptr && *count >= 0,
            expected, "something else");
    PickleStorage result{*key, "", *count, 0, *count};
    for (auto const& [name, dtype] : pickle_storages)
      if (name == type->name) result.dtype = dtype;
    require(!result.dtype.empty(), "the type of a storage", type->name);
    if (t.size() == 6 && t[5]->as<PickleNone>() == nullptr) {
      PickleItems const* const part = t[5]->items();
      require(part != nullptr && part->size() == 3, expected, "something else");
      auto const *const offset = (*part)[1]->as<std::int64_t>(), *const size = (*part)[2]->as<std::int64_t>();
      require(offset != nullptr && size != nullptr && *offset >= 0 && *size >= 0 && *offset <= *count &&
                  *size <= *count - *offset,
              "a part of a storage of " + std::to_string(*count) + " numbers", "one beyond it");
      result.offset = *offset;
      result.size = *size;
    }
    push(std::move(result));
  }

  /// Integers of at least 0 from a tuple or list.
  std::vector<std::int64_t> sizes(PickleValue const& value) {
    PickleItems const* const items = value.items();
    require(items != nullptr && items->size() <= most_axes, "the shape of a tensor", value.kind());
    std::vector<std::int64_t> result;
    for (PickleValue const* const item : *items) {
      auto const* const size = item->as<std::int64_t>();
      require(size != nullptr && *size >= 0, "sizes of at least 0 in a tensor's shape", "something else");
      result.push_back(*size);
    }
    return result;
  }

  /// (storage, offset, shape, strides, requires_grad, hooks), and what newer versions add.
  void tensor(PickleItems const& arguments) {
    require(arguments.size() >= 4 && arguments.size() <= 7, "the parts of a tensor",
            std::to_string(arguments.size()) + " of them");
    auto const* const storage = arguments[0]->as<PickleStorage>();
    auto const* const offset = arguments[1]->as<std::int64_t>();
    require(storage != nullptr && offset != nullptr && *offset >= 0, "a tensor in a storage",
            "something else");
    PickleTensor result{*storage, 0, sizes(*arguments[2]), sizes(*arguments[3])};
    require(result.shape.size() == result.strides.size(), "as many strides as sizes in a tensor",
            std::to_string(result.strides.size()));

    // Of a tensor without numbers, neither the offset nor the strides mean anything.
    std::int64_t count = 1, last = *offset, part = 0;
    bool fits = true, empty = false;
    for (std::size_t axis = 0; axis < result.shape.size(); ++axis) {
      if (result.shape[axis] == 0) {
        empty = true;
        continue;
      }
      fits = fits && !__builtin_mul_overflow(count, result.shape[axis], &count) &&
             !__builtin_mul_overflow(result.shape[axis] - 1, result.strides[axis], &part) &&
             !__builtin_add_overflow(last, part, &last);
    }
    // Eight bytes are the widest number, and 2^63 bytes the longest file.
    fits = fits && count <= (std::numeric_limits<std::int64_t>::max)() / 8;
    require(empty || (fits && last < storage->size),
            "a tensor within its storage of " + std::to_string(storage->size) + " numbers", "one beyond it");
    result.offset = empty ? 0 : storage->offset + *offset;
    push(std::move(result));
  }

  /// The old way to keep an OrderedDict: a list of pairs.
  void ordered_dict(PickleItems const& arguments) {
    PickleDict dict;
    if (!arguments.empty()) {
      auto const* const list = arguments[0]->as<PickleList>();
      require(arguments.size() == 1 && list != nullptr, "the pairs of an OrderedDict", "something else");
      copied_ += list->items.size();
      require(copied_ <= most_values, "at most " + std::to_string(most_values) + " pairs", "more");
      for (PickleValue const* const item : list->items) {
        PickleItems const* const pair = item->items();
        require(pair != nullptr && pair->size() == 2, "the pairs of an OrderedDict", "something else");
        dict.pairs.emplace_back((*pair)[0], (*pair)[1]);
      }
    }
    push(std::move(dict));
  }

  void call() {
    auto const* const arguments = pop()->as<PickleTuple>();
    auto const* const function = pop()->as<PickleGlobal>();
    require(arguments != nullptr && function != nullptr, "a call of a known global", "another one");
    if (function->name == pickle_tensor) return tensor(arguments->items);
    if (function->name == pickle_ordered_dict) return ordered_dict(arguments->items);
    // (tensor, requires_grad, hooks): for us the tensor itself.
    require(function->name == pickle_parameter && !arguments->items.empty() &&
                arguments->items[0]->as<PickleTensor>() != nullptr,
            "a Parameter of a tensor", "something else");
    push(*arguments->items[0]->as<PickleTensor>());
  }

  /// Attributes of the object below: PyTorch gives state dicts a `_metadata` of versions, which we don't
  /// need.
  void build() {
    bool const valid = pop()->as<PickleDict>() != nullptr && top().as<PickleDict>() != nullptr;
    require(valid, "attributes of an OrderedDict", "those of something else");
  }

  /// One opcode; false for the last one.
  bool step() {
    opcode_at_ = at_;
    auto const opcode = static_cast<unsigned char>(take(1)[0]);
    switch (opcode) {
      case 0x80: {  // PROTO
        int const protocol = integer<std::uint8_t>();
        require(protocol == 2, "pickle protocol 2", "protocol " + std::to_string(protocol));
        break;
      }
      case '.':  // STOP
        require(stack_.size() == 1 && marks_.empty(), "one value at the end of the pickle",
                std::to_string(stack_.size()) + " and " + std::to_string(marks_.size()) + " marks");
        result_.root = stack_[0];
        return false;
      case '(':  // MARK
        marks_.push_back(stack_.size());
        break;
      case 'N':  // NONE
        push(PickleNone());
        break;
      case 0x88:  // NEWTRUE
        push(true);
        break;
      case 0x89:  // NEWFALSE
        push(false);
        break;
      case 'J':  // BININT
        push(std::int64_t(integer<std::int32_t>()));
        break;
      case 'K':  // BININT1
        push(std::int64_t(integer<std::uint8_t>()));
        break;
      case 'M':  // BININT2
        push(std::int64_t(integer<std::uint16_t>()));
        break;
      case 0x8a:  // LONG1
        push(long_integer(integer<std::uint8_t>()));
        break;
      case 'G':  // BINFLOAT
        push(big_endian_double());
        break;
      case 'U':  // SHORT_BINSTRING
        push(std::string(take(integer<std::uint8_t>())));
        break;
      case 'T':
      case 'X':  // BIN{STRING,UNICODE}
        push(std::string(take(integer<std::uint32_t>())));
        break;
      case '}':  // EMPTY_DICT
        push(PickleDict());
        break;
      case ']':  // EMPTY_LIST
        push(PickleList());
        break;
      case ')':  // EMPTY_TUPLE
        push(PickleTuple());
        break;
      case 't':  // TUPLE
        push(PickleTuple{pop_mark()});
        break;
      case 0x85:
      case 0x86:
      case 0x87:  // TUPLE1 to TUPLE3
        push(PickleTuple{pop_some(opcode - 0x84u)});
        break;
      case 'a':  // APPEND
        append(pop_some(1));
        break;
      case 'e':  // APPENDS
        append(pop_mark());
        break;
      case 's':  // SETITEM
        insert(pop_some(2));
        break;
      case 'u':  // SETITEMS
        insert(pop_mark());
        break;
      case 'q':  // BINPUT
        memo_[integer<std::uint8_t>()] = &top();
        break;
      case 'r':  // LONG_BINPUT
        memo_[integer<std::uint32_t>()] = &top();
        break;
      case 'h':  // BINGET
        recall(integer<std::uint8_t>());
        break;
      case 'j':  // LONG_BINGET
        recall(integer<std::uint32_t>());
        break;
      case 'c':  // GLOBAL
        global();
        break;
      case 'Q':  // BINPERSID
        storage();
        break;
      case 'R':  // REDUCE
        call();
        break;
      case 'b':  // BUILD
        build();
        break;
      default:
        fail("an opcode that files of tensors hold", opcode_name(opcode));
    }
    return true;
  }

  static std::string opcode_name(unsigned char opcode) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string name = "the opcode 0x";
    name += digits[opcode >> 4];
    name += digits[opcode & 15];
    if (opcode > 0x20 && opcode < 0x7f) name += std::string(" (") + char(opcode) + ")";
    return name;
  }

  // Afterwards.

  /// Throws Error for a value that contains itself, is nested too deeply or has a dict with a key twice.
  /// Returns how deep the value is.
  int require_depth(PickleValue const& value, int above = 0) {
    if (above > deepest)
      throw Error(path_, "at most " + std::to_string(deepest) + " levels of values", "more");
    PickleItems const* const items = value.items();
    auto const* const dict = value.as<PickleDict>();
    if (items == nullptr && dict == nullptr) return 0;
    auto const [known, first_time] = depths_.emplace(&value, -1);
    int depth = known->second;
    if (first_time) {
      depth = 0;
      auto const descend = [&](PickleValue const& below) {
        int const levels = require_depth(below, above + 1) + 1;
        depth = levels > depth ? levels : depth;
      };
      if (items != nullptr)
        for (PickleValue const* const item : *items) descend(*item);
      if (dict != nullptr) {
        check_keys(*dict);
        for (auto const& pair : dict->pairs) descend(*pair.second);
      }
      depths_[&value] = depth;
    }
    if (depth < 0) throw Error(path_, "values in a tree", "one that contains itself");
    if (above + depth > deepest)
      throw Error(path_, "at most " + std::to_string(deepest) + " levels of values", "more");
    return depth;
  }

  void check_keys(PickleDict const& dict) {
    std::set<std::string_view> names;
    std::set<std::int64_t> numbers;
    for (auto const& [key, value] : dict.pairs) {
      auto const* const text = key->as<std::string>();
      auto const* const number = key->as<std::int64_t>();
      auto const* const boolean = key->as<bool>();
      if (text == nullptr && number == nullptr && boolean == nullptr)
        throw Error(path_, "strings or integers as keys of a dict", key->kind());
      bool const fresh = text != nullptr ? names.insert(*text).second
                                         : numbers.insert(number != nullptr ? *number : *boolean).second;
      if (!fresh)
        throw Error(path_, "every key of a dict once",
                    (text != nullptr ? printable(*text) : "a number") + " twice");
    }
  }

  std::string_view bytes_;
  std::string const& path_;
  std::size_t at_ = 0, opcode_at_ = 0, copied_ = 0;
  std::vector<PickleValue*> stack_;
  std::vector<std::size_t> marks_;
  std::unordered_map<std::uint32_t, PickleValue*> memo_;
  std::unordered_map<PickleValue const*, int> depths_;
  Pickle result_;
};

}  // namespace detail

/// Reads the pickle at the start of `bytes`. Throws Error, naming `path` and the byte, for an opcode or a
/// global that files of tensors don't hold, for what is cut short or nested deeper than 64 levels, contains
/// itself, has a key twice, or describes tensors beyond their storages.
inline Pickle read_pickle(std::string_view bytes, std::string const& path) {
  return detail::PickleReader(bytes, path).read();
}

}  // namespace glyphdiff
