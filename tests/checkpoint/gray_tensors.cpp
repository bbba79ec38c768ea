#include <glyphdiff/checkpoint/gray_tensors.hpp>
#include <glyphdiff/checkpoint/weights.hpp>

#include <doctest/doctest.h>

#include <numeric>

namespace checkpoint_gray_tensors_tests {

using namespace glyphdiff;

namespace {

/// Tensors in memory.
class Memory : public TensorFile {
 public:
  void add(std::string name, std::vector<std::int64_t> shape, std::vector<float> numbers) {
    entries_.push_back({std::move(name), "F32", std::move(shape)});
    numbers_.push_back(std::move(numbers));
  }
  std::string const& path() const override { return path_; }
  std::vector<TensorEntry> const& entries() const override { return entries_; }
  KeyValues const& metadata() const override { return metadata_; }
  void read(std::size_t index, std::int64_t first, std::int64_t count, float* to) const override {
    std::copy_n(numbers_[index].begin() + first, count, to);
  }

 private:
  std::string path_ = "memory";
  std::vector<TensorEntry> entries_;
  std::vector<std::vector<float>> numbers_;
  KeyValues metadata_;
};

std::vector<float> counting(std::size_t count) {
  std::vector<float> result(count);
  std::iota(result.begin(), result.end(), 0.0f);
  return result;
}

Memory colour(int channels, int outputs) {
  Memory file;
  file.add("model.input_blocks.0.0.weight", {2, channels, 3, 3}, counting(std::size_t(18 * channels)));
  file.add("model.input_blocks.0.0.bias", {2}, {5, 6});
  file.add("model.out.2.weight", {outputs, 2, 3, 3}, counting(std::size_t(18 * outputs)));
  file.add("model.out.2.bias", {outputs}, counting(std::size_t(outputs)));
  return file;
}

std::vector<float> read(TensorFile const& file, std::size_t index) {
  std::vector<float> numbers(std::size_t(file.entries()[index].count()));
  file.read(index, 0, std::int64_t(numbers.size()), numbers.data());
  return numbers;
}

}  // namespace

TEST_CASE("a colour network made gray sums over its inputs and averages its outputs") {
  Memory const file = colour(3, 6);
  GrayTensors const gray(file);
  CHECK(image_channels(file, "model.") == 3);
  CHECK(image_channels(gray, "model.") == 1);
  CHECK_THROWS_AS(image_channels(file, "ema_0.9."), Error);
  CHECK(gray.entries()[0].shape == std::vector<std::int64_t>{2, 1, 3, 3});
  CHECK(gray.entries()[2].shape == std::vector<std::int64_t>{2, 2, 3, 3});
  CHECK(gray.entries()[3].shape == std::vector<std::int64_t>{2});

  auto const stem = read(gray, 0);
  for (int out = 0; out < 2; ++out)
    for (int tap = 0; tap < 9; ++tap) {
      float expected = 0;
      for (int c = 0; c < 3; ++c) expected += float(out * 27 + c * 9 + tap);
      CHECK(stem[std::size_t(out * 9 + tap)] == expected);
    }
  auto const last = read(gray, 2);  // outputs 0, 1, 2 are the prediction, 3, 4, 5 the variance
  for (int half = 0; half < 2; ++half)
    for (int i = 0; i < 18; ++i) CHECK(last[std::size_t(half * 18 + i)] == float((3 * half + 1) * 18 + i));
  CHECK(read(gray, 3) == std::vector<float>{1, 4});
  CHECK(read(gray, 1) == std::vector<float>{5, 6});

  // In pieces as well.
  std::vector<float> piece(5);
  gray.read(2, 16, 5, piece.data());
  CHECK(std::equal(piece.begin(), piece.end(), last.begin() + 16));
}

TEST_CASE("a network that is not for colour is not made gray") {
  Memory const gray = colour(1, 2), two = colour(3, 4);
  CHECK_THROWS_AS(GrayTensors{gray}, Error);
  CHECK_THROWS_AS(GrayTensors{two}, Error);
  CHECK_THROWS_AS(GrayTensors{Memory()}, Error);
}

}  // namespace checkpoint_gray_tensors_tests
