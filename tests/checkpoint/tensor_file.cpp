#include "files.hpp"

#include <glyphdiff/checkpoint/safetensors.hpp>
#include <glyphdiff/checkpoint/tensor_file.hpp>

#include <doctest/doctest.h>

namespace checkpoint_tensor_file_tests {

using namespace glyphdiff;

namespace {

TensorSource source(std::string name, std::string dtype, std::vector<std::int64_t> shape, void const* data) {
  return {std::move(name), std::move(dtype), std::move(shape),
          [data](std::uint64_t offset, std::uint64_t bytes, void* to) {
            std::memcpy(to, static_cast<char const*>(data) + offset, bytes);
          }};
}

}  // namespace

TEST_CASE("a tensor has as many values as its shape says") {
  CHECK(TensorEntry{"a", "F32", {}}.count() == 1);
  CHECK(TensorEntry{"a", "F32", {2, 3}}.count() == 6);
  CHECK(TensorEntry{"a", "F32", {std::int64_t(1) << 62, 4, 0}}.count() == 0);
}

TEST_CASE("tensors of safetensors files are read as floats, whatever their precision") {
  TemporaryFolder const folder;
  std::string const path = (folder / "precisions.safetensors").string();
  std::size_t const count = 200'001;  // more than are converted at once
  std::vector<double> doubles(count);
  std::vector<std::uint16_t> halves(count, 0x3c00);
  for (std::size_t i = 0; i < count; ++i) doubles[i] = double(i) / 3;
  halves.back() = 0xc100;
  std::vector<std::int64_t> const integers{1, 2};
  std::int64_t const size = std::int64_t(count);
  write_safetensors(
      path,
      {source("double", "F64", {size}, doubles.data()), source("half", "F16", {size}, halves.data()),
       source("integers", "I64", {2}, integers.data())},
      {{"key", "value"}});
  SafetensorsTensors const concrete(path);
  TensorFile const& file = concrete;
  CHECK(file.path() == path);
  CHECK(file.metadata() == KeyValues{{"key", "value"}});
  REQUIRE(file.entries().size() == 3);
  std::vector<float> values(count);
  for (std::size_t index = 0; index < 3; ++index) {
    TensorEntry const& entry = file.entries()[index];
    CAPTURE(entry.name);
    if (entry.name == "integers") {
      CHECK(files::message_of<Error>([&] { file.read(index, 0, 1, values.data()); }) ==
            path + ": expected floating-point numbers in the tensor integers, found I64");
      continue;
    }
    file.read(index, 1, size - 1, values.data());
    if (entry.name == "half") CHECK(values[count - 2] == -2.5f);
    if (entry.name == "double") {
      bool same = true;
      for (std::size_t i = 1; i < count; ++i) same = same && values[i - 1] == float(doubles[i]);
      CHECK(same);
    }
    CHECK_THROWS_AS(file.read(index, 1, size, values.data()), Error);
    CHECK_THROWS_AS(file.read(index, -1, 1, values.data()), Error);
    CHECK_THROWS_AS(file.read(index, size + 1, 0, values.data()), Error);
  }
}

}  // namespace checkpoint_tensor_file_tests
