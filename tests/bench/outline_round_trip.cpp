// How much tracing changes real letters: renders a character of every font that is named, traces the picture,
// renders the outline and compares. Prints a line per font and the medians.
//
//     find /usr/share/fonts -name '*.[ot]tf' | outline_round_trip --character A --size 256
#include <glyphdiff/outline/render.hpp>
#include <glyphdiff/outline/trace.hpp>

#include <ft2build.h>
#include FT_FREETYPE_H
#include FT_OUTLINE_H

#include <CLI/CLI.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <string>
#include <vector>

namespace gd = glyphdiff;

/// A letter that FreeType has rendered, unhinted, with a margin of 4 pixels, and its font's points.
struct Letter {
  gd::Ink ink;
  int points = 0;
};

bool load(FT_Library library, std::string const& path, char character, int size, Letter& letter) {
  FT_Face face = nullptr;
  if (FT_New_Face(library, path.c_str(), 0, &face) != 0) return false;
  bool good = false;
  int const ppem = int(size / 1.1);
  if (FT_IS_SCALABLE(face) && FT_Set_Pixel_Sizes(face, 0, FT_UInt(ppem)) == 0 &&
      FT_Get_Char_Index(face, FT_ULong(character)) != 0 &&
      FT_Load_Char(face, FT_ULong(character), FT_LOAD_NO_HINTING | FT_LOAD_NO_BITMAP) == 0 &&
      face->glyph->format == FT_GLYPH_FORMAT_OUTLINE) {
    letter.points = face->glyph->outline.n_points;
    if (letter.points > 2 && FT_Render_Glyph(face->glyph, FT_RENDER_MODE_NORMAL) == 0) {
      FT_Bitmap const& bitmap = face->glyph->bitmap;
      letter.ink = {int(bitmap.rows) + 8, int(bitmap.width) + 8, {}};
      letter.ink.coverage.assign(std::size_t(letter.ink.height) * letter.ink.width, 0.0f);
      for (unsigned y = 0; y < bitmap.rows; ++y)
        for (unsigned x = 0; x < bitmap.width; ++x)
          letter.ink.coverage[std::size_t(y + 4) * letter.ink.width + x + 4] =
              bitmap.buffer[y * bitmap.pitch + x] / 255.0f;
      good = bitmap.rows > 8 && bitmap.width > 8;
    }
  }
  FT_Done_Face(face);
  return good;
}

double quantile(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  return values.empty() ? 0 : values[std::size_t(share * double(values.size() - 1))];
}

int main(int argc, char** argv) {
  char character = 'A';
  int size = 256;
  double tolerance = 0;
  bool quiet = false;
  CLI::App app("Traces a character of the fonts that standard input names.");
  app.add_option("--character", character);
  app.add_option("--size", size, "pixels per em and a tenth");
  app.add_option("--tolerance", tolerance, "of the curves, in pixels; 0: the standard");
  app.add_flag("--quiet", quiet, "the summary alone");
  CLI11_PARSE(app, argc, argv);
  FT_Library library;
  if (FT_Init_FreeType(&library) != 0) return 2;
  std::vector<double> errors, ratios, milliseconds;
  for (std::string path; std::getline(std::cin, path);) {
    Letter letter;
    if (!load(library, path, character, size, letter)) continue;
    gd::TraceOptions options;
    if (tolerance > 0) options.tolerance = tolerance;
    auto const start = std::chrono::steady_clock::now();
    gd::Outline const outline = gd::trace(letter.ink, options);
    milliseconds.push_back(
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
    gd::Ink const again = gd::render(outline, letter.ink.height, letter.ink.width);
    double difference = 0, ink = 0;
    int points = 0;
    for (std::size_t i = 0; i < again.coverage.size(); ++i) {
      difference += std::abs(again.coverage[i] - letter.ink.coverage[i]);
      ink += letter.ink.coverage[i];
    }
    for (gd::Contour const& contour : outline) points += contour.points();
    errors.push_back(difference / ink);
    ratios.push_back(double(points) / letter.points);
    if (!quiet)
      std::printf("%.4f of the ink, %3d points for %3d  %s\n", errors.back(), points, letter.points,
                  path.c_str());
  }
  std::printf(
      "%zu letters %c: difference, as a share of the ink: median %.4f, 90 %% below %.4f, worst %.4f\n",
      errors.size(), character, quantile(errors, 0.5), quantile(errors, 0.9), quantile(errors, 1));
  std::printf("points, of the font's: median %.2f, 90 %% below %.2f; %.1f ms a letter\n",
              quantile(ratios, 0.5), quantile(ratios, 0.9), quantile(milliseconds, 0.5));
  FT_Done_FreeType(library);
  return 0;
}
