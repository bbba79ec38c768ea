#pragma once

#include <glyphdiff/checkpoint/infer_config.hpp>
#include <glyphdiff/checkpoint/tensor_file.hpp>
#include <glyphdiff/checkpoint/weights.hpp>
#include <glyphdiff/error.hpp>
#include <glyphdiff/presets.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

/// What a file of tensors is, in words.
namespace glyphdiff {

/// A released model: its configuration, and what its file doesn't tell.
struct ReleasedModel {
  std::string_view preset;  ///< its name in glyphdiff::presets
  std::string_view files;
  std::string_view process;  ///< noise schedule and timesteps
  UNetConfig config;
  std::vector<ParameterBlock> table;
};

namespace detail {

template <class Spec>
ReleasedModel released_model(std::string_view preset, std::string_view files, std::string_view process) {
  nn::UNetLayers<Spec> layers;
  ReleasedModel model{preset, files, process, Spec::config, {}};
  for (ParameterInfo const& info : layers.declare())
    model.table.push_back({info.name, info.shape, info.offset, info.count});
  return model;
}

}  // namespace detail

/// The released models of ADM and IDDPM.
inline std::vector<ReleasedModel> const& released_models() {
  using detail::released_model;
  std::string_view const linear = "linear schedule, 1000 steps, timesteps as they are",
                         cosine = "cosine schedule, 1000 steps, timesteps as they are",
                         long_cosine = "cosine schedule, 4000 steps, timesteps rescaled to 1000";
  static std::vector<ReleasedModel> const models{
      released_model<presets::IddpmLsun256>("IddpmLsun256", "lsun_uncond_100M_*.pt", linear),
      released_model<presets::IddpmCifar10>("IddpmCifar10", "cifar10_uncond_*.pt", long_cosine),
      released_model<presets::IddpmImageNet64>("IddpmImageNet64", "imagenet64_uncond_*.pt", long_cosine),
      released_model<presets::Adm64>("Adm64", "64x64_diffusion.pt", cosine),
      released_model<presets::Adm128>("Adm128", "128x128_diffusion.pt", linear),
      released_model<presets::Adm256>("Adm256", "256x256_diffusion_uncond.pt", linear),
      released_model<presets::AdmLsun256>("AdmLsun256", "lsun_bedroom.pt, lsun_cat.pt, lsun_horse.pt",
                                          linear),
      released_model<presets::Adm256Conditional>("Adm256Conditional", "256x256_diffusion.pt", linear),
      released_model<presets::Adm512>("Adm512", "512x512_diffusion_uncond_finetune_*.pt", linear),
      released_model<presets::Adm512Conditional>("Adm512Conditional", "512x512_diffusion.pt", linear)};
  return models;
}

/// The released model of that name; Error with a list of names if there is none.
inline ReleasedModel const& released_model(std::string_view preset) {
  std::string names;
  for (ReleasedModel const& model : released_models()) {
    if (model.preset == preset) return model;
    names += std::string(names.empty() ? "" : ", ") + std::string(model.preset);
  }
  throw Error("There is no preset " + std::string(preset) + ", only " + names + ".");
}

/// The preset that a file's network is: what a checkpoint of ours says, or the released model that has these
/// tensors (of several, the one whose files have this name). `gray`: with one image channel instead of three.
struct MatchingPreset {
  std::string name;
  bool gray = false;
};

/// What keeps a file from being loaded as a network of this table: one line for each tensor that is missing,
/// too many, or of another type or shape. `prefix` is where the network's names begin.
inline std::vector<std::string> list_faults(TensorFile const& file, std::vector<ParameterBlock> const& table,
                                            std::string const& prefix = "") {
  // Names that all begin with "module." match without it.
  std::string const parallel = detail::parallel_prefix(file);
  std::string const inner = prefix.starts_with(parallel) ? prefix.substr(parallel.size()) : prefix;
  return detail::match_tensors(file, {{inner, FloatStore(), &table}},
                               [&](std::string const& name) { return name.starts_with(parallel + inner); })
      .faults;
}

namespace detail {

inline std::string describe_totals(TensorFile const& file, std::string const& prefix) {
  std::map<std::string, std::int64_t> values;
  std::int64_t tensors = 0;
  for (TensorEntry const& entry : file.entries())
    if (entry.name.starts_with(prefix)) {
      values[entry.dtype] += entry.count();
      ++tensors;
    }
  std::string text = std::to_string(tensors) + " tensors";
  for (auto const& [dtype, count] : values) text += ", " + std::to_string(count) + " values of " + dtype;
  return text;
}

inline std::string describe_network(TensorFile const& file, std::string const& prefix) {
  auto const inferred = infer_config(file.entries(), prefix);
  if (!inferred) return "Its names begin like those of a UNet of ADM or IDDPM, but don't go on so.\n";
  UNetConfig config = *inferred;
  std::string proposals;
  for (ReleasedModel const& model : released_models())
    if (inferable(model.config) == inferable(*inferred) && list_faults(file, model.table, prefix).empty()) {
      if (proposals.empty()) config = model.config;
      proposals += "  presets::" + std::string(model.preset) + ": " + std::string(model.files) + "; " +
                   std::string(model.process) + "; dropout " + to_text(model.config.dropout) + "\n";
    }
  std::string text = "A UNet of ADM or IDDPM: " + describe_totals(file, prefix) + ".\n";
  for (auto const& [key, value] : inferable(*inferred))
    text += "  " + key + ": " + (value.empty() ? "none" : value) + "\n";
  if (!proposals.empty()) {
    text += "Its names and shapes are those of a released model:\n" + proposals;
  } else {
    text += "No released model has these names and shapes. They don't tell the size of the images (" +
            std::to_string(config.image_size) +
            " below is a guess), the number of heads, the order of qkv, dropout, "
            "norm_groups, whether outputs are learned variances or folded pixels, nor whether timesteps were "
            "rescaled.\n";
  }
  return text + "  static constexpr glyphdiff::UNetConfig config" + config_code(config) + ";\n";
}

/// The optimiser of a checkpoint and what there is of its state.
inline std::string describe_optimizer(TensorFile const& file) {
  std::string const* const name = find_value(file.metadata(), "optimizer");
  if (name == nullptr) return "";
  std::map<std::string, std::string> arrays;  // types by name
  for (TensorEntry const& entry : file.entries())
    if (entry.name.starts_with(optimizer_prefix)) {
      std::string const rest = entry.name.substr(optimizer_prefix.size());
      arrays[rest.substr(0, rest.find('.'))] = entry.dtype;
    }
  std::string text;
  for (auto const& [array, dtype] : arrays)
    text += (text.empty() ? " with " : ", ") + printable(array) + " (" + dtype + ")";
  return "  optimizer: " + printable(*name) + text + "\n";
}

/// Compares all data with its checksums: all of a file is read.
inline std::string describe_checksums(TensorFile const& file) {
  std::int64_t checksums = 0;
  std::string damaged;
  for (std::size_t k = 0; k < file.entries().size(); ++k) try {
      checksums += file.verify(k);
    } catch (Error const& error) {
      damaged += std::string("  DAMAGED: ") + error.what() + "\n";
    }
  if (!damaged.empty()) return damaged;
  if (checksums == 0) return "  no checksums: the file is older, or another program's\n";
  return "  all " + std::to_string(checksums) + " checksums hold\n";
}

}  // namespace detail

/// What a file of tensors is: a network and its configuration, a checkpoint of glyphdiff, an optimiser's
/// state, or something else. Several lines for people to read.
inline std::string describe_tensor_file(TensorFile const& file) {
  std::string text = file.path() + ": ";
  if (std::string const* const step = find_value(file.metadata(), "glyphdiff.step")) {
    detail::require_known_version(file);
    std::string const* const rates = find_value(file.metadata(), "glyphdiff.ema_rates");
    text += "a checkpoint of glyphdiff after " + detail::printable(*step) +
            " updates, with moving averages of rate " +
            (rates == nullptr || rates->empty() ? "none" : detail::printable(*rates)) + ".\n";
    KeyValues const configuration = detail::stored_pairs(file, detail::config_prefix);
    auto const list = [&](std::string const& indent, KeyValues const& pairs) {
      for (auto const& [key, value] : pairs)
        text += indent + detail::printable(key) + ": " + detail::printable(value) + "\n";
    };
    list("  ", configuration);
    text += detail::describe_optimizer(file);
    list("  ", detail::stored_pairs(file, detail::identity_prefix));
    if (KeyValues const notes = detail::stored_pairs(file, detail::note_prefix); !notes.empty()) {
      text += "  Remarks, which may differ when the run goes on:\n";
      list("    ", notes);
    }
    text += detail::describe_checksums(file);
    return text + "  static constexpr glyphdiff::UNetConfig config" +
           config_code(parse_unet_config(configuration)) + ";\n";
  }
  if (auto const prefix = network_prefix(file.entries())) {
    if (!prefix->empty()) text += "names begin with \"" + detail::printable(*prefix) + "\". ";
    return text + detail::describe_network(file, *prefix);
  }
  bool optimizer = false;
  for (TensorEntry const& entry : file.entries())
    optimizer = optimizer || (entry.name.starts_with("state.") && entry.name.ends_with(".exp_avg"));
  text += (optimizer ? "an optimiser's state: " : "no network of glyphdiff's: ") +
          detail::describe_totals(file, "") + ".\n";
  for (std::size_t i = 0; i < file.entries().size() && i < 5; ++i)
    text += "  " + detail::printable(file.entries()[i].name) + " " + file.entries()[i].dtype + " " +
            detail::shape_text(file.entries()[i].shape) + "\n";
  return text;
}

/// Throws Error if the file holds no network, or one of no preset.
inline MatchingPreset matching_preset(TensorFile const& file) {
  auto const sets = weight_sets(file);
  if (std::string const* const name = find_value(file.metadata(), "config.preset")) {
    std::string const* const channels = find_value(file.metadata(), "config.channels");
    bool gray = false;
    for (ReleasedModel const& model : released_models())
      if (model.preset == *name) gray = channels != nullptr && *channels == "1";
    return {*name, gray};
  }
  if (sets.empty()) throw Error(file.path(), "the weights of a UNet", "no time_embed.0.weight");
  std::string const file_name = file.path().substr(file.path().rfind('/') + 1);
  std::string found;
  for (ReleasedModel const& model : released_models()) {
    if (!list_faults(file, model.table, sets.front()).empty()) continue;
    if (found.empty() || model.files.find(file_name) != std::string_view::npos) found = model.preset;
  }
  if (found.empty())
    throw Error(file.path(), "the tensors of a preset (inspect says what it holds)",
                "those of another network");
  return {found, false};
}

}  // namespace glyphdiff
