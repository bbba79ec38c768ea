// Turns gray pictures of letters into outlines: an SVG of each, and a font of all of them as UFO, which font
// editors open, and with fontmake as OTF or TTF. In a folder that `letters` or `alphabet` made, the manifest
// says what each picture shows, where its baseline is and how wide it is set. `--help` lists the options.
#include <glyphdiff/ascii.hpp>
#include <glyphdiff/data/characters.hpp>
#include <glyphdiff/data/letter_set.hpp>
#include <glyphdiff/io/file.hpp>
#include <glyphdiff/io/image.hpp>
#include <glyphdiff/io/resize.hpp>
#include <glyphdiff/io/run_folder.hpp>
#include <glyphdiff/outline/trace.hpp>
#include <glyphdiff/outline/ufo.hpp>

#include "command_line.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace gd = glyphdiff;
namespace fs = std::filesystem;

struct Options {
  std::vector<fs::path> pictures;
  fs::path out = "out/outlines";
  std::vector<std::string> formats{"svg", "ufo"};
  std::string glyph, family = "Untitled", style = "Regular";
  gd::Font measures;
  double baseline = -1, cap_height_pixels = 0, tolerance = 0;
  int side_bearing = 50, enlarge = 1;
  bool white_on_black = false;
};

/// What fonts call a glyph, and the character that shows it.
struct Character {
  std::string name;
  std::vector<char32_t> unicodes;
};

/// Letters are called as they are, digits by their names, all other characters by their code (uni00C4), as
/// Adobe's glyph list has it; a longer text is a name already.
Character character(std::string const& text) {
  static char const* const digits[] = {"zero", "one", "two",   "three", "four",
                                       "five", "six", "seven", "eight", "nine"};
  auto const shown = gd::character_of_word(text);
  if (!shown) return {text, {}};
  char32_t const code = *shown;
  if (code == U' ') return {"space", {code}};
  if (code < 128 && gd::is_ascii_letter(char(code))) return {gd::to_utf8(code), {code}};
  if (code >= U'0' && code <= U'9') return {digits[code - U'0'], {code}};
  char name[16];
  std::snprintf(name, sizeof name, code > 0xffff ? "u%05X" : "uni%04X", unsigned(code));
  return {name, {code}};
}

/// A picture, and what a manifest says of it.
struct Source {
  fs::path file;
  std::optional<gd::LetterEntry> entry;
};

std::vector<Source> find_pictures(std::vector<fs::path> const& given) {
  std::vector<Source> found;
  for (fs::path const& path : given) {
    if (!fs::is_directory(path)) {
      found.push_back({path, {}});
      continue;
    }
    if (fs::exists(path / "letters.tsv")) {
      for (gd::LetterEntry const& entry : gd::load_manifest(path))
        found.push_back({path / entry.file, entry});
      continue;
    }
    std::vector<fs::path> inside;
    for (auto const& entry : fs::directory_iterator(path)) {
      std::string const extension = gd::lower_extension(entry.path());
      if (entry.is_regular_file() && (extension == ".png" || extension == ".jpg" || extension == ".jpeg"))
        inside.push_back(entry.path());
    }
    if (inside.empty()) throw gd::Error(path.string(), "a folder with PNG or JPEG pictures", "none in it");
    std::sort(inside.begin(), inside.end());
    for (fs::path const& file : inside) found.push_back({file, {}});
  }
  return found;
}

/// The glyph that a picture shows: said, or by its manifest, or what stands before the first underscore of
/// its name, or A.
std::string glyph_of(Source const& picture, Options const& options) {
  if (!options.glyph.empty()) return options.glyph;
  if (picture.entry) return picture.entry->character;
  std::string const name = picture.file.stem().string();
  std::size_t const underscore = name.find('_');
  std::string const beginning = name.substr(0, underscore);
  return gd::character_of_word(beginning) ? beginning : "A";
}

gd::Ink load_ink(fs::path const& path, bool white_on_black, int enlarge) {
  gd::Image image = gd::read_image(path, 1);
  if (enlarge > 1) image = gd::resize(image, enlarge * image.height, enlarge * image.width);
  white_on_black = white_on_black || gd::is_white_on_black(image);
  gd::Ink ink{image.height, image.width, {}};
  for (std::uint8_t const byte : image.pixels)
    ink.coverage.push_back(float(white_on_black ? byte : 255 - byte) / 255.0f);
  return ink;
}

