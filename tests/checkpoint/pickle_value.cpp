#include <glyphdiff/checkpoint/pickle_value.hpp>

#include <doctest/doctest.h>

#include <string>

namespace checkpoint_pickle_value_tests {

using namespace glyphdiff;

TEST_CASE("values are found by their keys and known by their kind") {
  PickleValue const key{std::string("a")}, other{std::int64_t(7)}, value{2.5};
  PickleValue const dict{PickleDict{{{&other, &key}, {&key, &value}}}}, list{PickleList{{&value}}},
      tuple{PickleTuple{{&value, &key}}};
  CHECK(dict.find("a") == &value);
  CHECK(dict.find("b") == nullptr);
  CHECK(value.find("a") == nullptr);
  CHECK(list.items()->size() == 1);
  CHECK(tuple.items()->size() == 2);
  CHECK(dict.items() == nullptr);
  CHECK(*value.as<double>() == 2.5);
  CHECK(value.as<std::int64_t>() == nullptr);
  CHECK(std::string(PickleValue{}.kind()) == "None");
  CHECK(std::string(value.kind()) == "a number");
  CHECK(std::string(dict.kind()) == "a dict");
  CHECK(std::string(PickleValue{PickleTensor()}.kind()) == "a tensor");
}

TEST_CASE("a tensor is contiguous if its numbers lie in C order without a gap") {
  auto const contiguous = [](std::vector<std::int64_t> shape, std::vector<std::int64_t> strides) {
    return PickleTensor{{}, 0, shape, strides}.contiguous();
  };
  CHECK(contiguous({}, {}));
  CHECK(contiguous({2, 3}, {3, 1}));
  CHECK(contiguous({2, 1, 3}, {3, 99, 1}));
  CHECK(contiguous({0, 3}, {7, 7}));
  CHECK_FALSE(contiguous({2, 3}, {1, 2}));
  CHECK_FALSE(contiguous({2, 3}, {4, 1}));
  CHECK_FALSE(contiguous({3}, {0}));
}

}  // namespace checkpoint_pickle_value_tests
