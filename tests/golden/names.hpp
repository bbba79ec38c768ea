#pragma once

#include "golden.hpp"

#include <glyphdiff/nn/parameter.hpp>

#include <doctest/doctest.h>

#include <fstream>
#include <string>

/// Whether a network's parameters are those of a file, by name, shape and order.
namespace golden {

/// A list in tests/golden/statedict: a line of name, tab and "[512, 128]" for each tensor.
inline void check_names(glyphdiff::ParameterList const& list, std::string const& file) {
  CAPTURE(file);
  std::ifstream lines(GLYPHDIFF_TEST_DATA "/statedict/" + file);
  REQUIRE(lines);
  std::size_t count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    REQUIRE(count < list.all().size());
    glyphdiff::ParameterInfo const& info = list.all()[count];
    std::string ours = info.name + "\t[";
    for (std::size_t i = 0; i < info.shape.size(); ++i)
      ours += (i > 0 ? ", " : "") + std::to_string(info.shape[i]);
    CHECK(ours + "]" == line);
  }
  CHECK(count == list.all().size());
}

/// A golden model, whose offsets must agree too.
inline void check_names(glyphdiff::ParameterList const& list, Model const& model) {
  REQUIRE(list.all().size() == model.tensors().size());
  for (std::size_t i = 0; i < list.all().size(); ++i) {
    glyphdiff::ParameterInfo const& ours = list.all()[i];
    TensorInfo const& file = model.tensors()[i];
    std::string shape;
    for (std::int64_t extent : ours.shape) shape += (shape.empty() ? "" : "x") + std::to_string(extent);
    CHECK(ours.name == file.name);
    CHECK(shape == file.shape);
    CHECK(ours.offset == file.offset);
  }
}

}  // namespace golden
