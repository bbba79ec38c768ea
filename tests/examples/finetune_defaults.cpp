#include "../../examples/finetune_defaults.hpp"

#include <glyphdiff/presets.hpp>

#include <doctest/doctest.h>

namespace examples_finetune_defaults_tests {

using namespace glyphdiff;

TEST_CASE("small networks are trained as the pages measured it, those of ADM and IDDPM as before") {
  for (std::int64_t const small : {parameter_count<presets::LetterA32>, parameter_count<presets::LetterA64>,
                                   parameter_count<presets::Letters64>}) {
    CAPTURE(small);
    FinetuneDefaults const from_nothing = finetune_defaults(small, false),
                           from_checkpoint = finetune_defaults(small, true);
    CHECK(from_nothing.steps == 2500);
    CHECK(from_nothing.learning_rate == 2e-3);
    CHECK(from_checkpoint.steps == 400);
    CHECK(from_checkpoint.learning_rate == 5e-4);
    CHECK(from_checkpoint.microbatch == from_checkpoint.batch);
  }
  for (std::int64_t const large :
       {parameter_count<presets::IddpmCifar10>, parameter_count<presets::IddpmLsun256>,
        parameter_count<presets::Adm64>, parameter_count<presets::Adm256>})
    for (bool const from_checkpoint : {false, true}) {
      FinetuneDefaults const defaults = finetune_defaults(large, from_checkpoint);
      CHECK(defaults.steps == 40'000);
      CHECK(defaults.batch == 4);
      CHECK(defaults.microbatch == 1);
      CHECK(defaults.learning_rate == 2e-5);
      CHECK(defaults.ema == 0.9999);
    }
}

}  // namespace examples_finetune_defaults_tests
