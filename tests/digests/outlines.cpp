// Outlines of traced letters: their points, and the texts of SVG and UFO.
#include "../io/temporary_folder.hpp"
#include "built_in_letters.hpp"
#include "sections.hpp"

#include <glyphdiff/io/file.hpp>
#include <glyphdiff/io/resize.hpp>
#include <glyphdiff/outline/font_units.hpp>
#include <glyphdiff/outline/quadratic.hpp>
#include <glyphdiff/outline/render.hpp>
#include <glyphdiff/outline/svg.hpp>
#include <glyphdiff/outline/trace.hpp>
#include <glyphdiff/outline/ufo.hpp>

#include <string>

using namespace glyphdiff;

static Digest& operator<<(Digest& digest, Point p) { return digest << p.x << p.y; }

static Digest& operator<<(Digest& digest, Outline const& outline) {
  digest << outline.size();
  for (Contour const& contour : outline) {
    digest << contour.segments.size();
    for (Segment const& s : contour.segments)
      digest << s.line << s.control1 << s.control2 << s.end << s.smooth;
  }
  return digest;
}

namespace {

Outline traced(std::size_t number, int enlarge = 1) {
  Image const letter = built_in_letter(number);
  Image const image = enlarge > 1 ? resize(letter, 64 * enlarge, 64 * enlarge) : letter;
  Ink ink{image.height, image.width, {}};
  for (std::uint8_t const byte : image.pixels) ink.coverage.push_back(float(255 - byte) / 255.0f);
  return trace(ink);
}

}  // namespace

void outline_digests() {
  TemporaryFolder const folder;
  Digest points, units, quadratics, inks, paths;
  Font font;
  for (std::size_t number = 0; number < 400; number += 10) {
    Outline const outline = traced(number, number % 20 == 0 ? 1 : 2);
    points << outline;
    inks << render(outline, 64, 64).coverage;
    paths << svg_path(outline);
    Glyph glyph{"glyph" + std::to_string(number),
                {char32_t(0x4e00 + number)},
                600 + int(number),
                to_font_units(outline, {700.0 / 40, 50, 3.3, 0})};
    units << glyph.outline;
    for (Contour const& contour : glyph.outline)
      for (QuadraticSegment const& s : to_quadratics(contour, 0.5))
        quadratics << s.line << s.control << s.end;
    if (number < 80) font.glyphs.push_back(std::move(glyph));
  }
  print_digest("outlines/traced", points);
  print_digest("outlines/font-units", units);
  print_digest("outlines/quadratic", quadratics);
  print_digest("outlines/rendered", inks);
  print_digest("outlines/svg-paths", paths);

  write_svg(folder / "a.svg", traced(5), 64, 64);
  print_digest("outlines/svg-file", digest_of(read_file(folder / "a.svg")));
  add_required_glyphs(font);
  write_ufo(folder / "a.ufo", font);
  Digest ufo;
  for (char const* file : {"metainfo.plist", "fontinfo.plist", "layercontents.plist", "lib.plist",
                           "glyphs/contents.plist", "glyphs/_notdef.glif", "glyphs/space.glif",
                           "glyphs/glyph0.glif", "glyphs/glyph10.glif", "glyphs/glyph70.glif"})
    ufo << read_file(folder.path() / "a.ufo" / file);
  print_digest("outlines/ufo-files", ufo);
}
