#include <glyphdiff/metrics/image_span.hpp>

#include <doctest/doctest.h>

#include <limits>
#include <string>
#include <vector>

namespace metrics_image_span_tests {

using namespace glyphdiff;

TEST_CASE("an image span addresses whole images") {
  std::vector<float> const pixels(24);
  ImageSpan const images{pixels.data(), 4, 2, 3};
  CHECK(images.image_size() == 6);
  CHECK(images.image(3) == pixels.data() + 18);
}

TEST_CASE("ink is dark: -1 is all ink, 1 is none, and the threshold lies in the middle") {
  CHECK(ink_of(-1.0F) == 1.0);
  CHECK(ink_of(1.0F) == 0.0);
  CHECK(ink_of(0.5F) == 0.25);
  CHECK(is_ink(-0.01F));
  CHECK_FALSE(is_ink(0.0F));
}

TEST_CASE("channel_mean averages the last axis") {
  std::vector<float> const rgb{0, 1, 2, -1, -1, 1, 3, 3, 3, 0, 0, 0.75F};  // (2,1,2,3)
  std::vector<float> const gray = channel_mean(rgb.data(), 2, 1, 2, 3);
  REQUIRE(gray.size() == 4);
  CHECK(gray[0] == 1.0F);
  CHECK(gray[1] == doctest::Approx(-1.0 / 3));
  CHECK(gray[2] == 3.0F);
  CHECK(gray[3] == 0.25F);
  CHECK(channel_mean(rgb.data(), 3, 2, 2, 1) == rgb);
}

TEST_CASE("require_images and require_same_size refuse with a sentence") {
  std::vector<float> pixels(8, 0.5F);
  CHECK_NOTHROW(require_images({pixels.data(), 2, 2, 2}, "samples", 2));
  CHECK_THROWS_WITH_AS(require_images({pixels.data(), 2, 2, 2}, "samples", 3),
                       "samples: expected at least 3 images, found 2", Error);
  CHECK_THROWS_WITH_AS(require_images({nullptr, 2, 2, 2}, "samples"),
                       "samples: expected at least 1 images, found 0", Error);
  CHECK_THROWS_WITH_AS(require_images({pixels.data(), 2, 0, 2}, "samples"),
                       "samples: expected images of at least 1x1 pixels, found 0x2", Error);
  pixels[5] = std::numeric_limits<float>::quiet_NaN();
  CHECK_THROWS_WITH_AS(require_images({pixels.data(), 2, 2, 2}, "samples"),
                       "samples: expected finite pixels, found NaN or infinity in image 1", Error);
  CHECK_THROWS_WITH_AS(
      require_same_size({pixels.data(), 2, 2, 2}, "samples", {pixels.data(), 1, 2, 4}, "training letters"),
      "samples: expected images of the size of the training letters (2x4), found 2x2", Error);
}

}  // namespace metrics_image_span_tests
