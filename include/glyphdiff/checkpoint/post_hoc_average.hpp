#pragma once

#include <glyphdiff/checkpoint/safetensors.hpp>
#include <glyphdiff/checkpoint/weights.hpp>
#include <glyphdiff/error.hpp>
#include <glyphdiff/number_text.hpp>
#include <glyphdiff/optim/power_profile.hpp>

#include <Eigen/Dense>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

/// Averages of a width that is chosen after training (Karras et al. 2024, section 3.2): a sum of
/// power-function averages that a run has kept, weighted so that its profile comes closest to the wanted one.
namespace glyphdiff {

/// A power-function average as it was after `step` updates.
struct KeptAverage {
  double width;
  std::int64_t step;
};

/// The weight of each kept average in the one of this width after `step` updates, by least squares over all
/// profiles. Throws Error if there are none, or one is of step 0 or less.
inline std::vector<double> post_hoc_weights(std::vector<KeptAverage> const& kept, double width,
                                            std::int64_t step) {
  auto const count = Eigen::Index(kept.size());
  if (count == 0 || step < 1) throw Error("averages to compose another from", "at least one", "none");
  Eigen::VectorXd exponent(count), time(count), scale(count);
  for (Eigen::Index i = 0; i < count; ++i) {
    if (kept[i].step < 1) throw Error("step of a kept average", "1 or more", std::to_string(kept[i].step));
    exponent[i] = power_exponent(kept[i].width);
    time[i] = double(kept[i].step);
    scale[i] = 1 / std::sqrt(power_overlap(exponent[i], time[i], exponent[i], time[i]));
  }
  // The normal equations of the profiles, each scaled to length 1: neighbours are nearly parallel.
  Eigen::MatrixXd overlaps(count, count);
  Eigen::VectorXd target(count);
  double const wanted = power_exponent(width);
  for (Eigen::Index i = 0; i < count; ++i) {
    for (Eigen::Index j = 0; j < count; ++j)
      overlaps(i, j) = scale[i] * scale[j] * power_overlap(exponent[i], time[i], exponent[j], time[j]);
    target[i] = scale[i] * power_overlap(exponent[i], time[i], wanted, double(step));
  }
  Eigen::VectorXd solution = overlaps.completeOrthogonalDecomposition().solve(target).cwiseProduct(scale);
  solution /= solution.sum();  // what never changed must come out as it was
  return {solution.begin(), solution.end()};
}

namespace detail {

/// A power-function average in a snapshot.
struct KeptFile {
  KeptAverage average;
  std::string prefix;
  std::shared_ptr<SafetensorsTensors> file;
};

/// Those of the snapshots step_*.safetensors in a run's folder, up to a step (0: all), in the order of names.
inline std::vector<KeptFile> kept_averages(std::filesystem::path const& folder, std::int64_t last) {
  std::error_code error;
  std::vector<std::filesystem::path> paths;
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    std::string const name = entry->path().filename().string();
    if (name.starts_with("step_") && name.ends_with(".safetensors")) paths.push_back(entry->path());
  }
  std::sort(paths.begin(), paths.end());
  constexpr std::string_view power = "ema_power_";
  std::vector<KeptFile> result;
  for (auto const& path : paths) {
    auto const file = std::make_shared<SafetensorsTensors>(path.string());
    auto const step = metadata_integer<std::int64_t>(*file, "glyphdiff.step");
    if (last > 0 && step > last) continue;
    for (std::string const& prefix : weight_sets(*file)) {
      if (!prefix.starts_with(power)) continue;
      auto const width = parse_number(prefix.substr(power.size(), prefix.size() - power.size() - 1));
      if (width) result.push_back({{*width, step}, prefix, file});
    }
  }
  return result;
}

}  // namespace detail

/// Fills `to` with the average of this width after `step` updates (0: the last that was kept), composed from
/// the snapshots in a run's folder. Throws Error if there are none with power-function averages, or they
/// are of another network.
inline void load_post_hoc_average(std::filesystem::path const& folder, double width, std::int64_t step,
                                  std::vector<ParameterBlock> const& table, FloatStore const& to) {
  auto const kept = detail::kept_averages(folder, step);
  if (kept.empty())
    throw Error(folder.string(), "snapshots (step_*.safetensors) with power-function averages", "none");
  std::vector<KeptAverage> averages;
  std::int64_t latest = 0;
  for (auto const& k : kept) {
    averages.push_back(k.average);
    latest = (std::max)(latest, k.average.step);
  }
  auto const weights = post_hoc_weights(averages, width, step > 0 ? step : latest);

  std::vector<std::vector<detail::TensorPlacement>> places;
  for (auto const& k : kept) {
    std::vector<TensorSet> const sets{{k.prefix, to, &table}};
    places.push_back(detail::place(*k.file, sets, [](std::string const&) { return false; }));
    detail::check_placed(places.back());
  }
  std::vector<float> piece;
  std::vector<double> sum;
  for (std::size_t tensor = 0; tensor < table.size(); ++tensor)
    for (std::int64_t first = 0; first < table[tensor].count; first += std::int64_t(piece.size())) {
      piece.resize(std::size_t(std::min<std::int64_t>(1 << 18, table[tensor].count - first)));
      sum.assign(piece.size(), 0.0);
      for (std::size_t k = 0; k < kept.size(); ++k) {
        kept[k].file->read(places[k][tensor].tensor, first, std::int64_t(piece.size()), piece.data());
        for (std::size_t i = 0; i < piece.size(); ++i) sum[i] += weights[k] * piece[i];
      }
      std::copy(sum.begin(), sum.end(), piece.begin());
      to.write(table[tensor].offset + first, std::int64_t(piece.size()), piece.data());
    }
}

}  // namespace glyphdiff
