#pragma once

#include <glyphdiff/error.hpp>
#include <glyphdiff/io/image.hpp>

#include <xtensor/xtensor.hpp>

#include <algorithm>
#include <cstddef>
#include <map>
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

/// Images of these numbers, in the order given.
inline ImageDataset select_images(ImageDataset const& from, std::vector<std::size_t> const& chosen) {
  ImageDataset result;
  auto shape = from.images.shape();
  shape[0] = chosen.size();
  result.images.resize(shape);
  std::size_t const each = from.size() > 0 ? from.images.size() / from.size() : 0;
  float* out = result.images.data();
  for (std::size_t n : chosen) {
    out = std::copy_n(from.images.data() + n * each, each, out);
    result.names.push_back(from.names[n]);
  }
  return result;
}

/// Takes every tenth image out and returns these, to measure by what is not trained on. `groups`, a name for
/// each image, keeps images of one name together: every tenth name is taken then. Throws Error if there are
/// fewer than 30 images.
inline ImageDataset hold_out_tenth(ImageDataset& from, std::vector<std::string> const& groups = {}) {
  static constexpr std::size_t tenth = 10, fewest = 30;
  if (from.size() < fewest)
    throw Error("images to hold every tenth of out", "at least " + std::to_string(fewest),
                std::to_string(from.size()));
  std::map<std::string, std::size_t> number;  // of each group, in the order of their first images
  for (std::string const& group : groups) number.emplace(group, number.size());
  std::vector<std::size_t> kept, held_out;
  for (std::size_t n = 0; n < from.size(); ++n)
    ((groups.empty() ? n : number.at(groups[n])) % tenth == tenth - 1 ? held_out : kept).push_back(n);
  ImageDataset result = select_images(from, held_out);
  from = select_images(from, kept);
  return result;
}

}  // namespace glyphdiff
