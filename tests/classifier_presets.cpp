#include <glyphdiff/classifier_presets.hpp>

#include <doctest/doctest.h>

#include <fstream>
#include <string>

using namespace glyphdiff;

namespace {

/// Names and shapes, in order, are those of the classifier in PyTorch.
template <class Spec>
void check_names(int size) {
  CAPTURE(size);
  nn::EncoderLayers<Spec> layers;  // offsets only; nothing of the network's size is allocated
  ParameterList const list = layers.declare();
  std::ifstream lines(GLYPHDIFF_TEST_DATA "/statedict/adm_classifier" + std::to_string(size) + ".tsv");
  REQUIRE(lines);
  std::size_t count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    REQUIRE(count < list.all().size());
    ParameterInfo const& info = list.all()[count];
    std::string ours = info.name + "\t[";
    for (std::size_t i = 0; i < info.shape.size(); ++i)
      ours += (i > 0 ? ", " : "") + std::to_string(info.shape[i]);
    CHECK(ours + "]" == line);
  }
  CHECK(count == list.all().size());
  CHECK(list.total() == encoder_parameter_count<Spec>);
}

}  // namespace

TEST_CASE("the released classifiers have the names and shapes of the reference's") {
  check_names<presets::AdmClassifier64>(64);
  check_names<presets::AdmClassifier128>(128);
  check_names<presets::AdmClassifier256>(256);
  check_names<presets::AdmClassifier512>(512);
}
