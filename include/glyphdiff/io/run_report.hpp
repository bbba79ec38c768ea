#pragma once

#include <glyphdiff/io/file.hpp>
#include <glyphdiff/io/html.hpp>
#include <glyphdiff/io/image.hpp>
#include <glyphdiff/io/plot.hpp>
#include <glyphdiff/number_text.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace glyphdiff {

/// What report.html shows of a training run. Whatever is empty is left out.
struct RunReport {
  /// A sample, and the training picture that it is nearest to.
  struct Sample {
    Image picture, nearest;
    double distance;  ///< between them: Euclidean, pixels from 0 to 1
  };
  struct Progress {
    std::int64_t step;
    Image row;  ///< samples of fixed seeds, side by side
  };
  struct Plot {
    std::vector<PlotSeries> series;
    PlotLabels labels;
  };
  struct Figure {
    std::string name, samples, real, limit;  ///< as a table shows them
  };

  std::string title, status;
  std::vector<std::string> warnings{};  ///< a sentence each
  std::vector<Sample> samples{};
  std::vector<Progress> progress{};
  std::vector<Plot> plots{};
  std::vector<Figure> figures{};
  std::string figures_note{};  ///< what the table's figures are of
  std::vector<std::pair<std::string, std::string>> facts{};
  std::string command{};
};

namespace detail {

/// Letters as large as the window allows, the rest in columns that a telephone shows one below the other.
inline constexpr char report_style[] =
    "*{box-sizing:border-box}\n"
    "body{font:16px/1.45 system-ui,sans-serif;color:#222;background:#fff;margin:0 auto;max-width:1180px;"
    "padding:20px 16px 48px}\n"
    "h1{font-size:1.7em;margin:.2em 0}h2{font-size:1.15em;margin:2em 0 .6em;padding-top:.6em;border-top:1px "
    "solid #ddd}\n"
    "p{max-width:44em;margin:.4em 0 .8em}.status{color:#555}.warning{border-left:4px solid "
    "#c8501e;padding:.2em .8em;background:#fdf3ee}\n"
    ".samples{display:grid;grid-template-columns:repeat(auto-fill,minmax(168px,1fr));gap:14px}\n"
    "@media(min-width:700px){.samples{grid-template-columns:repeat(auto-fill,minmax(260px,1fr))}}\n"
    "figure{margin:0}.pair{display:grid;grid-template-columns:1fr 1fr;gap:2px;border:1px solid #ccc}\n"
    ".pair img{width:100%;display:block}.pair img+img{opacity:.55;border-left:1px solid #ccc}\n"
    "figcaption{font-size:12px;color:#666}.scroll{overflow-x:auto}\n"
    ".progress{border-collapse:collapse;min-width:620px;width:100%}.progress "
    "th{font-weight:400;font-size:13px;"
    "color:#555;text-align:right;padding:0 10px 0 0;white-space:nowrap;width:1%}.progress td{padding:0}\n"
    ".progress img{width:100%;display:block}\n"
    ".plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,340px),1fr));gap:12px}\n"
    ".plots svg{width:100%;height:auto;border:1px solid #eee}\n"
    "table.figures,table.facts{border-collapse:collapse}.figures td,.figures th,.facts td{padding:3px 14px "
    "3px "
    "0;text-align:left;vertical-align:top;border-bottom:1px solid #eee;overflow-wrap:anywhere}\n"
    ".figures td+td,.figures th+th{text-align:right;white-space:nowrap}.facts td:first-child{color:#555;"
    "white-space:nowrap}\n"
    "pre{background:#f5f5f3;padding:.7em .9em;white-space:pre-wrap;overflow-wrap:anywhere}\n"
    "@media "
    "print{body{max-width:none;font-size:11pt}h2{break-after:avoid}figure,svg,tr{break-inside:avoid}}\n";

}  // namespace detail

