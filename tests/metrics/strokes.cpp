#include "shapes.hpp"

#include <glyphdiff/metrics/strokes.hpp>

#include <doctest/doctest.h>

#include <cmath>

namespace metrics_strokes_tests {

using namespace glyphdiff;

namespace {

/// Fills a box of ink whose edges, in pixels, may lie within pixels.
void box(Drawings& drawing, double left, double top, double right, double bottom) {
  int const n = drawing.count() - 1, size = drawing.span().width;
  auto const overlap = [](int pixel, double from, double to) {
    return std::fmax(0.0, std::fmin(pixel + 1.0, to) - std::fmax(pixel, from));
  };
  for (int y = 0; y < size; ++y)
    for (int x = 0; x < size; ++x) {
      double const ink = overlap(x, left, right) * overlap(y, top, bottom);
      drawing.at(n, y, x) = std::fmin(drawing.at(n, y, x), static_cast<float>(1 - 2 * ink));
    }
}

}  // namespace

TEST_CASE("stems and bars are measured to a fraction of a pixel") {
  Drawings letter(32);
  letter.blank();  // an H: stems of 4.6, a bar of 2.3 pixels
  box(letter, 5.2, 4, 9.8, 28);
  box(letter, 20.3, 4, 24.9, 28);
  box(letter, 9.8, 14.5, 20.3, 16.8);
  StrokeWidths const widths = stroke_widths(letter.span()).at(0);
  CHECK(widths.stem == doctest::Approx(4.6).epsilon(1e-5));
  CHECK(widths.bar == doctest::Approx(2.3).epsilon(1e-5));
  CHECK(widths.contrast() == doctest::Approx(2.0).epsilon(1e-5));
}

TEST_CASE("a turned letter has its stems and bars exchanged") {
  Drawings letter = random_letters(32, 1, 3), turned(32);
  turned.blank();
  for (int y = 0; y < 32; ++y)
    for (int x = 0; x < 32; ++x) turned.at(0, x, y) = letter.at(0, y, x);
  StrokeWidths const widths = stroke_widths(letter.span()).at(0), other = stroke_widths(turned.span()).at(0);
  CHECK(widths.stem == other.bar);
  CHECK(widths.bar == other.stem);
  CHECK(widths.stem > widths.bar);  // a leg is slanted, so it is wider along a row than it is thick
}

TEST_CASE("the legs and the bar of an A") {
  Drawings letter(64);
  letter.blank().letter_a(0.3, 0.62, 0.1);
  StrokeWidths const widths = stroke_widths(letter.span()).at(0);
  CHECK(widths.bar == doctest::Approx(6.4).epsilon(0.02));
  CHECK(widths.stem == doctest::Approx(6.4 * std::hypot(0.3, 0.7) / 0.7).epsilon(0.05));
}

TEST_CASE("a letter without bars has no contrast, a blank one no stems") {
  Drawings letters(16);
  letters.blank();
  box(letters, 6, 2, 9, 14);
  letters.blank();
  auto const widths = stroke_widths(letters.span());
  CHECK(widths.at(0).stem == 3.0);
  CHECK(std::isnan(widths.at(0).contrast()));
  CHECK(std::isnan(widths.at(1).stem));
}

}  // namespace metrics_strokes_tests
