// How finetune and sample fill a network from a checkpoint.
#pragma once

#include <glyphdiff/checkpoint/gray_tensors.hpp>
#include <glyphdiff/checkpoint/open_tensor_file.hpp>
#include <glyphdiff/io/network_file.hpp>
#include <glyphdiff/train/checkpoint.hpp>

#include <cstdio>
#include <string>

/// What the classes of a classifier that train_classifier wrote are called, separated by commas; empty if the
/// file doesn't say.
inline std::string class_names(glyphdiff::TensorFile const& file) {
  std::string const* const names = glyphdiff::find_value(file.metadata(), "config.class_names");
  return names == nullptr ? "" : *names;
}

/// Loads the weights of this name (empty: the first average) of a file, or of the folder of a run
/// (network_file), and says so on `text`. A colour network's are made gray for a gray one.
template <class Net>
void load_network(std::string const& file_or_run, std::string const& name, Net& net,
                  std::FILE* text = stdout) {
  namespace gd = glyphdiff;
  std::string const path = gd::network_file(file_or_run).string();
  auto const file = gd::open_tensor_file(path);
  auto const table = gd::parameter_blocks(net.parameter_list());
  std::string const prefix = gd::choose_weights(*file, name);
  bool const made_gray = Net::config.channels == 1 && gd::image_channels(*file, prefix) == 3;
  if (made_gray)
    gd::load_weights(gd::GrayTensors(*file), prefix, table, net.parameters());
  else
    gd::load_weights(*file, prefix, table, net.parameters());
  std::fprintf(text, "weights: %s%s%s%s\n", path.c_str(), prefix.empty() ? "" : ", ",
               prefix.substr(0, prefix.find_last_not_of('.') + 1).c_str(), made_gray ? ", made gray" : "");
}
