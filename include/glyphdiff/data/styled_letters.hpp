#pragma once

#include <glyphdiff/bits.hpp>
#include <glyphdiff/config.hpp>
#include <glyphdiff/data/alphabet_batches.hpp>
#include <glyphdiff/error.hpp>
#include <glyphdiff/number_text.hpp>
#include <glyphdiff/sampler/ddim.hpp>
#include <glyphdiff/sampler/guidance.hpp>
#include <glyphdiff/sampler/noise.hpp>

#include <algorithm>
#include <cmath>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace glyphdiff {

/// The same noise for every picture of a batch, that of one picture's number: letters drawn from it share
/// what the network makes of noise, such as the weight of their strokes.
struct SharedNoise {
  SeededNoise one{};

  template <class Exec>
  void start(Exec const& exec, Images<Exec> const& images) const {
    each(images, [&](Images<Exec> const& image) { one.start(exec, image); });
  }
  template <class Exec>
  void step(Exec const& exec, int number, Images<Exec> const& images) const {
    each(images, [&](Images<Exec> const& image) { one.step(exec, number, image); });
  }

 private:
  template <class View, class Do>
  static void each(View const& images, Do const& fill) {
    std::size_t const size = images.extent(1) * images.extent(2) * images.extent(3);
    for (std::size_t n = 0; n < images.extent(0); ++n)
      fill(View(images.data() + n * size, 1, images.extent(1), images.extent(2), images.extent(3)));
  }
};

/// Draws letters of given classes in the style of given letters, by a network that is told classes and reads
/// references (trained by AlphabetBatches), with classifier-free guidance away from what it draws without
/// either (Ho & Salimans 2022). Pictures are (size,size,1) with ink -1 and paper 1.
template <class Net>
class StyledLetters {
 public:
  using Exec = typename Net::execution_space;
  using backend = typename Net::backend;
  using Picture = std::vector<float>;
  static constexpr int places = Net::config.condition_channels, size = Net::config.image_size;

  /// Error unless the scale is a finite number.
  StyledLetters(Exec const& exec, Net const& net, ConstArena<Exec> const& parameters, double guidance_scale)
      : exec_(exec), with_(net, parameters), without_(net, parameters), scale_(guidance_scale) {
    static_assert(Net::config.classes > 0 && places > 0 && Net::config.channels == 1);
    if (!is_finite(scale_)) throw Error("guidance scale", "a finite number", number_text(scale_));
  }

  /// Calls sample(model, n) with the model that draws letters of these n classes, letter i in the style of
  /// references[i] (none: a style of the model's own; those that don't fit its places are left out).
  template <class Sample>
  void draw(std::span<int const> labels, std::vector<std::vector<Picture const*>> const& references,
            Sample&& sample) {
    int const n = int(labels.size());
    Images<Exec> const condition("glyphdiff::references", n, size, size, places),
        blank("glyphdiff::no_references", n, size, size, places);
    auto const host = Kokkos::create_mirror_view(condition);
    Kokkos::deep_copy(host, no_reference);
    for (int i = 0; i < n; ++i)
      for (std::size_t k = 0; k < (std::min)(references[i].size(), std::size_t(places)); ++k)
        for (int pixel = 0; pixel < size * size; ++pixel)
          host(i, pixel / size, pixel % size, int(k)) = (*references[i][k])[std::size_t(pixel)];
    Kokkos::deep_copy(condition, host);
    Kokkos::deep_copy(blank, no_reference);
    with_.set_labels({labels.begin(), labels.end()});
    with_.set_condition(condition);
    without_.set_labels(std::vector<int>(labels.size(), no_class));
    without_.set_condition(blank);
    Guidance<Exec, Evaluate, Evaluate> model(exec_, Evaluate{&with_}, Evaluate{&without_}, scale_);
    sample(model, n);
  }

  /// Letters of these classes by DDIM, all from one noise.
  template <class D>
  std::vector<Picture> draw(D const& diffusion, std::span<int const> labels,
                            std::vector<std::vector<Picture const*>> const& references, SeededNoise noise) {
    std::vector<Picture> result;
    if (labels.empty()) return result;
    draw(labels, references, [&](auto& model, int n) {
      Images<Exec> const x(Kokkos::view_alloc(Kokkos::WithoutInitializing, "glyphdiff::letters"), n, size,
                           size, 1);
      ddim_sample(exec_, diffusion, model, x, SharedNoise{noise});
      result = pictures(x);
    });
    return result;
  }

  /// Letters of these classes in one style that the model makes up: the first one freely, the second in the
  /// style of the first, and so on, until there are as many as the model reads; these are the references of
  /// all others.
  template <class D>
  std::vector<Picture> invent(D const& diffusion, std::span<int const> labels, SeededNoise noise) {
    std::vector<Picture> drawn;
    std::size_t const first = (std::min)(labels.size(), std::size_t(places));
    while (drawn.size() < first) {
      std::vector<Picture const*> references;
      for (Picture const& picture : drawn) references.push_back(&picture);
      drawn.push_back(draw(diffusion, labels.subspan(drawn.size(), 1), {references}, noise).front());
    }
    std::vector<Picture const*> references;
    for (Picture const& picture : drawn) references.push_back(&picture);
    auto const rest = labels.subspan(first);
    auto others = draw(diffusion, rest, {rest.size(), references}, noise);
    std::move(others.begin(), others.end(), std::back_inserter(drawn));
    return drawn;
  }

  static std::vector<Picture> pictures(Images<Exec> const& x) {
    auto const host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), x);
    std::vector<Picture> result;
    for (std::size_t n = 0; n < x.extent(0); ++n)
      result.emplace_back(&host(n, 0, 0, 0), &host(n, 0, 0, 0) + size * size);
    return result;
  }

  /// What drawing computes is recorded from here on; null: not.
  void set_profiler(Profiler* profiler) {
    with_.set_profiler(profiler);
    without_.set_profiler(profiler);
  }

 private:
  /// One of the evaluators, which can't be copied.
  struct Evaluate {
    using backend = typename Net::backend;
    typename Net::Evaluator* evaluator;

    void operator()(Exec const& exec, Images<Exec> const& x, std::span<float const> timesteps,
                    Images<Exec> const& out) {
      (*evaluator)(exec, x, timesteps, out);
    }
    Profiler* profiler() const { return evaluator->profiler(); }
  };

  Exec exec_;
  typename Net::Evaluator with_, without_;
  double scale_;
};

}  // namespace glyphdiff
