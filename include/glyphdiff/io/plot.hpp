#pragma once

#include <glyphdiff/bits.hpp>
#include <glyphdiff/error.hpp>
#include <glyphdiff/io/file.hpp>
#include <glyphdiff/io/html.hpp>
#include <glyphdiff/number_text.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace glyphdiff {

/// A line of a plot. Points that are not finite (or not positive on a logarithmic axis) are left out.
struct PlotSeries {
  std::string name;
  std::vector<double> x, y;
  bool dashed = false, dots = false;  ///< how the line is drawn, and whether its points are marked
};

struct PlotLabels {
  std::string title, x, y;
  bool log_y = false;
  int width = 720, height = 420;  ///< of the drawing, in units of which text is 12 high
};

namespace detail {

/// A range of values and where its ticks stand. A logarithmic range holds log10 of the values.
struct PlotAxis {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  bool logarithmic = false;
  std::vector<double> ticks{};

  void include(double value) { low = std::fmin(low, value), high = std::fmax(high, value); }

  /// Chooses the ticks: multiples of 1, 2 or 5 times a power of ten, for about `wanted` of them. On a
  /// logarithmic axis over more than a decade they are powers of ten and what is 2 and 5 times as much; else
  /// values as evenly as can be.
  void finish(int wanted) {
    if (low > high) low = 0, high = 1;
    if (high - low < 1e-9 * std::fmax(1e-3, std::abs(high))) {
      double const widening = logarithmic ? 0.3 : std::fmax(0.5 * std::abs(high), 1e-3);
      low -= widening, high += widening;
    }
    ticks.clear();
    if (logarithmic && high - low > 1) {
      int const step = static_cast<int>(std::ceil((high - low) / (2 * wanted)));
      for (int decade = static_cast<int>(std::floor(low)); decade <= high; ++decade)
        for (double digit : {1.0, 2.0, 5.0}) {
          if (digit > 1 && high - low > 3) continue;
          if (decade % step == 0) add_tick(decade + std::log10(digit));
        }
      return;
    }
    double const from = logarithmic ? std::pow(10, low) : low, to = logarithmic ? std::pow(10, high) : high;
    double const raw = (to - from) / wanted, power = std::pow(10, std::floor(std::log10(raw)));
    double const digit = raw / power, step = power * (digit <= 1 ? 1 : digit <= 2 ? 2 : digit <= 5 ? 5 : 10);
    for (double k = std::ceil(from / step); k * step <= to + 1e-9 * step; ++k)
      add_tick(logarithmic ? std::log10(k * step) : k * step);
  }

  void add_tick(double tick) {
    double const slack = 1e-9 * (high - low);
    if (tick >= low - slack && tick <= high + slack) ticks.push_back(tick);
  }

  double fraction(double value) const { return (value - low) / (high - low); }
};

inline std::string plot_number(double value) { return number_text(std::abs(value) < 1e-12 ? 0.0 : value); }

}  // namespace detail

