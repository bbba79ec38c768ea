// Makes an atlas of one or several letters drawn from many fonts, for training. See README.md beside this
// file.
//
//   g++ -std=c++20 -O2 make_letter_atlas.cpp -o make_letter_atlas $(pkg-config --cflags --libs freetype2)
//   ./make_letter_atlas fonts.tsv letters_a --exclude not_an_a.txt --read-with tesseract

#include <ft2build.h>
#include FT_FREETYPE_H
#include FT_BBOX_H
#include FT_OUTLINE_H

#include <stdlib.h>  // mkdtemp
#include <sys/wait.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#define STB_IMAGE_WRITE_IMPLEMENTATION
#include <stb/stb_image_write.h>

namespace {

// The drawing: outlines rasterised at 256, black on white, H as high as 22/32, standing on row 27/32.
constexpr int canvas = 256;
constexpr int cell = 64;
constexpr int cap_height = canvas * 22 / 32;
constexpr int baseline = canvas * 27 / 32;
constexpr int margin = canvas / 32;  // white on every side

constexpr double distinct = 3;            // L2 at 64 px on a 0..1 scale: nearer letters are one letter
constexpr double held_out_share = 0.102;  // of the letters, by whole families
constexpr int columns = 36;

using Picture = std::vector<std::uint8_t>;  // (canvas or cell squared), 255 = white

struct Letter {
  std::string file, package, licence, family;
  char character = 'A';
  Picture large, pixels;  // 256 (only where it will be read) and 64 px
  bool held_out = false;

  std::string file_name() const { return std::filesystem::path(file).filename().string(); }

  /// The first word of the family name in lower case ("Yoza90b" gives "yoza"): what the held-out split keeps
  /// together.
  std::string family_word() const {
    auto const is_letter = [](unsigned char c) { return std::isalpha(c) || c >= 0x80; };
    auto const is_digit = [](unsigned char c) { return std::isdigit(c) != 0; };
    auto const first =
        std::find_if(family.begin(), family.end(), [&](char c) { return is_letter(c) || is_digit(c); });
    if (first == family.end()) return "";
    std::string word(first, is_letter(*first) ? std::find_if_not(first, family.end(), is_letter)
                                              : std::find_if_not(first, family.end(), is_digit));
    std::transform(word.begin(), word.end(), word.begin(), [](unsigned char c) { return std::tolower(c); });
    return word;
  }
};

[[noreturn]] void fail(std::string const& sentence) {
  std::cerr << "make_letter_atlas: " << sentence << "\n";
  std::exit(2);
}

std::vector<std::string> read_lines(std::string const& path) {
  std::ifstream file(path);
  if (!file) fail("cannot read " + path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);)
    if (!line.empty() && line[0] != '#') lines.push_back(line);
  return lines;
}

Picture box_downsample(Picture const& image, int from, int to) {
  int const factor = from / to;
  Picture out(to * to);
  for (int y = 0; y < to; ++y)
    for (int x = 0; x < to; ++x) {
      int sum = 0;
      for (int v = 0; v < factor; ++v)
        for (int u = 0; u < factor; ++u) sum += image[(y * factor + v) * from + x * factor + u];
      out[y * to + x] = static_cast<std::uint8_t>((sum + factor * factor / 2) / (factor * factor));
    }
  return out;
}

/// Loads a character's outline in font units; false for a missing or empty one.
bool load_outline(FT_Face face, FT_ULong character) {
  FT_UInt const glyph = FT_Get_Char_Index(face, character);
  return glyph != 0 && FT_Load_Glyph(face, glyph, FT_LOAD_NO_SCALE | FT_LOAD_NO_BITMAP) == 0 &&
         face->glyph->format == FT_GLYPH_FORMAT_OUTLINE && face->glyph->outline.n_points > 0;
}

FT_BBox exact_box(FT_Outline& outline) {
  FT_BBox box;
  FT_Outline_Get_BBox(&outline, &box);
  return box;
}

