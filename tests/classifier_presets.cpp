#include "golden/names.hpp"

#include <glyphdiff/classifier_presets.hpp>

#include <doctest/doctest.h>

#include <string>

namespace classifier_presets_tests {

using namespace glyphdiff;

namespace {

/// Names and shapes, in order, are those of the classifier in PyTorch.
template <class Spec>
void check_names(int size) {
  nn::EncoderLayers<Spec> layers;  // offsets only; nothing of the network's size is allocated
  ParameterList const list = layers.declare();
  golden::check_names(list, "adm_classifier" + std::to_string(size) + ".tsv");
  CHECK(list.total() == encoder_parameter_count<Spec>);
}

}  // namespace

TEST_CASE("the released classifiers have the names and shapes of the reference's") {
  check_names<presets::AdmClassifier64>(64);
  check_names<presets::AdmClassifier128>(128);
  check_names<presets::AdmClassifier256>(256);
  check_names<presets::AdmClassifier512>(512);
}

}  // namespace classifier_presets_tests
