#include "shapes.hpp"

#include <glyphdiff/metrics/frechet.hpp>

#include <doctest/doctest.h>
#include <Eigen/Eigenvalues>

#include <cmath>

namespace metrics_frechet_tests {

using namespace glyphdiff;

TEST_CASE("principal components are those of the full decomposition") {
  RowMatrix const letters = ink_matrix(random_letters(16, 120, 1).span());
  Pca const pca = fit_pca(letters, 20);
  REQUIRE(pca.axes.rows() == 256);
  REQUIRE(pca.axes.cols() == 20);
  CHECK((pca.axes.transpose() * pca.axes - Eigen::MatrixXd::Identity(20, 20)).norm() < 1e-10);

  RowMatrix const centred = letters.rowwise() - letters.colwise().mean().eval();
  Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> const full(centred.transpose() * centred / 119.0);
  for (int i = 0; i < 20; ++i) {
    CHECK(pca.variances(i) == doctest::Approx(full.eigenvalues()(255 - i)).epsilon(1e-8));
    if (i < 8) CHECK(std::abs(pca.axes.col(i).dot(full.eigenvectors().col(255 - i))) > 0.999);
  }
  Gaussian const projected = fit_gaussian(pca.project(letters));
  CHECK(projected.mean.norm() < 1e-10);
  CHECK((projected.covariance - Eigen::MatrixXd(pca.variances.asDiagonal())).norm() < 1e-10);
}

TEST_CASE("a small set gives fewer components, a single image none") {
  CHECK(fit_pca(ink_matrix(random_letters(16, 9, 1).span())).axes.cols() == 8);
  CHECK(fit_pca(ink_matrix(random_letters(4, 40, 1).span())).axes.cols() == 16);
  CHECK_THROWS_AS(fit_pca(ink_matrix(random_letters(16, 1, 1).span())), Error);
  CHECK_THROWS_AS(fit_gaussian(RowMatrix::Zero(1, 3)), Error);
}

TEST_CASE("repeated images span few components, and the rest have no variance") {
  Drawings letters(16);
  for (int n = 0; n < 60; ++n) letters.blank().letter_a(0.25 + 0.04 * (n % 3), 0.6, 0.1);
  RowMatrix const ink = ink_matrix(letters.span());
  Pca const pca = fit_pca(ink, 10);
  REQUIRE(pca.variances.size() == 10);
  CHECK(pca.variances(1) > 0.1);
  CHECK(pca.variances.tail(8).maxCoeff() < 1e-12);
  double const total = (ink.rowwise() - pca.mean).squaredNorm() / 59;
  CHECK(pca.variances.sum() == doctest::Approx(total));
}

TEST_CASE("fit_gaussian divides by one less than the number of points") {
  RowMatrix points(3, 2);
  points << 0, 1, 2, 1, 4, 4;
  Gaussian const fitted = fit_gaussian(points);
  CHECK(fitted.mean.isApprox(Eigen::RowVector2d(2, 2)));
  CHECK(fitted.covariance.isApprox((Eigen::Matrix2d() << 4, 3, 3, 3).finished()));
}

TEST_CASE("Frechet distance of known Gaussians") {
  Gaussian const a{Eigen::RowVector2d(1, 2), (Eigen::Matrix2d() << 4, 0, 0, 9).finished()};
  Gaussian const b{Eigen::RowVector2d(4, 6), (Eigen::Matrix2d() << 1, 0, 0, 25).finished()};
  CHECK(frechet_distance(a, b) ==
        doctest::Approx(25 + 1 + 4));  // squared differences of means and of deviations
  CHECK(frechet_distance(a, a) < 1e-12);

  // Covariances that don't commute: of a 2x2 product, the trace of the root is sqrt(trace + 2
  // sqrt(determinant)).
  Gaussian const c{Eigen::RowVector2d(1, 2), (Eigen::Matrix2d() << 2, 1, 1, 3).finished()};
  double const root = std::sqrt((a.covariance * c.covariance).trace() +
                                2 * std::sqrt(a.covariance.determinant() * c.covariance.determinant()));
  CHECK(frechet_distance(a, c) == doctest::Approx(13 + 5 - 2 * root));
  CHECK(frechet_distance(c, a) == doctest::Approx(frechet_distance(a, c)));
}

TEST_CASE("Frechet distance of singular covariances stays finite") {
  Gaussian const flat{Eigen::RowVector2d(0, 0), (Eigen::Matrix2d() << 4, 0, 0, 0).finished()};
  Gaussian const point{Eigen::RowVector2d(0, 0), Eigen::Matrix2d::Zero()};
  CHECK(frechet_distance(flat, point) == doctest::Approx(4.0));
  CHECK(frechet_distance(point, flat) == doctest::Approx(4.0));
  CHECK(frechet_distance(flat, flat) == doctest::Approx(0.0));
}

TEST_CASE("Frechet distance grows with collapse and with blur") {
  Drawings const training = random_letters(16, 200, 1);
  Pca const pca = fit_pca(ink_matrix(training.span()), 16);
  Gaussian const target = fit_gaussian(pca.project(ink_matrix(training.span())));
  auto const distance = [&](Drawings const& letters) {
    return frechet_distance(fit_gaussian(pca.project(ink_matrix(letters.span()))), target);
  };
  Drawings collapsed(16);
  for (int n = 0; n < 100; ++n) collapsed.blank().letter_a(0.3, 0.6, 0.1);
  Drawings pale = random_letters(16, 100, 2);
  for (float& pixel : pale.pixels()) pixel = 0.5F + 0.5F * pixel;

  double const fresh = distance(random_letters(16, 100, 2));
  CHECK(fresh < 0.2 * distance(collapsed));
  CHECK(fresh < 0.2 * distance(pale));
}

}  // namespace metrics_frechet_tests
