#pragma once

#include <glyphdiff/kernels/launch.hpp>
#include <glyphdiff/kernels/prebuilt.hpp>

#include <cmath>

namespace glyphdiff::kernels {

/// Of each row of logits (N,K): loss[n] = -log softmax(logits)[label] in nats, predicted[n] the likeliest
/// class (the first of equals), and, unless it is null, gradient (N,K) = weights[n] (softmax(logits) -
/// onehot(label)). In double, class by class.
template <class Exec>
void cross_entropy(Exec const& exec, int n, int classes, float const* logits, int const* labels,
                   double const* weights, double* loss, int* predicted, float* gradient) {
  for_each(
      "glyphdiff::cross_entropy", exec, n, KOKKOS_LAMBDA(std::int64_t image) {
        float const* const row = logits + image * classes;
        int largest = 0;
        for (int k = 1; k < classes; ++k)
          if (row[k] > row[largest]) largest = k;
        double sum = 0;
        for (int k = 0; k < classes; ++k) sum += ::exp(double(row[k]) - row[largest]);
        int const label = labels[image];
        loss[image] = ::log(sum) - (double(row[label]) - row[largest]);
        predicted[image] = largest;
        if (gradient == nullptr) return;
        double const weight = weights[image];
        for (int k = 0; k < classes; ++k)
          gradient[image * classes + k] =
              float(weight * (::exp(double(row[k]) - row[largest]) / sum - (k == label ? 1 : 0)));
      });
}

struct CrossEntropy {
  static constexpr char const* name = "cross_entropy";
  int n, classes;

  Work work(int) const { return {8.0 * n * classes, 4.0 * n * classes}; }
  template <class Backend, class Exec>
  void run(Backend, Exec const& exec, float const* logits, int const* labels, double const* weights,
           double* loss, int* predicted, float* gradient) const {
    cross_entropy(exec, n, classes, logits, labels, weights, loss, predicted, gradient);
  }
};

#define GLYPHDIFF_CROSS_ENTROPY_KERNELS(MAKE, Exec) MAKE(cross_entropy<Exec>)
GLYPHDIFF_DECLARE_KERNELS(GLYPHDIFF_CROSS_ENTROPY_KERNELS)

}  // namespace glyphdiff::kernels
