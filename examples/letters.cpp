// Makes a data set of letters from fonts and drawings: gray pictures of one size, on one baseline, and
// letters.tsv, which says what each shows. `--help` lists the options.
#include <glyphdiff/data/alphabet.hpp>
#include <glyphdiff/data/check_letters.hpp>
#include <glyphdiff/data/distinct_fonts.hpp>
#include <glyphdiff/data/font_glyphs.hpp>
#include <glyphdiff/data/letter_folder.hpp>
#include <glyphdiff/data/place_drawing.hpp>
#include <glyphdiff/io/run_folder.hpp>
#include <glyphdiff/train/interrupt.hpp>

#include "command_line.hpp"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <iostream>
#include <map>
#include <string>
#include <vector>

namespace gd = glyphdiff;
namespace fs = std::filesystem;

struct Options {
  std::vector<std::string> sources;
  fs::path out = "out/letters", checked;
  std::string characters{gd::alphabet}, character, centre = "ink";
  gd::LetterFrame frame;
  double distinct = 3;
  bool fit = false, white_on_black = false;
};

bool has_extension(fs::path const& path, std::initializer_list<char const*> extensions) {
  std::string const own = gd::lower_extension(path);
  return std::find(extensions.begin(), extensions.end(), own) != extensions.end();
}
bool is_font(fs::path const& path) {
  return has_extension(path, {".ttf", ".otf", ".ttc", ".otc", ".pfb", ".pfa", ".woff"});
}

/// A file; what a folder has in it, by name; or the pictures of a data set.
void find_files(std::string const& source, std::vector<fs::path>& found) {
  if (fs::exists(fs::path(source) / "letters.tsv")) {
    for (gd::LetterEntry const& entry : gd::load_manifest(source))
      found.push_back(fs::path(source) / entry.file);
    return;
  }
  if (!fs::is_directory(source)) {
    found.emplace_back(source);
    return;
  }
  std::vector<fs::path> inside;
  for (auto const& entry : fs::recursive_directory_iterator(source))
    if (entry.is_regular_file() && (is_font(entry.path()) || gd::is_drawing(entry.path())))
      inside.push_back(entry.path());
  if (inside.empty()) throw gd::Error(source, "a folder with fonts or drawings", "none in it");
  std::sort(inside.begin(), inside.end());
  found.insert(found.end(), inside.begin(), inside.end());
}

/// The files that are meant by sources and by lists of them (@list.txt), in order.
std::vector<fs::path> find_files(std::vector<std::string> const& sources) {
  std::vector<fs::path> found;
  for (std::string const& source : sources) {
    if (!source.starts_with('@')) {
      find_files(source, found);
      continue;
    }
    std::ifstream list(source.substr(1));
    if (!list) throw gd::Error(source.substr(1), "a list of paths, one a line", "nothing");
    for (std::string line; std::getline(list, line);) {
      if (line.ends_with('\r')) line.pop_back();
      if (!line.empty()) find_files(line, found);
    }
  }
  return found;
}

/// What is made, and what was left out of it and why.
struct Making {
  Options const& options;
  gd::LetterFolder folder;
  gd::DistinctFonts distinct;
  gd::Interrupt interrupt{};
  std::vector<std::string> left_out{}, notes{};
  std::size_t faces = 0, repeated = 0;

  void add(gd::Letter letter, std::string const& name) {
    if (options.white_on_black) letter.picture = gd::inverted(std::move(letter.picture));
    folder.add(std::move(letter), name);
  }
};

void add_face(Making& making, gd::FontFace const& face, std::vector<char32_t> const& characters) {
  ++making.faces;
  std::vector<gd::Letter> letters;
  std::vector<std::string> missing;
  for (char32_t const character : characters) {
    try {
      letters.push_back(face.draw(character, making.options.frame));
    } catch (gd::Error const& error) {
      missing.emplace_back(error.what());
    }
  }
  if (letters.empty()) missing.resize(1);  // one reason will do
  making.left_out.insert(making.left_out.end(), missing.begin(), missing.end());
  if (!letters.empty() && !making.distinct.add(letters)) {
    ++making.repeated;
    making.left_out.push_back(face.where() + ": its letters are those of an earlier font");
    return;
  }
  for (gd::Letter& letter : letters) making.add(std::move(letter), face.name());
}

