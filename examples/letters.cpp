// Makes a data set of letters from fonts: gray pictures of one size, on one baseline, and letters.tsv, which
// says what each shows. `--help` lists the options.
#include <glyphdiff/data/distinct_fonts.hpp>
#include <glyphdiff/data/font_glyphs.hpp>
#include <glyphdiff/data/letter_folder.hpp>
#include <glyphdiff/train/interrupt.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

namespace gd = glyphdiff;
namespace fs = std::filesystem;

struct Options {
  std::vector<std::string> sources;
  fs::path out = "out/letters";
  std::string characters = "A", centre = "ink";
  gd::LetterFrame frame;
  double distinct = 3;
  bool white_on_black = false;
};

bool is_font(fs::path const& path) {
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return char(std::tolower(c)); });
  for (char const* known : {".ttf", ".otf", ".ttc", ".otc", ".pfb", ".pfa", ".woff"})
    if (extension == known) return true;
  return false;
}

/// The files that are meant: as they are given, those of folders and their sub-folders in the order of their
/// names, and the lines of a list (@list.txt).
std::vector<fs::path> find_files(std::vector<std::string> const& sources) {
  std::vector<fs::path> found;
  for (std::string const& source : sources) {
    if (source.starts_with('@')) {
      std::ifstream list(source.substr(1));
      if (!list) throw gd::Error(source.substr(1), "a list of paths, one a line", "nothing");
      for (std::string line; std::getline(list, line);)
        if (!line.empty()) found.emplace_back(line);
    } else if (fs::is_directory(source)) {
      std::vector<fs::path> inside;
      for (auto const& entry : fs::recursive_directory_iterator(source))
        if (entry.is_regular_file() && is_font(entry.path())) inside.push_back(entry.path());
      if (inside.empty()) throw gd::Error(source, "a folder with fonts", "none in it");
      std::sort(inside.begin(), inside.end());
      found.insert(found.end(), inside.begin(), inside.end());
    } else {
      found.emplace_back(source);
    }
  }
  return found;
}

int run(Options const& options) {
  gd::check_frame(options.frame);
  auto const characters = gd::characters_of(options.characters);
  auto const files = find_files(options.sources);
  gd::LetterFolder folder(options.out);
  gd::DistinctFonts distinct(options.distinct);
  std::vector<std::string> left_out;
  std::size_t faces = 0, repeated = 0, unreadable = 0;

  gd::Interrupt const interrupt;
  for (fs::path const& file : files) {
    if (interrupt.requested()) {
      std::cerr << "letters: stopped; nothing was written\n";
      return 130;
    }
    try {
      for (gd::FontFace const& face : gd::open_font(file)) {
        ++faces;
        std::vector<gd::Letter> letters;
        for (char32_t const character : characters) {
          try {
            letters.push_back(face.draw(character, options.frame));
          } catch (gd::Error const& missing) {
            left_out.emplace_back(missing.what());
          }
        }
        if (letters.empty()) {
          left_out.resize(left_out.size() - characters.size() + 1);  // one reason will do
          continue;
        }
        if (!distinct.add(letters)) {
          ++repeated;
          left_out.push_back(face.where() + ": its letters are those of an earlier font");
          continue;
        }
        for (gd::Letter& letter : letters) {
          if (options.white_on_black) letter.picture = gd::inverted(std::move(letter.picture));
          folder.add(std::move(letter), face.name());
        }
      }
    } catch (gd::Error const& error) {
      ++unreadable;
      left_out.emplace_back(error.what());
    }
  }
  std::printf("%zu files (%zu unreadable), %zu faces (%zu like an earlier one), %zu letters\n", files.size(),
              unreadable, faces, repeated, folder.entries().size());
  if (!left_out.empty()) {
    if (folder.entries().empty()) throw gd::Error("no letter was drawn, first " + left_out.front());
    std::string text;
    for (std::string const& sentence : left_out) text += sentence + "\n";
    gd::write_file(folder.part() / "skipped.txt", text.data(), text.size());
    std::printf("what was left out: %s\n", (options.out / "skipped.txt").c_str());
  }
  folder.finish();
  std::printf("see %s\n", options.out.c_str());
  return 0;
}

int main(int argc, char** argv) try {
  Options options;
  CLI::App app("Makes a data set of letters from fonts.");
  app.add_option("sources", options.sources,
                 "font files (TTF, OTF, TTC, Type 1, WOFF), folders of them, or @list.txt of their paths")
      ->required();
  app.add_option("--characters", options.characters, "what to draw, as one word: A, or ABCabc")
      ->capture_default_str();
  app.add_option("--out", options.out, "new folder that everything is written to")->capture_default_str();
  app.add_option("--size", options.frame.size, "pixels per side")
      ->check(CLI::Range(32, 512))
      ->capture_default_str();
  auto* const baseline = app.add_option("--baseline", options.frame.baseline,
                                        "rows from the top edge to the baseline; 50 of 64 rows if not said");
  auto* const cap_height =
      app.add_option("--cap-height", options.frame.cap_height,
                     "pixels that capitals are high, measured at H; 40 of 64 rows if not said");
  app.add_option("--x-height", options.frame.x_height,
                 "pixels that small letters are high, measured at x, instead of --cap-height")
      ->check(CLI::PositiveNumber)
      ->excludes(cap_height);
  app.add_option("--centre", options.centre, "ink, or advance, which keeps the side bearings")
      ->check(CLI::IsMember({"ink", "advance"}))
      ->capture_default_str();
  app.add_option("--distinct", options.distinct,
                 "distance below which fonts count as one and the first is kept; 0 keeps all")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_flag("--white-on-black", options.white_on_black, "write white letters on black");
  try {
    app.parse(argc, argv);
  } catch (CLI::ParseError const& error) {
    int const code = app.exit(error);
    return code == 0 ? 0 : 2;
  }
  if (baseline->count() == 0) options.frame.baseline = options.frame.size * 50.0 / 64;
  if (cap_height->count() == 0) options.frame.cap_height = options.frame.size * 40.0 / 64;
  options.frame.side_bearings = options.centre == "advance";
  return run(options);
} catch (std::exception const& error) {
  std::cerr << "letters: " << error.what() << "\n";
  return 2;
}