/// A plot of lines as SVG. Throws Error if a series has not as many x as y.
inline std::string line_plot_svg(std::vector<PlotSeries> const& series, PlotLabels const& labels) {
  static constexpr double left = 76, right = 20, bottom = 56;
  double const width = labels.width, height = labels.height;
  double const top = 14 + 15 * (std::max)(2.0, static_cast<double>(series.size()));  // room for their names
  static constexpr std::size_t most_points = 4000;  // of a line: every k-th of more
  static constexpr std::array colours{"#1f5fa8", "#c8501e", "#3a8a3f", "#7a4fa0", "#555555"};

  detail::PlotAxis x_axis, y_axis;
  y_axis.logarithmic = labels.log_y;
  auto const drawn = [&](double x, double y) {
    return is_finite(x) && is_finite(y) && (!labels.log_y || y > 0);
  };
  auto const on_axis = [&](double y) { return labels.log_y ? std::log10(y) : y; };
  for (PlotSeries const& line : series) {
    if (line.x.size() != line.y.size())
      throw Error("plot \"" + labels.title + "\"", "as many x as y of \"" + line.name + "\"",
                  std::to_string(line.x.size()) + " and " + std::to_string(line.y.size()));
    for (std::size_t i = 0; i < line.x.size(); ++i)
      if (drawn(line.x[i], line.y[i])) x_axis.include(line.x[i]), y_axis.include(on_axis(line.y[i]));
  }
  x_axis.finish(labels.width / 90);
  y_axis.finish(labels.height / 70);

  auto const coordinate = [](double value) { return fixed_text(value, 1); };
  auto const at_x = [&](double x) { return coordinate(left + (width - left - right) * x_axis.fraction(x)); };
  auto const at_y = [&](double y) {
    return coordinate(height - bottom - (height - top - bottom) * y_axis.fraction(y));
  };
  using std::string_view;
  auto const text = [&](string_view x, string_view y, string_view attributes, string_view words) {
    return concat({"<text x=\"", x, "\" y=\"", y, "\" ", attributes, ">", html_text(words), "</text>\n"});
  };
  auto const line = [](string_view x1, string_view y1, string_view x2, string_view y2, string_view colour) {
    return concat({"<line x1=\"", x1, "\" y1=\"", y1, "\" x2=\"", x2, "\" y2=\"", y2, "\" stroke=\"", colour,
                   "\"/>\n"});
  };
  std::string const l = coordinate(left), r = coordinate(width - right), t = coordinate(top),
                    b = coordinate(height - bottom);

  std::string const w = std::to_string(labels.width), h = std::to_string(labels.height),
                    extent = concat({"width=\"", w, "\" height=\"", h, "\""});
  std::string svg = concat({"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 ", w, " ", h, "\" ",
                            extent, " font-family=\"sans-serif\" font-size=\"12\" fill=\"#333\">\n<rect ",
                            extent, " fill=\"white\"/>\n"});
  for (double tick : x_axis.ticks) {
    svg += line(at_x(tick), t, at_x(tick), b, "#eee");
    svg += text(at_x(tick), coordinate(height - bottom + 18), "text-anchor=\"middle\"",
                detail::plot_number(tick));
  }
  for (double tick : y_axis.ticks) {
    double const value = labels.log_y ? std::pow(10, tick) : tick;
    svg += line(l, at_y(tick), r, at_y(tick), "#eee");
    svg += text(coordinate(left - 8), at_y(tick), "text-anchor=\"end\" dy=\"0.35em\"",
                detail::plot_number(value));
  }
  svg += line(l, b, r, b, "#333");
  svg += line(l, t, l, b, "#333");
  svg += text(l, "24", "font-size=\"15\"", labels.title);
  svg += text(coordinate((left + width - right) / 2), coordinate(height - 14), "text-anchor=\"middle\"",
              labels.x);
  svg += text("0", "0",
              concat({"text-anchor=\"middle\" transform=\"translate(18 ",
                      coordinate((top + height - bottom) / 2), ") rotate(-90)\""}),
              labels.y);

  for (std::size_t s = 0; s < series.size(); ++s) {
    std::string const colour = colours[s % colours.size()];
    std::vector<double> const &xs = series[s].x, &ys = series[s].y;
    std::size_t const stride = std::max<std::size_t>(1, (xs.size() + most_points - 1) / most_points);
    svg += concat({"<polyline fill=\"none\" stroke=\"", colour,
                   "\" stroke-width=\"1.5\" stroke-linejoin=\"round\"",
                   series[s].dashed ? " stroke-dasharray=\"6 4\"" : "", " points=\""});
    std::string dots;
    for (std::size_t i = 0; i < xs.size(); i += stride) {
      if (!drawn(xs[i], ys[i])) continue;
      std::string const x = at_x(xs[i]), y = at_y(on_axis(ys[i]));
      svg += concat({x, ",", y, " "});
      if (series[s].dots)
        dots += concat({"<circle cx=\"", x, "\" cy=\"", y, "\" r=\"3\" fill=\"", colour, "\"/>\n"});
    }
    svg += concat({"\"/>\n", dots});
    svg +=
        text(coordinate(width - right), coordinate(top - 8 - 15 * static_cast<double>(series.size() - 1 - s)),
             concat({"text-anchor=\"end\" style=\"fill:", colour, "\""}), series[s].name);
  }
  return svg + "</svg>\n";
}

/// Writes such a plot as `write_file` does.
inline void write_line_plot_svg(std::filesystem::path const& path, std::vector<PlotSeries> const& series,
                                PlotLabels const& labels) {
  std::string const svg = line_plot_svg(series, labels);
  write_file(path, svg.data(), svg.size());
}

}  // namespace glyphdiff
