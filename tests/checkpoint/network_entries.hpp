#pragma once

#include <glyphdiff/checkpoint/tensor_file.hpp>
#include <glyphdiff/unet.hpp>

#include <string>
#include <vector>

/// The tensors that a file of a network has.
template <class Spec>
std::vector<glyphdiff::TensorEntry> network_entries(std::string const& prefix) {
  glyphdiff::nn::UNetLayers<Spec> layers;
  std::vector<glyphdiff::TensorEntry> entries;
  for (glyphdiff::ParameterInfo const& info : layers.declare())
    entries.push_back({prefix + info.name, "F32", info.shape});
  return entries;
}