/// The page that `write_report` writes: one file without scripts that loads nothing from anywhere.
inline std::string report_page(RunReport const& report) {
  auto const step_text = [](std::int64_t step) {  // 40,000
    std::string digits = std::to_string(step);
    for (auto at = std::ptrdiff_t(digits.size()) - 3; at > 0; at -= 3) digits.insert(std::size_t(at), ",");
    return digits;
  };
  std::string const title = html_text(report.title), status = html_text(report.status);
  std::string html =
      concat({"<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
              "content=\"width=device-width,initial-scale=1\">\n<title>",
              title, ": ", status, "</title>\n<style>\n", detail::report_style, "</style>\n<h1>", title,
              "</h1>\n<p class=\"status\">", status, "</p>\n"});
  for (std::string const& warning : report.warnings)
    html += concat({"<p class=\"warning\">", html_text(warning), "</p>\n"});

  if (!report.samples.empty()) {
    html +=
        "<h2>Samples, and what they are nearest to</h2>\n<p>Left a sample, right, paler, the picture of the "
        "training set that is nearest to it. Where both are the same, the network repeats what it was "
        "shown; where they differ, it has drawn something new.</p>\n<div class=\"samples\">\n";
    for (RunReport::Sample const& sample : report.samples) {
      std::string const caption = "distance " + fixed_text(sample.distance, 2);
      html += concat({"<figure><div class=\"pair\">", html_picture(sample.picture, "sample"),
                      html_picture(sample.nearest, "nearest training picture"), "</div><figcaption>", caption,
                      "</figcaption></figure>\n"});
    }
    html += "</div>\n";
  }
  if (!report.progress.empty()) {
    html +=
        "<h2>Progress</h2>\n<p>The same noise at every save, so each column is one letter growing "
        "up.</p>\n<div class=\"scroll\"><table class=\"progress\">\n";
    for (auto const& [step, row] : report.progress)
      html += concat({"<tr><th>", step_text(step), "</th><td>",
                      html_picture(row, "samples after " + step_text(step) + " updates"), "</td></tr>\n"});
    html += "</table></div>\n";
  }
  if (!report.plots.empty()) {
    html += "<h2>Curves</h2>\n<div class=\"plots\">\n";
    for (RunReport::Plot const& plot : report.plots) html += line_plot_svg(plot.series, plot.labels);
    html += "</div>\n";
  }
  if (!report.figures.empty()) {
    html += concat({"<h2>Figures</h2>\n<p>", html_text(report.figures_note),
                    "</p>\n<div class=\"scroll\"><table class=\"figures\">\n"
                    "<tr><th></th><th>samples</th><th>real letters</th><th>limit</th></tr>\n"});
    for (auto const& [name, samples, real, limit] : report.figures)
      html += concat({"<tr><td>", html_text(name), "</td><td>", html_text(samples), "</td><td>",
                      html_text(real), "</td><td>", html_text(limit), "</td></tr>\n"});
    html += "</table></div>\n";
  }
  if (!report.facts.empty()) {
    html += "<h2>Configuration</h2>\n<table class=\"facts\">\n";
    for (auto const& [name, value] : report.facts)
      html += concat({"<tr><td>", html_text(name), "</td><td>", html_text(value), "</td></tr>\n"});
    html += "</table>\n";
  }
  if (!report.command.empty())
    html += concat({"<h2>To repeat it</h2>\n<pre>", html_text(report.command), "</pre>\n"});
  return html + "</html>\n";
}

/// Writes report.html into a run's folder, as `write_file` does.
inline void write_report(std::filesystem::path const& folder, RunReport const& report) {
  std::string const page = report_page(report);
  write_file(folder / "report.html", page.data(), page.size());
}

/// A command line that a shell reads as these words.
inline std::string shell_command(std::vector<std::string> const& words) {
  std::string line;
  for (std::string const& word : words) {
    bool const plain = !word.empty() && word.find_first_not_of(
                                            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                            "_-+=./,:@%") == std::string::npos;
    if (!line.empty()) line += ' ';
    if (plain) {
      line += word;
      continue;
    }
    line += '\'';
    for (char const c : word) line += c == '\'' ? std::string("'\\''") : std::string(1, c);
    line += '\'';
  }
  return line;
}

}  // namespace glyphdiff
