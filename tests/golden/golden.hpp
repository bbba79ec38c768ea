#pragma once

#include <glyphdiff/tensor.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <limits>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

/// The numbers in this folder, which README.md describes. Images there are (N,C,H,W).
namespace golden {

inline std::string path(std::string const& name) { return GLYPHDIFF_TEST_DATA "/" + name; }

/// An array of any number of dimensions, C order.
template <class T>
struct Array {
  std::vector<int> shape;
  std::vector<T> values;

  int extent(int axis) const { return shape.at(axis); }
  /// Part i along the first axis.
  Array operator[](int i) const {
    auto const size = values.size() / shape.at(0);
    return {{shape.begin() + 1, shape.end()}, {values.begin() + i * size, values.begin() + (i + 1) * size}};
  }
};

/// Reads NAME.npy, say array<float>("adm_tiny/forward_x"). Integers are std::int64_t, losses and statistics
/// double. Compiled in golden.cpp alone, since the reader takes longer to compile than a test.
template <class T = float>
Array<T> array(std::string const& name);

inline nlohmann::json json(std::string const& name) {
  std::ifstream file(path(name));
  if (!file) throw std::runtime_error("cannot read " + path(name));
  return nlohmann::json::parse(file);
}

// Between (N,C,H,W) and the library's (N,H,W,C).

inline glyphdiff::HostImages nchw_to_nhwc(Array<float> const& a) {
  glyphdiff::HostImages images("golden", a.extent(0), a.extent(2), a.extent(3), a.extent(1));
  auto value = a.values.begin();
  for (int n = 0; n < a.extent(0); ++n)
    for (int c = 0; c < a.extent(1); ++c)
      for (int h = 0; h < a.extent(2); ++h)
        for (int w = 0; w < a.extent(3); ++w) images(n, h, w, c) = *value++;
  return images;
}

inline Array<float> nhwc_to_nchw(glyphdiff::HostImages const& images) {
  Array<float> a{{int(images.extent(0)), int(images.extent(3)), int(images.extent(1)), int(images.extent(2))},
                 {}};
  for (int n = 0; n < a.extent(0); ++n)
    for (int c = 0; c < a.extent(1); ++c)
      for (int h = 0; h < a.extent(2); ++h)
        for (int w = 0; w < a.extent(3); ++w) a.values.push_back(images(n, h, w, c));
  return a;
}

template <class Exec>
glyphdiff::Images<Exec> to_device(glyphdiff::HostImages const& host) {
  glyphdiff::Images<Exec> images("golden", host.extent(0), host.extent(1), host.extent(2), host.extent(3));
  Kokkos::deep_copy(images, host);
  return images;
}

/// A golden array as the library's images.
template <class Exec>
glyphdiff::Images<Exec> images(Array<float> const& a) {
  return to_device<Exec>(nchw_to_nhwc(a));
}

template <class View>
glyphdiff::HostImages to_host(View const& images) {
  glyphdiff::HostImages host("golden", images.extent(0), images.extent(1), images.extent(2),
                             images.extent(3));
  Kokkos::deep_copy(host, images);
  return host;
}

/// The library's images in the order of a golden array.
template <class View>
Array<float> from_images(View const& images) {
  return nhwc_to_nchw(to_host(images));
}

/// Relative to the expected value alone (doctest's Approx adds 1 to it).
inline bool near(double ours, double expected, double tolerance) {
  return std::abs(ours - expected) <= tolerance * std::abs(expected);
}

/// The largest difference, relative to the largest magnitude expected; infinite if one isn't finite or shapes
/// differ.
inline double relative_difference(Array<float> const& ours, Array<float> const& expected) {
  double const infinity = std::numeric_limits<double>::infinity();
  if (ours.shape != expected.shape) return infinity;
  double difference = 0, largest = 0;
  for (std::size_t i = 0; i < expected.values.size(); ++i) {
    double const d = std::abs(double(ours.values[i]) - expected.values[i]);
    if (!std::isfinite(d)) return infinity;
    difference = std::max(difference, d);
    largest = std::max(largest, std::abs(double(expected.values[i])));
  }
  return difference / largest;
}

/// One tensor of a model's parameters.
struct TensorInfo {
  std::string name, shape;  ///< as in the state dict, "64x32x3x3"
  std::int64_t offset, size;

  // Where its values come from.
  bool drawn;           ///< from the generator, else stored
  std::int64_t source;  ///< position in the generator's output, or in params_stored.npy
  int fan_in;           ///< drawn uniformly within 1 / sqrt(fan_in)
};

/// adm_tiny, iddpm_tiny, cond_tiny or one of the classifiers.
class Model {
 public:
  explicit Model(std::string name) : name_(std::move(name)), config_(golden::json(name_ + "/config.json")) {
    std::ifstream file(path(name_ + "/params.tsv"));
    for (std::string line; std::getline(file, line);) {
      std::istringstream fields(line);
      TensorInfo t;
      std::string source;
      if (!(fields >> t.name >> t.shape >> t.offset >> source >> t.source >> t.fan_in))
        throw std::runtime_error("bad line in params.tsv: " + line);
      t.drawn = source == "drawn";
      t.size = 1;
      std::istringstream extents(t.shape);
      for (std::string extent; std::getline(extents, extent, 'x');) t.size *= std::stoll(extent);
      tensors_.push_back(t);
    }
  }

