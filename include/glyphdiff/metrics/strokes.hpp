#pragma once

#include <glyphdiff/metrics/image_span.hpp>
#include <glyphdiff/metrics/neighbours.hpp>

#include <cmath>
#include <cstddef>
#include <vector>

namespace glyphdiff {

/// How thick a letter's strokes are, in pixels; NaN where it has none of the kind.
struct StrokeWidths {
  double stem;  ///< median width, measured along rows, of strokes that are higher than wide
  double bar;   ///< median height, measured along columns, of strokes that are wider than high

  double contrast() const { return stem / bar; }  ///< above 1: stems are heavier than bars
};

namespace detail {

/// A run of ink in a line of pixels.
struct InkRun {
  int first, last;  ///< pixels that are ink
  double length;    ///< sum of the ink, flanks included: exact to a fraction of a pixel
};

/// The runs of a line of `count` pixels, `stride` apart. A run's flanks, the gray of its antialiased edges,
/// reach as far as the ink keeps falling.
inline std::vector<InkRun> ink_runs(float const* line, int count, std::ptrdiff_t stride) {
  auto const pixel = [&](int i) { return line[i * stride]; };
  std::vector<InkRun> runs;
  for (int i = 0; i < count; ++i) {
    if (!is_ink(pixel(i))) continue;
    InkRun run{.first = i, .last = i, .length = 0};
    while (run.last + 1 < count && is_ink(pixel(run.last + 1))) ++run.last;
    for (int k = run.first; k <= run.last; ++k) run.length += ink_of(pixel(k));
    for (int k = run.first - 1; k >= 0 && pixel(k) > pixel(k + 1); --k) run.length += ink_of(pixel(k));
    for (int k = run.last + 1; k < count && pixel(k) > pixel(k - 1); ++k) run.length += ink_of(pixel(k));
    i = run.last;
    runs.push_back(run);
  }
  return runs;
}

}  // namespace detail

/// Stroke widths of one image. A run of ink along a row crosses a stem if the ink through its middle reaches
/// farther up and down than the run is long, and a run along a column crosses a bar likewise. The median is
/// over such runs, so that joins, serifs and the apex hardly count. A slanted stroke is measured along the
/// row, as type designers measure the stems of an A.
inline StrokeWidths stroke_widths(float const* pixels, int height, int width) {
  std::vector<std::vector<detail::InkRun>> rows, columns;
  for (int y = 0; y < height; ++y)
    rows.push_back(detail::ink_runs(pixels + std::ptrdiff_t{y} * width, width, 1));
  for (int x = 0; x < width; ++x) columns.push_back(detail::ink_runs(pixels + x, height, width));

  // Median length of the runs of `lines` that are shorter than the run of `others` through their middle.
  auto const median_crossing = [](auto const& lines, auto const& others) {
    std::vector<double> lengths;
    for (int line = 0; line < static_cast<int>(lines.size()); ++line)
      for (detail::InkRun const& run : lines[static_cast<std::size_t>(line)])
        for (detail::InkRun const& other : others[static_cast<std::size_t>((run.first + run.last) / 2)])
          if (other.first <= line && line <= other.last && run.length < other.length)
            lengths.push_back(run.length);
    return quantile(lengths, 0.5);
  };
  return {.stem = median_crossing(rows, columns), .bar = median_crossing(columns, rows)};
}

/// Stroke widths of every image.
inline std::vector<StrokeWidths> stroke_widths(ImageSpan images) {
  std::vector<StrokeWidths> found;
  for (int n = 0; n < images.count; ++n)
    found.push_back(stroke_widths(images.image(n), images.height, images.width));
  return found;
}

}  // namespace glyphdiff
