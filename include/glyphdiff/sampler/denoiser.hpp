#pragma once

#include <glyphdiff/tensor.hpp>

#include <span>

namespace glyphdiff {

/// What samplers need of a network: model(exec, x, timesteps, output) computes the output (N,H,W,C or 2C) for
/// images x (N,H,W,C) at one network timestep per image. Class labels and the like are the model's own
/// business.
template <class Model, class Exec>
concept Denoiser = requires(Model& model, Exec const& exec, Images<Exec> const& images,
                            std::span<float const> timesteps) {
  model(exec, images, timesteps, images);
};

/// A Denoiser that also says where x should go: model.gradient(exec, x, timesteps, gradient) assigns the
/// gradient (N,H,W,C) by x of a log probability, times a guidance scale. See ClassifierGuidance.
template <class Model, class Exec>
concept GuidedDenoiser = Denoiser<Model, Exec> &&
    requires(Model& model, Exec const& exec, Images<Exec> const& images, std::span<float const> timesteps) {
  model.gradient(exec, images, timesteps, images);
};

}  // namespace glyphdiff