/// Has fontmake, a program of its own, make a font of a UFO.
void make_font(fs::path const& ufo, std::string const& format) {
  fs::path font = ufo;
  font.replace_extension(format);
  auto const quoted = [](fs::path const& path) {
    std::string text = "'";
    for (char const c : path.string()) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return text + "'";
  };
  std::string const command = "fontmake --verbose ERROR -u " + quoted(ufo) + " -o " + format +
                              " --output-path " + quoted(font) + " </dev/null";
  if (std::system("command -v fontmake >/dev/null 2>&1") != 0)
    throw gd::Error(font.string(),
                    "fontmake (Debian: apt install fontmake), which makes it of " + ufo.string(),
                    "none on this machine");
  if (std::system(command.c_str()) != 0 || !fs::exists(font))
    throw gd::Error(font.string(), "fontmake to make it of " + ufo.string(), "that it failed");
  std::printf("see %s\n", font.c_str());
}

bool wanted(Options const& options, char const* format) {
  return std::find(options.formats.begin(), options.formats.end(), format) != options.formats.end();
}

/// A picture's outline, in its pixels.
struct Traced {
  gd::Outline outline;
  int width, height;
};

Traced trace_picture(fs::path const& path, Options const& options) {
  gd::Ink const ink = load_ink(path, options.white_on_black, options.enlarge);
  gd::TraceOptions trace;
  if (options.tolerance > 0) trace.tolerance = options.tolerance;
  trace.tolerance *= options.enlarge;
  trace.least_area *= options.enlarge * options.enlarge;
  gd::Outline outline =
      gd::transformed(gd::trace(ink, trace), [&](gd::Point point) { return 1.0 / options.enlarge * point; });
  if (outline.empty())
    throw gd::Error(path.string(),
                    options.white_on_black ? "a white letter on black" : "a black letter on white", "no ink");
  return {std::move(outline), ink.width / options.enlarge, ink.height / options.enlarge};
}

/// Names that were given out, and characters that a glyph shows already.
struct Taken {
  std::set<std::string> glyphs, files;
  std::set<char32_t> characters;
};

/// The glyph of an outline, in font units.
gd::Glyph make_glyph(gd::Outline const& outline, Source const& source, gd::Font const& font, Taken& taken,
                     Options const& options) {
  std::string const said_name = glyph_of(source, options);
  if (said_name.empty() || !gd::detail::is_plain_text(said_name))
    throw gd::Error(source.file.string(), "a character or a glyph's name", "none that fonts can hold");
  gd::LetterEntry const said = source.entry.value_or(gd::LetterEntry{.baseline = -1});
  gd::Box const box = gd::bounds(outline);  // y down: its top is the lowest row
  double const baseline = options.baseline >= 0 ? options.baseline
                          : said.baseline >= 0  ? said.baseline
                                                : box.top;
  double const height = options.cap_height_pixels > 0 ? options.cap_height_pixels
                        : said.cap_height > 0         ? said.cap_height
                                                      : box.top - box.bottom;
  gd::FontPlacement place{font.cap_height / height, baseline, 0, 0};
  bool const spaced = said.advance > 0;
  place.left = spaced ? said.origin : box.left - options.side_bearing / place.units_per_pixel;
  gd::Glyph glyph;
  glyph.outline = gd::to_font_units(outline, place);
  double const advance = spaced ? std::round(said.advance * place.units_per_pixel)
                                : gd::bounds(glyph.outline).right + options.side_bearing;
  if (!(advance >= 0 && advance <= 32767))
    throw gd::Error(source.file.string(), "an advance of 0 to 32767 font units",
                    advance < 0 ? "one below 0" : "a larger one");
  if (glyph.outline.empty())
    throw gd::Error(source.file.string(), "a letter of some font units", "one that vanishes at that scale");
  glyph.advance = int(advance);
  Character const shown = character(said_name);
  glyph.name = shown.name;
  for (int number = 1; !taken.glyphs.insert(glyph.name).second; ++number)
    glyph.name = shown.name + ".alt" + std::to_string(number);
  for (char32_t const code : shown.unicodes)
    if (taken.characters.insert(code).second) glyph.unicodes.push_back(code);
  return glyph;
}

/// Of pictures of one name in several folders, or of A and a, each has an SVG of its own on any disk.
fs::path svg_name(fs::path const& picture, Taken& taken) {
  std::string const stem = picture.stem().string();
  for (int number = 1;; ++number) {
    std::string const name = stem + (number > 1 ? "-" + std::to_string(number) : "") + ".svg";
    std::string folded = name;
    for (char& c : folded)  // '?': whose capitals this does not know
      c = static_cast<unsigned char>(c) < 0x80 ? gd::ascii_lower(c) : '?';
    if (taken.files.insert(folded).second) return name;
  }
}