  std::string const& name() const { return name_; }
  nlohmann::json const& config() const { return config_; }
  std::vector<TensorInfo> const& tensors() const { return tensors_; }  ///< in file order
  std::int64_t parameter_count() const { return tensors_.back().offset + tensors_.back().size; }

  /// array<T>("forward_x") and so on.
  template <class T = float>
  Array<T> array(std::string const& file) const {
    return golden::array<T>(name_ + "/" + file);
  }

  /// All parameters in file order, bit for bit.
  std::vector<float> parameters() const {
    auto const some_stored = [](TensorInfo const& t) { return !t.drawn; };
    std::vector<float> stored;
    if (std::any_of(tensors_.begin(), tensors_.end(), some_stored)) stored = array("params_stored").values;
    std::vector<float> values(parameter_count());
    std::mt19937 generator(seed());
    std::int64_t position = 0;
    for (TensorInfo const& t : tensors_) {
      if (!t.drawn) {
        std::copy_n(stored.begin() + t.source, t.size, values.begin() + t.offset);
        continue;
      }
      generator.discard(t.source - position);
      position = t.source + t.size;
      float const bound = static_cast<float>(1 / std::sqrt(double(t.fan_in)));
      for (std::int64_t i = 0; i < t.size; ++i) {
        float const unit = static_cast<float>(generator() & 0xffffffu) * 0x1p-24f;
        values[t.offset + i] = std::fma(unit, 2 * bound, -bound);
      }
    }
    return values;
  }

  /// How far `flat`, laid out like the parameters, is from one of "backward_dparams", "train_params_after10"
  /// and "train_final_ema": the largest difference of a tensor relative to its largest magnitude, over the
  /// tensors whose largest magnitude is at least 1e-5 of the model's. Compares some values of each tensor,
  /// and over all of them the norm and a sum with random signs, both per square root of the size. `worst`
  /// gets the name of the worst tensor.
  double difference(std::string const& file, std::vector<float> const& flat,
                    std::string* worst = nullptr) const {
    auto const values = array(file + "_values").values;
    auto const stats = array<double>(file + "_stats").values;
    double largest_of_all = 0, result = 0;
    for (std::size_t t = 0; t < tensors_.size(); ++t) largest_of_all = std::max(largest_of_all, stats[3 * t]);
    std::mt19937 signs(1);
    std::size_t next = 0;
    for (std::size_t t = 0; t < tensors_.size(); ++t) {
      float const* const ours = flat.data() + tensors_[t].offset;
      std::int64_t const size = tensors_[t].size, stride = sample_stride(size);
      double difference = 0, squares = 0, sum = 0;
      for (std::int64_t i = 0; i < size; i += stride) {
        double const d = std::abs(double(ours[i]) - values[next++]);
        difference = d <= difference ? difference : d;  // keeps NaN
      }
      for (std::int64_t i = 0; i < size; ++i) {
        squares += double(ours[i]) * ours[i];
        sum += signs() & 1u ? double(ours[i]) : -double(ours[i]);
      }
      double const largest = stats[3 * t], root = std::sqrt(double(size));
      double const norm = std::abs(std::sqrt(squares) - stats[3 * t + 1]) / root;
      double const signed_sum = std::abs(sum - stats[3 * t + 2]) / root;
      double const relative = std::max({difference, norm, signed_sum}) / largest;
      if (largest < 1e-5 * largest_of_all || relative <= result) continue;
      result = std::isfinite(relative) ? relative : std::numeric_limits<double>::infinity();
      if (worst != nullptr) *worst = tensors_[t].name;
    }
    return result;
  }

  /// The share of the values kept of "train_params_after10" or "train_final_ema" that `flat` has within
  /// `tolerance`. Adam turns gradients that are only rounding noise into whole updates, so a few values of
  /// any run are elsewhere.
  double share_within(double tolerance, std::string const& file, std::vector<float> const& flat) const {
    auto const values = array(file + "_values").values;
    std::size_t next = 0, within = 0;
    for (TensorInfo const& t : tensors_)
      for (std::int64_t i = 0; i < t.size; i += sample_stride(t.size))
        if (std::abs(double(flat[t.offset + i]) - values[next++]) <= tolerance) ++within;
    return double(within) / double(next);
  }

 private:
  unsigned seed() const {
    if (config_.contains("seed")) return config_["seed"];
    return name_ == "adm_tiny" ? 1u : name_ == "iddpm_tiny" ? 2u : 3u;
  }

  /// Up to 256 values; the stride has no factor 2 or 3, lest it meet one tap of a kernel or one column alone.
  static std::int64_t sample_stride(std::int64_t size) {
    std::int64_t stride = (size + 255) / 256;
    while (stride % 2 == 0 || stride % 3 == 0) ++stride;
    return stride;
  }

  std::string name_;
  nlohmann::json config_;
  std::vector<TensorInfo> tensors_;
};

}  // namespace golden
