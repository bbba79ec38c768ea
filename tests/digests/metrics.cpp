// What judges letters: the figures of single letters, of sets, and of sets beside each other.
#include "built_in_letters.hpp"
#include "sections.hpp"

#include <glyphdiff/data/augment.hpp>
#include <glyphdiff/data/dataset.hpp>
#include <glyphdiff/metrics/most_typical.hpp>
#include <glyphdiff/metrics/sample_report.hpp>
#include <glyphdiff/metrics/sample_table.hpp>

#include <numeric>
#include <string>

using namespace glyphdiff;

static Digest& operator<<(Digest& digest, RowMatrix const& matrix) {
  return digest.bytes(matrix.data(), std::size_t(matrix.size()) * sizeof(double));
}

static Digest& operator<<(Digest& digest, Estimate const& e) { return digest << e.value << e.low << e.high; }

namespace {

/// `count` letters from number `first` on, varied or as they are, (count,32,32).
std::vector<float> letters(ImageDataset const& from, std::size_t first, std::size_t count, bool varied) {
  std::vector<float> result(count * 32 * 32);
  for (std::size_t i = 0; i < count; ++i) {
    float const u = varied ? float(i) / float(count) : 0.5f;
    augment_letter(from.images.data() + (first + i) * 32 * 32, 32, result.data() + i * 32 * 32, 32, 1,
                   {u, 1 - u, u, 0.5f}, {.weight = 0.01f});
  }
  return result;
}

}  // namespace

void metric_digests() {
  // Eigen cuts its products by the sizes of caches and the number of threads, and with them its sums.
  Eigen::setCpuCacheSizes(32 * 1024, 512 * 1024, 4096 * 1024);
  Eigen::setNbThreads(1);
  ImageDataset const& train = built_in_letters(32).train;
  auto const drawn = letters(train, 300, 131, true), training = letters(train, 0, 150, false),
             others = letters(train, 500, 131, false);
  ImageSpan const samples{drawn.data(), 131, 32, 32}, real{training.data(), 150, 32, 32},
      held_out{others.data(), 131, 32, 32};

  Digest single;
  for (Topology const t : letter_topology(samples)) single << t.components << t.holes;
  single << letter_fragments(samples);
  for (StrokeWidths const& w : stroke_widths(samples)) single << w.stem << w.bar;
  print_digest("metrics/topology-and-strokes", single);

  RowMatrix const distances = pairwise_distances(samples, real),
                  among = pairwise_distances(held_out, held_out);
  print_digest("metrics/distances", digest_of(distances));
  Digest neighbours;
  neighbours << nearest_distances(distances) << nearest_indices(distances) << diversity(among)
             << coverage(among, pairwise_distances(held_out, samples))
             << one_nn_accuracy(samples, held_out, 3);
  print_digest("metrics/neighbours", neighbours);
  Pca const pca = fit_pca(ink_matrix(real), 24);
  RowMatrix const points = pca.project(ink_matrix(samples)), target = pca.project(ink_matrix(real));
  print_digest("metrics/principal-components", digest_of(RowMatrix(pca.axes), points));
  print_digest("metrics/frechet", digest_of(frechet_distance(fit_gaussian(points), fit_gaussian(target))));
  print_digest("metrics/kernel-distance", digest_of(kernel_distance(points, target)));
  std::vector<std::vector<float>> pictures;
  for (int n = 0; n < 9; ++n) pictures.emplace_back(samples.image(n), samples.image(n) + 32 * 32);
  print_digest("metrics/most-typical", digest_of(most_typical(pictures)));

  SampleReport const report = judge_samples(samples, real, held_out, 4);
  Digest figures_of_both;
  for (NamedFigure const& figure : figures(report))
    figures_of_both << figure.key << figure.samples << figure.real << figure.interval;
  print_digest("metrics/report", figures_of_both);
}
