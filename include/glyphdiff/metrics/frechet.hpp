#pragma once

#include <glyphdiff/error.hpp>
#include <glyphdiff/metrics/neighbours.hpp>

#include <Eigen/Core>
#include <Eigen/SVD>

#include <algorithm>
#include <random>
#include <string>

namespace glyphdiff {

/// Eigenvalues, descending, and eigenvectors, as columns, of a symmetric matrix without negative eigenvalues:
/// of such a matrix they are its singular values and vectors. Eigen's solver for symmetric matrices takes 8 s
/// longer to compile, and the matrices here have at most a hundred rows.
struct SymmetricEigen {
  explicit SymmetricEigen(RowMatrix const& matrix) : svd(matrix, Eigen::ComputeFullU) {}

  Eigen::VectorXd const& values() const { return svd.singularValues(); }
  RowMatrix const& vectors() const { return svd.matrixU(); }

  Eigen::JacobiSVD<RowMatrix, Eigen::NoQRPreconditioner> svd;
};

/// Principal components of a set of images.
struct Pca {
  Eigen::RowVectorXd mean;    // (D)
  RowMatrix axes;             // (D, K), orthonormal columns, largest variance first
  Eigen::VectorXd variances;  // (K), of the set the components were fitted on

  /// Coordinates of images, (N, K).
  RowMatrix project(RowMatrix const& images) const { return matrix_product(images.rowwise() - mean, axes); }
};

/// Fits the `components` leading principal components (fewer when the set has fewer images or pixels) by
/// subspace iteration (Halko, Martinsson and Tropp 2011, arXiv:0909.4061, algorithm 4.4): a full
/// decomposition of the covariance would take longer than everything else in this folder.
inline Pca fit_pca(RowMatrix const& images, int components = 64) {
  if (images.rows() < 2)
    throw Error("expected at least 2 images to fit principal components, found " +
                std::to_string(images.rows()));
  Pca pca;
  pca.mean = images.colwise().mean();
  RowMatrix const centred = images.rowwise() - pca.mean, transposed = centred.transpose();
  Eigen::Index const rank = (std::min)(centred.rows() - 1, centred.cols());
  Eigen::Index const kept = std::min<Eigen::Index>(components, rank);
  Eigen::Index const width =
      std::min<Eigen::Index>(kept + 32, rank);  // spare directions speed up convergence

  std::mt19937_64 bits(0);
  RowMatrix basis(width, centred.cols());  // one direction a row
  for (double& value : basis.reshaped()) value = static_cast<double>(bits() >> 11) * 0x1p-52 - 1.0;
  for (int iteration = 0; iteration < 8; ++iteration) {
    basis = matrix_product(matrix_product(basis, transposed), centred);
    for (Eigen::Index i = 0; i < width; ++i) {  // Gram-Schmidt
      double const length = basis.row(i).norm();
      for (Eigen::Index j = 0; j < i; ++j) basis.row(i) -= basis.row(i).dot(basis.row(j)) * basis.row(j);
      double const rest = basis.row(i).norm();
      basis.row(i) *=
          rest > 1e-8 * length ? 1 / rest : 0;  // what is left of a dependent direction is rounding
    }
  }

  RowMatrix const coordinates = matrix_product(basis, transposed);  // (width, N)
  SymmetricEigen const eigen(matrix_product(coordinates, coordinates.transpose()) /
                             static_cast<double>(images.rows() - 1));
  pca.axes = matrix_product(basis.transpose(), eigen.vectors().leftCols(kept));
  pca.variances = eigen.values().head(kept);
  return pca;
}

/// Mean and covariance of a set of points.
struct Gaussian {
  Eigen::RowVectorXd mean;  // (K)
  RowMatrix covariance;     // (K, K)
};

/// Fits a Gaussian to points, one a row.
inline Gaussian fit_gaussian(RowMatrix const& points) {
  if (points.rows() < 2)
    throw Error("expected at least 2 images to fit a covariance, found " + std::to_string(points.rows()));
  Eigen::RowVectorXd const mean = points.colwise().mean();
  RowMatrix const centred = points.rowwise() - mean;
  return {mean, matrix_product(centred.transpose(), centred) / static_cast<double>(points.rows() - 1)};
}

/// Squared Frechet distance of two Gaussians, |m1 - m2|^2 + tr(C1 + C2 - 2 (C1^1/2 C2 C1^1/2)^1/2) (Dowson
/// and Landau 1982; Heusel et al. 2017, arXiv:1706.08500, who name it FID). Both square roots are of
/// symmetric matrices that can't have negative eigenvalues. Nothing is added to the diagonal, so covariances
/// of fewer points than dimensions are taken as they are, and equal ones give 0. The estimate is biased
/// upwards for few points: compare only figures of equally many.
inline double frechet_distance(Gaussian const& a, Gaussian const& b) {
  SymmetricEigen const of_a(a.covariance);
  RowMatrix const& axes = of_a.vectors();
  RowMatrix const root_a = matrix_product(axes * of_a.values().cwiseSqrt().asDiagonal(), axes.transpose());
  SymmetricEigen const of_product(matrix_product(matrix_product(root_a, b.covariance), root_a));
  double const distance = (a.mean - b.mean).squaredNorm() + a.covariance.trace() + b.covariance.trace() -
                          2.0 * of_product.values().cwiseSqrt().sum();
  return (std::max)(0.0, distance);
}

}  // namespace glyphdiff