/// Draws one character; an empty answer says why not in `reason`.
std::optional<Picture> draw(FT_Library library, FT_Face face, char character, std::string& reason) {
  if (!FT_IS_SCALABLE(face)) return reason = "bitmaps only", std::nullopt;
  if (face->charmap == nullptr && FT_Select_Charmap(face, FT_ENCODING_APPLE_ROMAN) != 0)
    return reason = "no character map", std::nullopt;
  if (!load_outline(face, 'H')) return reason = "no H to scale by", std::nullopt;
  FT_BBox const h = exact_box(face->glyph->outline);
  if (h.yMax - h.yMin <= 0) return reason = "no H to scale by", std::nullopt;
  if (!load_outline(face, static_cast<unsigned char>(character)))
    return reason = "letter missing or empty", std::nullopt;

  FT_Outline& outline = face->glyph->outline;
  double const scale = 64.0 * cap_height / static_cast<double>(h.yMax - h.yMin);  // font units to 1/64 px
  FT_BBox const ink = exact_box(outline);
  double const half = 64.0 * canvas / 2;
  if ((ink.xMax - ink.xMin) * scale > 2 * (half - 64.0 * margin) ||
      ink.yMax * scale > 64.0 * (baseline - margin) ||
      ink.yMin * scale < -64.0 * (canvas - baseline - margin))
    return reason = "too big (swash)", std::nullopt;
  double const centre = (ink.xMin + ink.xMax) / 2.0;
  for (int i = 0; i < outline.n_points; ++i) {
    FT_Vector& point = outline.points[i];
    point.x = std::lround((point.x - centre) * scale + half);
    point.y = std::lround(point.y * scale + 64.0 * (canvas - baseline));
  }

  Picture image(canvas * canvas, 0);
  FT_Bitmap bitmap{};
  bitmap.rows = bitmap.width = bitmap.pitch = canvas;
  bitmap.buffer = image.data();
  bitmap.num_grays = 256;
  bitmap.pixel_mode = FT_PIXEL_MODE_GRAY;
  if (FT_Outline_Get_Bitmap(library, &outline, &bitmap) != 0) return reason = "cannot be drawn", std::nullopt;
  for (std::uint8_t& value : image) value = 255 - value;
  return image;
}

/// Capitals stand on the baseline and end at the cap height, give or take what swashes and rough edges need.
bool sane_ink(Picture const& pixels) {
  int top = cell, bottom = -1;
  for (int y = 0; y < cell; ++y)
    for (int x = 0; x < cell; ++x)
      if (pixels[y * cell + x] < 128) top = std::min(top, y), bottom = y;
  constexpr int cap_top = (baseline - cap_height) * cell / canvas, last_row = baseline * cell / canvas - 1;
  return std::abs(top - cap_top) <= 6 && std::abs(bottom - last_row) <= 4;
}

