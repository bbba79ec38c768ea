#pragma once

#include <glyphdiff/error.hpp>
#include <glyphdiff/sampler/walk.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

namespace glyphdiff {

struct UnipcOptions {
  int order = 3;        ///< of the predictor, 1 to 3; the corrector's is one more
  bool clip_x0 = true;  ///< estimates of x_0 to [-1, 1]
};

namespace detail {

/// The weights w_k by which a step of length h in lambda reads the differences D_k = x_0(lambda + r_k h) -
/// x_0(lambda), so that it is right for any polynomial x_0: Zhao et al. 2023, section 3, for the prediction
/// of x_0, where w_k = -B(h) a_k / r_k. B(h) = e^h - 1 only shows with a single r, for which the paper takes
/// a = 1/2.
inline std::vector<double> unipc_weights(double h, std::vector<double> const& r) {
  std::size_t const count = r.size();
  double integral = -std::expm1(-h);  // of h e^{(s - 1) h} s^i over s from 0 to 1, at i = 0
  if (count == 1) return {integral / 2 / r[0]};
  // Solves sum_k r_k^{i - 1} (r_k w_k) = the integral with s^i, for i = 1 .. count.
  std::array<std::array<double, 4>, 3> rows;  // count of them, count + 1 long
  for (std::size_t i = 0; i < count; ++i) {
    integral = 1 - double(i + 1) / h * integral;
    for (std::size_t k = 0; k < count; ++k) rows[i][k] = std::pow(r[k], double(i));
    rows[i][count] = integral;
  }
  for (std::size_t i = 0; i < count; ++i)  // r differ, so no pivot vanishes
    for (std::size_t below = i + 1; below < count; ++below) {
      double const factor = rows[below][i] / rows[i][i];
      for (std::size_t k = i; k <= count; ++k) rows[below][k] -= factor * rows[i][k];
    }
  std::vector<double> w(count);
  for (std::size_t i = count; i-- > 0;) {
    w[i] = rows[i][count];
    for (std::size_t k = i + 1; k < count; ++k) w[i] -= rows[i][k] * w[k];
    w[i] /= rows[i][i];
  }
  for (std::size_t k = 0; k < count; ++k) w[k] /= r[k];
  return w;
}

}  // namespace detail

/// UniPC with B_2 (Zhao, Bai, Rao, Zhou, Lu 2023, arXiv:2302.04867, section 3, multistep,
/// predicting x_0): each
/// step is predicted from the latest `order` estimates of x_0, and the evaluation that the next step needs
/// anyway corrects it first. Starts with lower orders; the last step, to the image, is of first order and is
/// not corrected. Fills x (N,H,W,C) with samples. The paper spaces the steps evenly in lambda (see
/// log_snr_spaced).
template <class Exec, class D, Denoiser<Exec> Model, NoiseSource<Exec> Noise = SeededNoise,
          class Progress = NoProgress>
void unipc_sample(Exec const& exec, D const& diffusion, Model&& model, Images<Exec> const& x,
                  Noise&& noise = {}, UnipcOptions options = {}, Progress&& progress = {}) {
  if (options.order < 1 || options.order > 3)
    throw Error("UniPC order", "1 to 3", std::to_string(options.order));
  detail::Walk<Exec, D, Model> walk(exec, model, x, options.clip_x0);
  detail::History<Exec> x0(walk, options.order + 1);
  std::vector<double> predicted, corrected;  // weights of the step before
  std::vector<double> r;                     // where its differences were taken
  double h = 0;
  walk.start(noise);
  walk.along(diffusion.sampling_steps(), noise, progress, [&](SamplingStep const& s, Images<Exec> const&) {
    walk.x0(s.start(), x, x0.add(s));
    if (x0.size() > 1) {
      r.push_back(1);  // the estimate here is what the step before led to
      corrected = detail::unipc_weights(h, r);
      predicted.resize(r.size() + 1);  // with zeros; no step has more than two earlier estimates
      double const to_here = s.here.alpha * corrected.back();
      double const first = r.size() > 1 ? s.here.alpha * (corrected[0] - predicted[0]) : 0;
      double const second = r.size() > 2 ? s.here.alpha * (corrected[1] - predicted[1]) : 0;
      walk.sum({{1, x},
                {to_here, x0[0]},
                {-to_here - first - second, x0[1]},
                {first, r.size() > 1 ? x0[2] : x},
                {second, r.size() > 2 ? x0[3] : x}},
               x);
    }

    double const lambda = s.here.half_log_snr();
    h = s.next.half_log_snr() - lambda;
    r.clear();
    for (int k = 1; k < (std::min)(options.order, x0.size()) && !s.last; ++k)
      r.push_back((x0.level(k).half_log_snr() - lambda) / h);
    predicted = r.empty() ? r : detail::unipc_weights(h, r);
    double const first = r.size() > 0 ? s.next.alpha * predicted[0] : 0;
    double const second = r.size() > 1 ? s.next.alpha * predicted[1] : 0;
    walk.sum({{s.next.sigma / s.here.sigma, x},
              {-s.next.alpha * std::expm1(-h) - first - second, x0[0]},
              {first, r.size() > 0 ? x0[1] : x},
              {second, r.size() > 1 ? x0[2] : x}},
             x);
  });
}

}  // namespace glyphdiff
