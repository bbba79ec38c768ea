// What finetune does if it isn't told: by the size of the network, and by whether it begins from a
// checkpoint.
#pragma once

#include <cstdint>

/// Options of finetune.
struct FinetuneDefaults {
  std::int64_t steps, save_every, warm_up;
  int batch, microbatch;
  double learning_rate, decay_to, beta2, clip, ema;
  int sheet;
};

/// Small networks, such as Letters64 and LetterA64, are trained from nothing in some thousand updates and
/// fine-tuned in some hundred, as docs/fine-tuning.md measured it; the large ones are those of ADM and IDDPM,
/// of which a step takes seconds.
constexpr FinetuneDefaults finetune_defaults(std::int64_t parameters, bool from_checkpoint) {
  if (parameters > 20'000'000)
    return {.steps = 40'000,
            .save_every = 5'000,
            .warm_up = 0,
            .batch = 4,
            .microbatch = 1,
            .learning_rate = 2e-5,
            .decay_to = 1,
            .beta2 = 0.999,
            .clip = 0,
            .ema = 0.9999,
            .sheet = 8};
  if (from_checkpoint)
    return {.steps = 400,
            .save_every = 100,
            .warm_up = 20,
            .batch = 16,
            .microbatch = 16,
            .learning_rate = 5e-4,
            .decay_to = 1,
            .beta2 = 0.99,
            .clip = 1,
            .ema = 0.98,
            .sheet = 12};
  return {.steps = 2'500,
          .save_every = 500,
          .warm_up = 100,
          .batch = 24,
          .microbatch = 24,
          .learning_rate = 2e-3,
          .decay_to = 0.05,
          .beta2 = 0.99,
          .clip = 1,
          .ema = 0.998,
          .sheet = 16};
}
