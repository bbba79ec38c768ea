#pragma once

#include "built_in_letters.hpp"
#include "sections.hpp"

#include <glyphdiff/checkpoint/safetensors.hpp>
#include <glyphdiff/data/alphabet.hpp>
#include <glyphdiff/data/alphabet_batches.hpp>
#include <glyphdiff/data/letter_batches.hpp>
#include <glyphdiff/data/styled_letters.hpp>
#include <glyphdiff/presets.hpp>
#include <glyphdiff/sampler/draw.hpp>
#include <glyphdiff/train/checkpoint.hpp>
#include <glyphdiff/train/trainer.hpp>

#include <string>

/// Training on the built-in letters as letter_a does, and of an alphabet as `alphabet train` does, from the
/// network that comes along; and drawing with both.
namespace of_letters {

using namespace glyphdiff;

inline TrainOptions options(int batch) {
  TrainOptions o;
  o.seed = 1;
  o.batch = batch;
  o.learning_rate = {.peak = 1e-3, .warm_up = 2};
  o.adamw.beta2 = 0.99;
  o.clip_norm = 1;
  o.ema_rates = {0.998};
  return o;
}

inline void add(Digest& digest, StepReport const& r) {
  digest << r.loss << r.mse << r.gradient_norm << r.learning_rate << r.losses;
}

inline void letter_a() {
  using Preset = presets::LetterA32;
  using Net = UNet<Preset, Exec>;
  Exec const exec;
  Net net(exec, 1);
  Trainer trainer(exec, net, Preset::Process(25), options(8));
  LetterBatches batches(built_in_letters(64).train, 32, 8, 1, LetterAugmentation{});
  Digest digest;
  for (int step = 0; step < 3; ++step) add(digest, trainer.step(batches(step)));
  auto const& average = trainer.ema().averages()[0].values;
  print_digest("letter_a/training", digest << net.parameters() << average);
  Net::Evaluator denoise(net, average);
  print_digest("letter_a/drawing", digest_of(draw_ddim(exec, Preset::Process(5), denoise, 2, 32, 32, 1, 3)));
}

/// Built-in letters as if they were an alphabet's.
inline std::vector<StyledLetter> styled_letters() {
  std::vector<StyledLetter> result;
  for (std::size_t i = 0; i < 24; ++i)
    result.push_back({built_in_letter(i), int(i * 7 % 66), "style " + std::to_string(i / 6)});
  return result;
}

inline void alphabet_network() {
  using Preset = presets::Alphabet64;
  using Net = UNet<Preset, Exec>;
  Exec const exec;
  Net net(exec, 1);
  SafetensorsTensors const file((example_data() / "alphabet.safetensors").string());
  load_weights(file, choose_weights(file, ""), parameter_blocks(net.parameter_list()), net.parameters());

  using Letters = StyledLetters<Net>;
  Letters artist(exec, net, net.parameters(), 1.5);
  Letters::Picture const reference(64 * 64, 0.5f);
  Digest drawn;
  for (auto const& picture :
       artist.draw(Preset::Process(3), alphabet_classes("Rg"), {{&reference}, {}}, {7, 1}))
    drawn << picture;
  print_digest("alphabet/drawing", drawn);

  AlphabetBatches batches(styled_letters(),
                          {.batch = 4, .references = 3, .seed = 2, .augmentation = LetterAugmentation{}});
  Trainer trainer(exec, net, Preset::Process(25), options(4));
  Digest digest;
  for (int step = 0; step < 2; ++step) {
    auto const& batch = batches(step);
    add(digest, trainer.step(batch.images, batch.labels, batch.condition));
  }
  print_digest("alphabet/training", digest << net.parameters() << trainer.ema().averages()[0].values);
}

inline void digests() {
  letter_a();
  alphabet_network();
}

}  // namespace of_letters