void add_fonts(Making& making, std::vector<fs::path> const& files) {
  auto const characters = gd::characters_of(making.options.characters);
  for (std::size_t i = 0; i < files.size() && !making.interrupt.requested(); ++i) {
    try {
      for (gd::FontFace const& face : gd::open_font(files[i], &making.left_out))
        add_face(making, face, characters);
    } catch (gd::Error const& error) {
      making.left_out.emplace_back(error.what());
    }
  }
}

/// Drawings are read twice: to measure all of them, and to place each.
void add_drawings(Making& making, std::vector<fs::path> const& files) {
  Options const& options = making.options;
  std::vector<fs::path> good;
  std::vector<gd::DrawnLetter> letters;
  gd::Image first;
  for (std::size_t i = 0; i < files.size() && !making.interrupt.requested(); ++i) {
    try {
      char32_t const character = options.character.empty() ? gd::character_of_file(files[i])
                                                           : gd::characters_of(options.character).at(0);
      gd::Drawing const drawing = gd::read_drawing(files[i]);
      auto const ink = gd::ink_box(drawing.picture);
      if (!ink) throw gd::Error(files[i].string(), "a drawing of a letter", "no ink");
      if (good.empty()) first = gd::Image(drawing.picture.height, drawing.picture.width, 0);
      if (!options.fit && (drawing.picture.height != first.height || drawing.picture.width != first.width))
        throw gd::Error(files[i].string(),
                        "a drawing of " + std::to_string(first.width) + "x" + std::to_string(first.height) +
                            " as the first one, or --fit, which brings each to the baseline by itself",
                        std::to_string(drawing.picture.width) + "x" + std::to_string(drawing.picture.height));
      for (std::string const& note : drawing.notes) making.notes.push_back(files[i].string() + ": " + note);
      if (gd::touches_edge(drawing.picture))
        making.notes.push_back(files[i].string() + ": its ink touches the edge, so it may have been cut off");
      letters.push_back({character, *ink});
      good.push_back(files[i]);
    } catch (gd::Error const& error) {
      making.left_out.emplace_back(error.what());
    }
  }
  if (good.empty()) return;
  gd::Placement const common = options.fit ? gd::Placement{} : gd::common_placement(letters, options.frame);
  for (std::size_t i = 0; i < good.size() && !making.interrupt.requested(); ++i) {
    try {
      auto const place =
          options.fit ? gd::fitted_placement(letters[i], options.frame, good[i].string()) : common;
      making.add(gd::place_letter(gd::read_drawing(good[i]).picture, letters[i], place, options.frame,
                                  good[i].string()),
                 good[i].stem().string());
    } catch (gd::Error const& error) {
      making.left_out.emplace_back(error.what());
    }
  }
}

void write_lines(fs::path const& path, std::vector<std::string> const& lines) {
  std::string text;
  for (std::string const& line : lines) text += line + "\n";
  gd::write_file(path, text.data(), text.size());
}

/// Says what is wrong with a folder of letters, which will be called `name`, and writes a page of it into its
/// sub-folder report.
void check(fs::path const& folder, fs::path const& name) {
  gd::LetterCheck const check = gd::check_letters(folder);
  fs::path const page = folder / "report/lint.html";
  gd::make_run_folder(page.parent_path());
  gd::write_lint_page(page, folder, check);
  for (std::string const& sentence : check.skipped) std::cerr << "skipped: " << sentence << '\n';
  std::map<gd::Fault, std::size_t> counts;
  for (gd::LetterFault const& fault : check.faults) ++counts[fault.fault];
  std::printf("%zu letters checked:%s", check.entries.size(), counts.empty() ? " nothing found;" : "");
  for (auto const& [fault, count] : counts) std::printf(" %s %zu;", gd::words_of(fault).name, count);
  std::printf(" see %s\n", (name / "report/lint.html").c_str());
}

