#include "shapes.hpp"

#include <glyphdiff/metrics/neighbours.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

namespace metrics_neighbours_tests {

using namespace glyphdiff;

namespace {

/// Points on a line as one-pixel images.
RowMatrix line(std::vector<double> const& places) {
  return Eigen::Map<RowMatrix const>(places.data(), static_cast<Eigen::Index>(places.size()), 1);
}

}  // namespace

TEST_CASE("distances are those of a plain loop, on the 0..1 scale") {
  Drawings const a = random_letters(16, 5, 1), b = random_letters(16, 7, 2);
  RowMatrix const distances = pairwise_distances(a.span(), b.span());
  REQUIRE(distances.rows() == 5);
  REQUIRE(distances.cols() == 7);
  for (int i = 0; i < 5; ++i)
    for (int j = 0; j < 7; ++j) {
      double sum = 0;
      for (std::size_t p = 0; p < 256; ++p) {
        double const difference =
            (static_cast<double>(a.span().image(i)[p]) - static_cast<double>(b.span().image(j)[p])) / 2;
        sum += difference * difference;
      }
      CHECK(distances(i, j) == doctest::Approx(std::sqrt(sum)).epsilon(1e-9));
    }
  CHECK(pairwise_distances(a.span(), a.span()).diagonal().maxCoeff() < 1e-5);
  CHECK_THROWS_AS(pairwise_distances(a.span(), random_letters(8, 3, 1).span()), Error);
}

TEST_CASE("black against white is one unit a pixel") {
  std::vector<float> const black(16, -1.0F), white(16, 1.0F);
  CHECK(pairwise_distances(ImageSpan{black.data(), 1, 4, 4}, ImageSpan{white.data(), 1, 4, 4})(0, 0) == 4.0);
}

TEST_CASE("nearest_distances takes the smallest of each row") {
  CHECK(nearest_distances(pairwise_distances(line({0, 10}), line({3, 8, 4}))) == std::vector<double>{3, 2});
  CHECK(nearest_indices(pairwise_distances(line({0, 10}), line({3, 8, 4}))) == std::vector<int>{0, 1});
}

TEST_CASE("quantile has at most the share below it") {
  CHECK(quantile({5, 1, 4, 2, 3}, 0.5) == 3);
  CHECK(quantile({5, 1, 4, 2, 3}, 0.0) == 1);
  CHECK(quantile({5, 1, 4, 2, 3}, 0.99) == 5);
  CHECK(quantile({4, 1, 3, 2}, 0.25) == 2);
  CHECK(std::isnan(quantile({}, 0.5)));
}

TEST_CASE("copies are samples nearer than the held-out 5th percentile") {
  std::vector<double> held_out;
  for (int i = 1; i <= 100; ++i) held_out.push_back(i);  // the 5th percentile is 6
  CHECK(copies_rate({0, 0, 0}, held_out) == 1.0);
  CHECK(copies_rate({5.9, 6.0, 7.0, 100.0}, held_out) == 0.25);
  CHECK(copies_rate(held_out, held_out) == 0.05);
}

TEST_CASE("a sample set equal to the training set is all copies") {
  Drawings const training = random_letters(16, 40, 1), held_out = random_letters(16, 40, 2);
  auto const nearest = [&](Drawings const& letters) {
    return nearest_distances(pairwise_distances(letters.span(), training.span()));
  };
  CHECK(copies_rate(nearest(training), nearest(held_out)) == 1.0);
  CHECK(copies_rate(nearest(random_letters(16, 40, 3)), nearest(held_out)) < 0.3);
}

TEST_CASE("coverage counts the real letters whose ball of the k-th neighbour holds a sample") {
  RowMatrix const real = line({0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
  auto const covered_by = [&](RowMatrix const& samples, int k) {
    return coverage(pairwise_distances(real, real), pairwise_distances(real, samples), k);
  };
  // With k = 2 the two ends have balls of radius 2 and the rest of radius 1.
  CHECK(covered_by(line({0.5}), 2) == doctest::Approx(0.2));
  CHECK(covered_by(line({4.5, 4.6}), 2) == doctest::Approx(0.2));
  CHECK(covered_by(line({-1.5, 4.5, 10.5}), 2) == doctest::Approx(0.4));
  CHECK(covered_by(line({4.5}), 3) == doctest::Approx(0.4));  // radius 2 within, 3 at the ends
  CHECK(covered_by(line({100}), 2) == 0.0);
  CHECK(covered_by(real, 1) == 1.0);
  CHECK_THROWS_AS(covered_by(line({0}), 10), Error);
}

TEST_CASE("the nearest-neighbour test tells sets apart") {
  CHECK(one_nn_accuracy(line({0, 1, 2}), line({100, 101, 102})) == 1.0);
  CHECK(one_nn_accuracy(line({0, 10, 20}), line({1, 11, 21})) == 0.0);
  CHECK(one_nn_accuracy(line({0, 1, 10}), line({11, 30, 31})) ==
        doctest::Approx(4.0 / 6));                                              // 10 and 11 mistake
  CHECK(one_nn_accuracy(line({0, 1}), line({2, 3})) == doctest::Approx(0.75));  // 1 and 2 are ties
  CHECK_THROWS_AS(one_nn_accuracy(line({0}), line({2, 3})), Error);
}

TEST_CASE("the nearest-neighbour test of drawings") {
  Drawings const letters = random_letters(16, 150, 1), others = random_letters(16, 60, 2);
  CHECK(one_nn_accuracy(letters.span(), others.span(), 0) == doctest::Approx(0.5).epsilon(0.15));
  CHECK(one_nn_accuracy(letters.span(), letters.span(), 0) < 0.7);

  SUBCASE("identical sets are taken for each other") {
    CHECK(one_nn_accuracy(others.span(), others.span(), 0) == 0.0);
  }
  SUBCASE("one letter repeated is found out") {
    Drawings collapsed(16);
    for (int n = 0; n < 60; ++n) collapsed.blank().letter_a(0.3, 0.6, 0.1);
    CHECK(one_nn_accuracy(collapsed.span(), others.span(), 0) > 0.95);
  }
  SUBCASE("blends are found out") {
    Drawings blends = random_letters(16, 60, 3);
    Drawings const partners = random_letters(16, 60, 4);
    for (std::size_t i = 0; i < blends.pixels().size(); ++i)
      blends.pixels()[i] = (blends.pixels()[i] + partners.span().pixels[i]) / 2;
    CHECK(one_nn_accuracy(blends.span(), others.span(), 0) > 0.7);
  }
  SUBCASE("a seed fixes the draws") {
    CHECK(one_nn_accuracy(letters.span(), others.span(), 5) ==
          one_nn_accuracy(letters.span(), others.span(), 5));
    CHECK(one_nn_accuracy(letters.span(), others.span(), 5, 1) !=
          one_nn_accuracy(letters.span(), others.span(), 6, 1));
  }
}

TEST_CASE("draws are without replacement and the same everywhere") {
  std::vector<int> const draw = draw_without_replacement(100, 30, 7);
  CHECK(std::set<int>(draw.begin(), draw.end()).size() == 30);
  CHECK(*std::min_element(draw.begin(), draw.end()) >= 0);
  CHECK(*std::max_element(draw.begin(), draw.end()) < 100);
  CHECK(draw != draw_without_replacement(100, 30, 8));
  CHECK(draw_without_replacement(1000, 4, 0) == std::vector<int>{694, 366, 993, 718});
  std::vector<int> all = draw_without_replacement(10, 10, 1);
  std::sort(all.begin(), all.end());
  CHECK(all == std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
  CHECK_THROWS_AS(draw_without_replacement(3, 4, 0), Error);
}

TEST_CASE("pairs of samples and their nearest letters come in the order of their distances") {
  RowMatrix distances(3, 2);
  distances << 5, 4, 1, 2, 9, 4;
  auto const pairs = nearest_pairs(distances);
  REQUIRE(pairs.size() == 3);
  CHECK(pairs[0].sample == 1);
  CHECK(pairs[0].training == 0);
  CHECK(pairs[0].distance == 1);
  CHECK(pairs[1].sample == 0);  // as far as the next, and before it
  CHECK(pairs[1].training == 1);
  CHECK(pairs[2].sample == 2);
  CHECK(pairs[2].distance == 4);
}

}  // namespace metrics_neighbours_tests
