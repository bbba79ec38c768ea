#pragma once

/// The core of glyphdiff, in pipeline order. Opt-in parts, which need other libraries, are included by name:
/// data/ and io/ (xtensor, stb), metrics/ (Eigen), checkpoint/ and train/checkpoint.hpp (nlohmann/json;
/// libzip for PyTorch's files). runtime.hpp is for programs.

#include <glyphdiff/config.hpp>  // UNetConfig
#include <glyphdiff/error.hpp>   // Error
#include <glyphdiff/random.hpp>  // counter-based random numbers
#include <glyphdiff/tensor.hpp>  // Images, HostImages, Arena
#include <glyphdiff/version.hpp>

#include <glyphdiff/schedule/continuous_cosine.hpp>
#include <glyphdiff/schedule/cosine.hpp>
#include <glyphdiff/schedule/linear.hpp>
#include <glyphdiff/schedule/respacing.hpp>

#include <glyphdiff/diffusion/continuous.hpp>  // ContinuousDiffusion
#include <glyphdiff/diffusion/discrete.hpp>    // Diffusion
#include <glyphdiff/diffusion/process.hpp>     // q_sample, predict_x0, ...

#include <glyphdiff/classifier_presets.hpp>  // ADM's classifiers
#include <glyphdiff/encoder_unet.hpp>        // EncoderUNet, the classifier for guidance
#include <glyphdiff/nn/gradient_check.hpp>   // check_gradient, for layers of your own
#include <glyphdiff/presets.hpp>             // the released ADM and IDDPM models
#include <glyphdiff/unet.hpp>                // UNet

#include <glyphdiff/loss/bits_per_dimension.hpp>
#include <glyphdiff/loss/cross_entropy.hpp>
#include <glyphdiff/loss/timestep_samplers.hpp>
#include <glyphdiff/loss/training_loss.hpp>

#include <glyphdiff/optim/adamw.hpp>
#include <glyphdiff/optim/ema.hpp>
#include <glyphdiff/optim/learning_rate.hpp>

#include <glyphdiff/train/interrupt.hpp>
#include <glyphdiff/train/progress_bar.hpp>
#include <glyphdiff/train/trainer.hpp>

#include <glyphdiff/sampler/classifier_gradient.hpp>
#include <glyphdiff/sampler/ddim.hpp>
#include <glyphdiff/sampler/ddpm.hpp>
#include <glyphdiff/sampler/dpm_solver.hpp>
#include <glyphdiff/sampler/draw.hpp>
#include <glyphdiff/sampler/edm.hpp>
#include <glyphdiff/sampler/guidance.hpp>
#include <glyphdiff/sampler/inpainting.hpp>
#include <glyphdiff/sampler/interpolation.hpp>
#include <glyphdiff/sampler/plms.hpp>
#include <glyphdiff/sampler/spacing.hpp>
#include <glyphdiff/sampler/unipc.hpp>