int run(Options const& options) {
  gd::check_frame(options.frame);
  if (gd::characters_of(options.character).size() > 1)
    throw gd::Error("--character", "one character", options.character);
  auto fonts = find_files(options.sources);
  auto const middle = std::stable_partition(fonts.begin(), fonts.end(),
                                            [](fs::path const& path) { return !gd::is_drawing(path); });
  std::vector<fs::path> const drawings(middle, fonts.end());
  fonts.erase(middle, fonts.end());

  Making making{options, gd::LetterFolder(options.out), gd::DistinctFonts(options.distinct)};
  add_fonts(making, fonts);
  add_drawings(making, drawings);
  if (making.interrupt.requested()) {
    std::cerr << "letters: stopped; nothing was written\n";
    return 130;
  }
  if (making.folder.entries().empty())
    throw gd::Error("no letter was drawn" +
                    (making.left_out.empty() ? "" : ", first " + making.left_out.front()));
  std::printf("%zu fonts with %zu faces (%zu like an earlier one), %zu drawings: %zu letters\n", fonts.size(),
              making.faces, making.repeated, drawings.size(), making.folder.entries().size());
  fs::path const report = making.folder.part() / "report";
  gd::make_run_folder(report);
  if (!making.left_out.empty()) {
    write_lines(report / "left_out.txt", making.left_out);
    std::printf("%zu left out: %s\n", making.left_out.size(), (options.out / "report/left_out.txt").c_str());
  }
  if (!making.notes.empty()) {
    write_lines(report / "notes.txt", making.notes);
    std::printf("%zu notes: %s\n", making.notes.size(), (options.out / "report/notes.txt").c_str());
  }
  gd::write_png(report / "sheet.png", gd::letter_sheet(making.folder.part(), making.folder.entries()));
  making.folder.write_manifest();
  check(making.folder.part(), options.out);
  making.folder.finish();
  std::printf("see %s\n", (options.out / "report/sheet.png").c_str());
  return 0;
}

int main(int argc, char** argv) try {
  Options options;
  cli::App app("Makes a data set of letters from fonts and drawings.");
  app.add_option("sources", options.sources,
                 "fonts (TTF, OTF, TTC, Type 1, WOFF), drawings (PNG, JPEG, SVG), folders of them, or "
                 "@list.txt of paths");
  auto* const checked = app.add_option(
      "--check", options.checked,
      "only look for faults in this folder of letters or drawings, and write report/lint.html there");
  app.add_option("--characters", options.characters,
                 "what to draw of fonts, as one word: A, or ABCabc; all that alphabet knows if not said")
      ->capture_default_str();
  app.add_option(
      "--character", options.character,
      "what drawings show; without it the beginning of a name such as A_12.png or u0041_12.svg says it");
  app.add_flag(
      "--fit", options.fit,
      "bring each drawing to the baseline and cap height by itself; without it they were drawn in one "
      "frame, and stay as they stand to each other");
  app.add_option("--out", options.out, "new folder that everything is written to")->capture_default_str();
  app.add_option("--size", options.frame.size, "pixels per side")
      ->check(cli::Range(32, 512))
      ->capture_default_str();
  auto* const baseline = app.add_option("--baseline", options.frame.baseline,
                                        "rows from the top edge to the baseline; 48 of 64 rows if not said");
  auto* const cap_height =
      app.add_option("--cap-height", options.frame.cap_height,
                     "pixels that capitals are high, measured at H; 40 of 64 rows if not said");
  app.add_option("--x-height", options.frame.x_height,
                 "pixels that small letters are high, measured at x, instead of --cap-height")
      ->check(cli::PositiveNumber)
      ->excludes(cap_height);
  app.add_option("--centre", options.centre, "ink, or advance, which keeps the side bearings")
      ->check(cli::IsMember({"ink", "advance"}))
      ->capture_default_str();
  app.add_option("--distinct", options.distinct,
                 "distance below which fonts count as one and the first is kept; 0 keeps all")
      ->check(cli::NonNegativeNumber)
      ->capture_default_str();
  app.add_flag("--white-on-black", options.white_on_black, "write white letters on black");
  if (auto const status = app.parse(argc, argv)) return *status;
  if (baseline->count() == 0) options.frame.baseline = options.frame.size * 48.0 / 64;
  if (cap_height->count() == 0) options.frame.cap_height = options.frame.size * 40.0 / 64;
  options.frame.side_bearings = options.centre == "advance";
  if (checked->count() > 0) {
    check(options.checked, options.checked);
    return 0;
  }
  if (options.sources.empty())
    throw gd::Error("expected fonts or drawings, or --check FOLDER; --help lists the options");
  return run(options);
} catch (std::exception const& error) {
  std::cerr << "letters: " << error.what() << "\n";
  return 2;
}
