#pragma once

#include <glyphdiff/data/letter_set.hpp>
#include <glyphdiff/data/lint.hpp>
#include <glyphdiff/io/file.hpp>
#include <glyphdiff/io/html.hpp>
#include <glyphdiff/io/image.hpp>
#include <glyphdiff/io/resize.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace glyphdiff {

/// What a kind of fault is called, and what to do about it.
struct FaultWords {
  char const *name, *advice;
};
inline FaultWords words_of(Fault fault) {
  switch (fault) {
    case Fault::off_baseline:
      return {"off the baseline",
              "Letters learn to stand where their examples stand. Move them, or leave them out."};
    case Fault::odd_size:
      return {"odd size", "Scale them like the others, or make the set again with --fit."};
    case Fault::clipped:
      return {"clipped", "A part of the letter is cut off. Give it room."};
    case Fault::blank:
      return {"blank", "There is no ink in the picture."};
    case Fault::near_duplicate:
      return {"near-duplicate", "A letter that comes twice is learnt by heart. Keep one of the two."};
    case Fault::mirrored:
      return {"mirrored", "It looks more like the others when it is mirrored."};
    case Fault::coloured:
      return {"colour cast", "Ink is black and paper white: letters are trained in gray."};
    case Fault::transparent:
      return {"alpha", "Transparent parts are taken for paper."};
    case Fault::too_few:
      return {"too few", "Draw more, or take more fonts."};
  }
  return {};
}

/// Writes a page of all faults with the letters' pictures in it, at most `most` of each kind. `picture` reads
/// that of a letter by its number.
inline void write_lint_page(std::filesystem::path const& path, std::vector<LetterEntry> const& entries,
                            std::vector<LetterFault> const& faults,
                            std::function<Image(std::size_t)> const& picture, std::size_t most = 60) {
  auto const figure = [&](std::size_t letter) {
    Image const whole = picture(letter);
    double const scale = (std::min)(1.0, 128.0 / (std::max)({whole.height, whole.width, 1}));
    auto const scaled = [&](int extent) { return (std::max)(1, int(std::lround(scale * extent))); };
    return html_picture(resize(whole, scaled(whole.height), scaled(whole.width), ResizeFilter::area));
  };
  std::string html =
      "<!DOCTYPE html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>Letters: what to look at</title>\n"
      "<style>body{font:15px sans-serif;margin:2em;color:#222}section{display:flex;flex-wrap:wrap;gap:12px}"
      "figure{margin:0;width:140px;font-size:12px;overflow-wrap:anywhere}"
      "img{height:64px;border:1px solid #bbb;margin-right:2px}</style>\n<h1>" +
      std::to_string(entries.size()) + " letters, " + std::to_string(faults.size()) + " remarks</h1>\n";
  for (std::size_t i = 0; i < faults.size();) {
    std::size_t end = i;
    while (end < faults.size() && faults[end].fault == faults[i].fault) ++end;
    FaultWords const words = words_of(faults[i].fault);
    html += std::string("<h2>") + words.name + ": " + std::to_string(end - i) + "</h2>\n<p>" + words.advice +
            (end - i > most ? " The first " + std::to_string(most) + " are shown." : "") +
            "</p>\n<section>\n";
    for (std::size_t k = i; k < (std::min)(end, i + most); ++k) {
      LetterFault const& fault = faults[k];
      if (fault.fault == Fault::too_few) {
        html += fault.sentence + "\n";
        continue;
      }
      html += "<figure>" + figure(fault.letter) + (fault.other ? figure(*fault.other) : "") + "<figcaption>" +
              html_text(entries[fault.letter].file) + " " + fault.sentence +
              (fault.other ? " " + html_text(entries[*fault.other].file) : "") + "</figcaption></figure>\n";
    }
    html += "</section>\n";
    i = end;
  }
  write_file(path, html.data(), html.size());
}

}  // namespace glyphdiff
