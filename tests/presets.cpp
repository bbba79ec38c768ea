#include "golden/names.hpp"

#include <glyphdiff/presets.hpp>

#include <doctest/doctest.h>

#include <string>

namespace presets_tests {

using namespace glyphdiff;

namespace {

/// The names and shapes of a released checkpoint, in file order, are those of the preset.
template <class Spec>
void check_names(std::string const& file) {
  nn::UNetLayers<Spec> layers;  // offsets only; nothing of the network's size is allocated
  ParameterList const list = layers.declare();
  golden::check_names(list, file);
  CHECK(list.total() == parameter_count<Spec>);
}

}  // namespace

TEST_CASE("IDDPM's bedrooms have the names and shapes on file") {
  check_names<presets::IddpmLsun256>("iddpm_lsun_bedroom256_100M.tsv");
}

TEST_CASE("ADM at 256 x 256 has the names and shapes on file") {
  check_names<presets::AdmLsun256>("adm_lsun_bedroom256.tsv");
  check_names<presets::Adm256>("adm_lsun_bedroom256.tsv");
}

TEST_CASE("ADM at 64 x 64, with classes, has the names and shapes on file") {
  check_names<presets::Adm64>("adm_imagenet64_cond.tsv");
}

TEST_CASE("the number of tensors of the other released models") {
  auto const tensors = [](auto layers) { return layers.declare().all().size(); };
  CHECK(tensors(nn::UNetLayers<presets::IddpmCifar10>()) == 446);
  CHECK(tensors(nn::UNetLayers<presets::IddpmImageNet64>()) == 450);
  CHECK(tensors(nn::UNetLayers<presets::Adm128>()) == 493);
  CHECK(tensors(nn::UNetLayers<presets::Adm256Conditional>()) == 567);
  CHECK(tensors(nn::UNetLayers<presets::Adm512>()) == 644);
  CHECK(tensors(nn::UNetLayers<presets::Adm512Conditional>()) == 645);
}

}  // namespace presets_tests