/// Which of the letters tesseract reads as what they are, with the whole alphabet or with capitals only.
std::vector<bool> read_back(std::string const& tesseract, std::vector<Letter> const& letters) {
  constexpr int size = 128;
  std::string pattern = (std::filesystem::temp_directory_path() / "letters.XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) fail("cannot make a temporary folder like " + pattern);
  std::filesystem::path const folder = pattern;
  {
    std::ofstream list(folder / "list.txt");
    for (std::size_t i = 0; i < letters.size(); ++i) {
      std::string const path = (folder / (std::to_string(i) + ".png")).string();
      if (!stbi_write_png(path.c_str(), size, size, 1, box_downsample(letters[i].large, canvas, size).data(),
                          size))
        fail("cannot write " + path);
      list << path << "\n";
    }
  }
  std::vector<bool> read(letters.size(), false);
  for (std::string whitelist : {"", "-c tessedit_char_whitelist=ABCDEFGHIJKLMNOPQRSTUVWXYZ"}) {
    std::string const command = "OMP_THREAD_LIMIT=1 '" + tesseract + "' '" + (folder / "list.txt").string() +
                                "' '" + (folder / "out").string() + "' --psm 10 " + whitelist +
                                " 2>/dev/null";
    if (std::system(command.c_str()) != 0) fail("this command failed: " + command);
    std::ifstream file(folder / "out.txt");
    std::string page;
    for (std::size_t i = 0; i < letters.size() && std::getline(file, page, '\f'); ++i) {
      std::erase_if(page, [](unsigned char c) { return std::isspace(c); });
      if (page == std::string(1, letters[i].character)) read[i] = true;
    }
  }
  std::filesystem::remove_all(folder);
  return read;
}

double distance(Picture const& a, Picture const& b) {
  long sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += (int(a[i]) - int(b[i])) * (int(a[i]) - int(b[i]));
  return std::sqrt(static_cast<double>(sum)) / 255;
}

/// Holds out whole families, in the order of a hash of their first word, until the share is reached. A family
/// that would be more than a twelfth of it trains, so that the held-out letters are many kinds of letter.
void split(std::vector<Letter>& letters) {
  std::map<std::string, std::size_t> families;
  for (Letter const& letter : letters) ++families[letter.family_word()];
  std::vector<std::pair<std::uint64_t, std::string>> order;
  for (auto const& [word, count] : families) {
    std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
    for (unsigned char c : word) hash = (hash ^ c) * 0x100000001b3;
    order.emplace_back(hash, word);
  }
  std::sort(order.begin(), order.end());
  auto const target = static_cast<std::size_t>(std::lround(held_out_share * letters.size()));
  std::size_t count = 0;
  std::set<std::string> held_out;
  for (auto const& [hash, word] : order)
    if (families[word] <= target / 12 && count + families[word] <= target)
      count += families[word], held_out.insert(word);
  for (Letter& letter : letters) letter.held_out = held_out.count(letter.family_word()) != 0;
}

template <class Drop>
void remove_and_report(std::vector<Letter>& letters, char const* what, Drop drop) {
  std::size_t const before = letters.size();
  std::erase_if(letters, drop);
  std::cout << what << ": " << before - letters.size() << " removed, " << letters.size() << " left\n";
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Draws letters from many fonts into an atlas PNG and a list of what was drawn."};
  std::string fonts, output, exclude, tesseract, like, characters = "A";
  app.add_option("fonts", fonts, "TSV of font file, package, licence (collect_fonts.sh makes it)")
      ->required();
  app.add_option("output", output, "what to write: OUTPUT.png and OUTPUT.tsv")->required();
  app.add_option("--letter", characters, "which characters to draw, as one word: A, or BCDEF");
  app.add_option("--like", like,
                 "TSV of another atlas: draw its fonts alone, and hold out what it holds out");
  app.add_option("--exclude", exclude, "text file: one font file name a line that a person has ruled out");
  app.add_option("--read-with", tesseract, "keep what this tesseract program reads as the letter");
  CLI11_PARSE(app, argc, argv);

  std::map<std::string, bool> held_out;  // by font file name, of the other atlas
  if (!like.empty())
    for (std::string const& line : read_lines(like)) {
      std::vector<std::string> fields;
      std::istringstream rest(line);
      for (std::string field; std::getline(rest, field, '\t');) fields.push_back(field);
      if (fields.size() == 6) held_out[fields[2]] = fields[5] == "held_out";
    }

  FT_Library library;
  if (FT_Init_FreeType(&library) != 0) fail("FreeType does not start");

  std::vector<Letter> letters;
  std::map<std::string, int> reasons;
  std::filesystem::path const root = std::filesystem::path(fonts).parent_path();
  std::vector<std::string> const lines = read_lines(fonts);
  for (std::string const& line : lines) {
    Letter letter;
    std::istringstream fields(line);
    std::getline(fields, letter.file, '\t');
    std::getline(fields, letter.package, '\t');
    std::getline(fields, letter.licence);
    if (!like.empty() && held_out.count(letter.file_name()) == 0) continue;
    FT_Long faces = 1;
    for (FT_Long index = 0; index < faces; ++index) {
      FT_Face face;
      if (FT_New_Face(library, (root / letter.file).c_str(), index, &face) != 0) {
        ++reasons["unreadable font"];
        break;
      }
      faces = face->num_faces;
      for (char character : characters) {
        std::string reason;
        std::optional<Picture> picture = draw(library, face, character, reason);
        if (!picture) {
          ++reasons[reason];
          continue;
        }
        letter.character = character;
        letter.pixels = box_downsample(*picture, canvas, cell);
        if (!tesseract.empty()) letter.large = *std::move(picture);
        letter.family = face->family_name != nullptr ? face->family_name : "";
        for (char& c : letter.family)
          if (static_cast<unsigned char>(c) < ' ') c = ' ';
        if (letter.family_word().empty()) letter.family = letter.package.substr(letter.package.find('-') + 1);
        letters.push_back(letter);
      }
      FT_Done_Face(face);
    }
  }
  FT_Done_FreeType(library);
  std::cout << lines.size() << " font files, " << letters.size() << " letters drawn\n";
  for (auto const& [reason, count] : reasons) std::cout << "  " << count << " not drawn: " << reason << "\n";

  // The order of the atlas, and which of several equal letters stays.
  std::stable_sort(letters.begin(), letters.end(), [](Letter const& a, Letter const& b) {
    return std::make_tuple(a.character, a.family_word(), a.family, a.file_name(), a.file) <
           std::make_tuple(b.character, b.family_word(), b.family, b.file_name(), b.file);
  });

  std::set<Picture> seen;
  remove_and_report(letters, "exact duplicates",
                    [&](Letter const& l) { return !seen.insert(l.pixels).second; });
  remove_and_report(letters, "ink too high, too low or too small",
                    [](Letter const& l) { return !sane_ink(l.pixels); });
  if (!tesseract.empty()) {
    std::vector<bool> const read = read_back(tesseract, letters);
    remove_and_report(letters, "not read as the letter",
                      [&, i = std::size_t{0}](Letter const&) mutable { return !read[i++]; });
  }
  if (!exclude.empty()) {
    std::vector<std::string> const names = read_lines(exclude);
    std::set<std::string> const excluded(names.begin(), names.end());
    remove_and_report(letters, "ruled out by hand",
                      [&](Letter const& l) { return excluded.count(l.file_name()) != 0; });
  }
  std::vector<Letter> kept;
  for (Letter const& letter : letters)
    if (std::none_of(kept.begin(), kept.end(), [&](Letter const& k) {
          return k.character == letter.character && distance(k.pixels, letter.pixels) < distinct;
        }))
      kept.push_back(letter);
  std::cout << "near duplicates: " << letters.size() - kept.size() << " removed, " << kept.size()
            << " left\n";
  if (kept.empty()) fail("no letter is left to write");
  if (like.empty())
    split(kept);
  else
    for (Letter& letter : kept) letter.held_out = held_out[letter.file_name()];

  int const rows = static_cast<int>((kept.size() + columns - 1) / columns), width = columns * cell;
  Picture atlas(static_cast<std::size_t>(rows) * cell * width, 255);
  std::ofstream list(output + ".tsv");
  list << "index\tfamily\tfont\tpackage\tlicence\tsplit\n";
  for (std::size_t i = 0; i < kept.size(); ++i) {
    Letter const& letter = kept[i];
    for (int y = 0; y < cell; ++y)
      std::copy_n(&letter.pixels[y * cell], cell,
                  &atlas[(i / columns * cell + y) * width + i % columns * cell]);
    list << i << '\t' << letter.family << '\t' << letter.file_name()
         << (characters.size() > 1 ? std::string(" ") + letter.character : "") << '\t' << letter.package
         << '\t' << letter.licence << '\t' << (letter.held_out ? "held_out" : "train") << '\n';
  }
  list.flush();
  if (!list) fail("cannot write " + output + ".tsv");
  stbi_write_png_compression_level = 9;
  if (!stbi_write_png((output + ".png").c_str(), width, rows * cell, 1, atlas.data(), width))
    fail("cannot write " + output + ".png");
  std::cout << output << ".png and .tsv: " << kept.size() << " letters, "
            << std::count_if(kept.begin(), kept.end(), [](Letter const& l) { return l.held_out; })
            << " held out\n";
}