int run(Options const& options) {
  gd::Font font = options.measures;
  font.family = options.family;
  font.style = options.style;
  for (std::string const& text : {font.family, font.style})
    if (!gd::detail::is_plain_text(text))
      throw gd::Error("--family and --style", "text in UTF-8 without control characters", "another one");
  gd::make_run_folder(options.out);
  Taken taken;
  auto const pictures = find_pictures(options.pictures);
  bool const compiled = wanted(options, "otf") || wanted(options, "ttf"),
             as_font = compiled || wanted(options, "ufo");
  std::vector<std::string> skipped;
  std::size_t done = 0;
  for (Source const& picture : pictures) {
    Traced traced;
    try {
      traced = trace_picture(picture.file, options);
      if (as_font) font.glyphs.push_back(make_glyph(traced.outline, picture, font, taken, options));
    } catch (gd::Error const& error) {
      skipped.emplace_back(error.what());
      continue;
    }
    ++done;
    if (wanted(options, "svg"))
      gd::write_svg(options.out / svg_name(picture.file, taken), traced.outline, traced.width, traced.height);
    gd::Outline const& outline = as_font ? font.glyphs.back().outline : traced.outline;
    int points = 0;
    for (gd::Contour const& contour : outline) points += contour.points();
    std::printf("%s: %s%s%zu contours, %d points\n", picture.file.c_str(), as_font ? "glyph " : "",
                as_font ? (font.glyphs.back().name + ", ").c_str() : "", outline.size(), points);
  }
  if (done == 0)
    throw gd::Error(pictures.size() == 1 ? skipped.front()
                                         : "none of " + std::to_string(pictures.size()) +
                                               " pictures shows a letter, first " + skipped.front());
  for (std::string const& sentence : skipped) std::cerr << "skipped: " << sentence << '\n';
  if (!as_font) return 0;
  gd::add_required_glyphs(font);
  std::string file = options.family + "-" + options.style + ".ufo";
  std::replace(file.begin(), file.end(), '/', '_');
  fs::path const ufo = options.out / file;
  gd::write_ufo(ufo, font);
  std::printf("see %s\n", ufo.c_str());
  for (char const* format : {"otf", "ttf"})
    if (wanted(options, format)) make_font(ufo, format);
  return 0;
}

int main(int argc, char** argv) try {
  Options options;
  cli::App app("Turns gray pictures of letters into outlines and fonts.");
  app.add_option("pictures", options.pictures,
                 "PNG or JPEG pictures, or folders of them, with a manifest or without")
      ->required();
  app.add_option("--out", options.out, "folder that everything is written to")->capture_default_str();
  app.add_option("--format", options.formats, "svg, ufo, otf, ttf, separated by commas")
      ->delimiter(',')
      ->check(cli::IsMember({"svg", "ufo", "otf", "ttf"}))
      ->capture_default_str();
  app.add_option("--glyph", options.glyph,
                 "what they show; without it the beginning of a name such as R_12.png says so, else it is A");
  app.add_option("--family", options.family, "name of the font")->capture_default_str();
  app.add_option("--style", options.style, "of the font")->capture_default_str();
  app.add_option("--units-per-em", options.measures.units_per_em)
      ->check(cli::Range(16, 16384))
      ->capture_default_str();
  app.add_option("--cap-height", options.measures.cap_height, "font units that the letters are high")
      ->check(cli::Range(1, 16384))
      ->capture_default_str();
  app.add_option("--x-height", options.measures.x_height, "written into the font")
      ->check(cli::Range(-32768, 32767))
      ->capture_default_str();
  app.add_option("--ascender", options.measures.ascender, "written into the font")
      ->check(cli::Range(-32768, 32767))
      ->capture_default_str();
  app.add_option("--descender", options.measures.descender, "written into the font")
      ->check(cli::Range(-32768, 32767))
      ->capture_default_str();
  app.add_option("--baseline", options.baseline,
                 "pixels from the top of the pictures; without it what the manifest says, or where each "
                 "letter's ink ends")
      ->check(cli::NonNegativeNumber);
  app.add_option("--letter-height", options.cap_height_pixels,
                 "pixels that are the cap height; without it what the manifest says, or the height of each "
                 "letter's ink")
      ->check(cli::PositiveNumber);
  app.add_option("--side-bearing", options.side_bearing,
                 "font units left and right of the ink, where no manifest says how wide a letter is set")
      ->check(cli::Range(-16384, 16384))
      ->capture_default_str();
  app.add_option("--tolerance", options.tolerance,
                 "pixels that a curve may miss the edge by; 0.2 if not said")
      ->check(cli::PositiveNumber);
  app.add_option("--enlarge", options.enlarge,
                 "times that pictures are enlarged first: 2 keeps the ends of strokes of 2 or 3 pixels apart")
      ->check(cli::Range(1, 16))
      ->capture_default_str();
  app.add_flag("--white-on-black", options.white_on_black, "the letters are the light part");
  if (auto const status = app.parse(argc, argv)) return *status;
  return run(options);
} catch (std::exception const& error) {
  std::cerr << "trace: " << error.what() << "\n";
  return 2;
}
