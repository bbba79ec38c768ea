#pragma once

#include "../digest.hpp"

#include <glyphdiff/io/image.hpp>
#include <glyphdiff/random.hpp>
#include <glyphdiff/tensor.hpp>

#include <functional>
#include <span>
#include <vector>

/// The parts of glyphdiff_digests, a file each. Every one prints its digests, and nothing that varies from
/// one run or machine to another.
using Exec = Kokkos::DefaultHostExecutionSpace;

void training_digests();
void classifier_digests();
void letter_digests();
void sampling_digests();
void data_digests();
void outline_digests();
void metric_digests();

inline Digest& operator<<(Digest& digest, glyphdiff::Image const& image) {
  return digest << image.height << image.width << image.channels << image.pixels;
}

/// A Denoiser (or a GradientSource) of one type, so that samplers are compiled for few.
using Model = std::function<void(Exec const&, glyphdiff::Images<Exec> const&, std::span<float const>,
                                 glyphdiff::Images<Exec> const&)>;

/// What training.cpp's network of 5 classes, learned variance and 16x16 colour pixels makes of images of
/// these classes; `worse`: an earlier state of it.
Model class_model(std::vector<int> const& labels, bool worse = false);

/// The gradient of log p(labels | x) by classifier.cpp's network, for such images.
Model class_gradient(std::vector<int> const& labels);

/// Adds noise to parameters, so that layers which begin at zero do something.
inline void stir(glyphdiff::Arena<Exec> const& parameters, std::uint64_t seed, float by) {
  for (std::size_t i = 0; i < parameters.size(); ++i)
    parameters.data()[i] +=
        by * (2 * glyphdiff::uniform4({seed, glyphdiff::Stream::initialisation, 1}, i / 4)[i % 4] - 1);
}

/// Pictures without a subject, (count,16,16,3) in [-1, 1].
inline glyphdiff::HostImages patterns(int count, int factor = 37) {
  glyphdiff::HostImages const images("patterns", count, 16, 16, 3);
  for (std::size_t i = 0; i < images.size(); ++i)
    images.data()[i] = float(int(i) * factor % 255) / 127.5f - 1;
  return images;
}
