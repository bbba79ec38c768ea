#include <glyphdiff/data/small_picture.hpp>

#include <doctest/doctest.h>

#include <algorithm>

namespace data_small_picture_tests {

using namespace glyphdiff;

namespace {

/// A stem with an arm to the right, `left` pixels from the edge of 64.
SmallPicture letter(int left, int arm = 20) {
  Image image(64, 64, 1, 255);
  for (int y = 10; y < 50; ++y) std::fill_n(image.at(y, left), y < 16 ? arm : 6, 0);
  return SmallPicture(std::move(image));
}

std::vector<double> sum_of(SmallPicture const& picture) {
  std::vector<double> sum(SmallPicture::pixel_count, 0.0);
  picture.add_to(sum);
  return sum;
}

}  // namespace

TEST_CASE("distances are those of 64 x 64, wherever the letter lies") {
  CHECK(letter(10).is_nearer(letter(24), 0.01));
  // Six pixels more, of which half falls on either side: sqrt(6) apart at 64 x 64.
  SmallPicture const a = letter(20), b = letter(20, 21);
  CHECK(a.is_nearer(b, 3.5));
  CHECK_FALSE(a.is_nearer(b, 1));
  CHECK(SmallPicture::least_distance(b.ink() - a.ink()) > 0);
  CHECK_FALSE(a.is_nearer(b, SmallPicture::least_distance(b.ink() - a.ink())));
}

TEST_CASE("a mirror image correlates less, and again mirrored is the picture") {
  SmallPicture const a = letter(20);
  CHECK(a.correlation(sum_of(a)) == doctest::Approx(1));
  CHECK(a.mirrored().correlation(sum_of(a)) < 0.7);
  CHECK(sum_of(a.mirrored().mirrored()) == sum_of(a));
  CHECK(SmallPicture(Image(64, 64, 1, 255)).correlation(sum_of(a)) == 0);
}

}  // namespace data_small_picture_tests
