#pragma once

#include <glyphdiff/kernels/backend.hpp>
#include <glyphdiff/tensor.hpp>

#include <cstdint>

namespace glyphdiff::kernels {

/// Runs f(i) for i in [0, count) on the execution space instance.
template <class Exec, class Function>
void for_each(char const* label, Exec const& exec, std::int64_t count, Function const& f) {
  Kokkos::parallel_for(label, Kokkos::RangePolicy<Exec, Kokkos::IndexType<std::int64_t>>(exec, 0, count), f);
}

/// How elementwise work over (N,H,W,C) is cut into items: a host core takes whole runs of pixels, a device
/// thread one element.
struct Grain {
  int pixels;    ///< of one image, per item
  int channels;  ///< per item
  int tiles;     ///< items along the pixels of one image
  int blocks;    ///< items along the channels

  template <class Backend>
  static Grain of(std::int64_t pixels_per_image, int channels, int pixels_per_tile) {
    bool const device = Backend::width == 1 && Backend::one_element_per_item;
    int const p = device ? 1 : pixels_per_tile, c = device ? 1 : channels;
    return {p, c, int((pixels_per_image + p - 1) / p), (channels + c - 1) / c};
  }
};

/// Items of a grain over N images.
inline std::int64_t items(int n, Grain grain) { return std::int64_t(n) * grain.tiles * grain.blocks; }

/// One or two tensors read as if concatenated along the channels. Data: a pointer, or what stands for one
/// until a pass finds it (nn/buffer.hpp).
template <class Data>
struct ChannelsOf {
  Data first;
  int first_channels;
  Data second{};
  int second_channels = 0;

  KOKKOS_FUNCTION int count() const { return first_channels + second_channels; }
  KOKKOS_FUNCTION Data at(std::int64_t pixel, int c) const {
    return c < first_channels ? first + pixel * first_channels + c
                              : second + pixel * second_channels + (c - first_channels);
  }
};
using Channels = ChannelsOf<float const*>;

/// Where the gradient of a tensor goes: the first contribution is assigned, later ones are added.
template <class Data>
struct GradientSinkOf {
  Data data{};
  bool accumulate = false;
};
using GradientSink = GradientSinkOf<float*>;

/// The gradient counterpart of Channels.
template <class Data>
struct ChannelsGradientOf {
  GradientSinkOf<Data> first;
  int first_channels;
  GradientSinkOf<Data> second{};
  int second_channels = 0;

  KOKKOS_FUNCTION Data at(std::int64_t pixel, int c) const {
    return c < first_channels ? first.data + pixel * first_channels + c
                              : second.data + pixel * second_channels + (c - first_channels);
  }
  KOKKOS_FUNCTION bool accumulates(int c) const {
    return c < first_channels ? first.accumulate : second.accumulate;
  }
};
using ChannelsGradient = ChannelsGradientOf<float*>;

/// Whether rows of these widths can be read in packs of Backend::width without a tail or a straddling pack.
template <class Backend>
constexpr bool packs_fit(int a, int b = 0) {
  return a % Backend::width == 0 && b % Backend::width == 0;
}

}  // namespace glyphdiff::kernels
