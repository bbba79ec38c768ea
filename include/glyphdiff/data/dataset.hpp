#pragma once

#include <glyphdiff/error.hpp>
#include <glyphdiff/io/image.hpp>

#include <xtensor/xtensor.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

namespace glyphdiff {

/// Images to train on or to compare with, on the host.
struct ImageDataset {
  xt::xtensor<float, 4> images;    ///< (N,H,W,C) in [-1, 1]: byte / 127.5 - 1, so paper is 1
  std::vector<std::string> names;  ///< of each image: its file or font

  std::size_t size() const { return names.size(); }
};

/// The dataset of images of one size. Throws Error if an image differs in size from the first.
inline ImageDataset make_dataset(std::vector<Image> const& images, std::vector<std::string> names) {
  Image const shape = images.empty() ? Image{} : Image(images[0].height, images[0].width, images[0].channels);
  ImageDataset dataset;
  dataset.images.resize({images.size(), static_cast<std::size_t>(shape.height),
                         static_cast<std::size_t>(shape.width), static_cast<std::size_t>(shape.channels)});
  float* out = dataset.images.data();
  for (std::size_t n = 0; n < images.size(); ++n) {
    if (images[n].height != shape.height || images[n].width != shape.width ||
        images[n].channels != shape.channels)
      throw Error(names.at(n),
                  "an image of the size of the others, " + std::to_string(shape.height) + "x" +
                      std::to_string(shape.width) + "x" + std::to_string(shape.channels),
                  std::to_string(images[n].height) + "x" + std::to_string(images[n].width) + "x" +
                      std::to_string(images[n].channels));
    out = std::transform(images[n].pixels.begin(), images[n].pixels.end(), out,
                         [](std::uint8_t byte) { return static_cast<float>(byte) / 127.5f - 1.0f; });
  }
  dataset.names = std::move(names);
  return dataset;
}

}  // namespace glyphdiff
