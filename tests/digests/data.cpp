// Data sets: from fonts, drawings, folders of pictures and the atlas; batches and variations of them.
#include "../io/temporary_folder.hpp"
#include "built_in_letters.hpp"
#include "sections.hpp"

#include <glyphdiff/data/alphabet_batches.hpp>
#include <glyphdiff/data/augment.hpp>
#include <glyphdiff/data/check_letters.hpp>
#include <glyphdiff/data/distinct_fonts.hpp>
#include <glyphdiff/data/font_glyphs.hpp>
#include <glyphdiff/data/image_folder.hpp>
#include <glyphdiff/data/judged_letters.hpp>
#include <glyphdiff/data/letter_batches.hpp>
#include <glyphdiff/data/letter_folder.hpp>
#include <glyphdiff/data/letter_line.hpp>
#include <glyphdiff/data/place_drawing.hpp>
#include <glyphdiff/io/resize.hpp>

#include <filesystem>
#include <string>

using namespace glyphdiff;
namespace fs = std::filesystem;

static Digest& operator<<(Digest& digest, LetterEntry const& e) {
  return digest << e.file << e.character << e.family << e.source << e.scale << e.baseline << e.cap_height
                << e.origin << e.advance;
}

static Digest& operator<<(Digest& digest, Letter const& letter) {
  return digest << letter.picture << letter.entry;
}

static Digest& operator<<(Digest& digest, ImageDataset const& set) {
  return digest.bytes(set.images.data(), set.images.size() * sizeof(float)) << set.names;
}

namespace {

fs::path const root = GLYPHDIFF_SOURCE;

/// These depend on the distribution's FreeType, which draws the outlines.
void fonts() {
  LetterFrame by_cap{.baseline = 50},
      by_x{.size = 32, .baseline = 22, .cap_height = 0, .x_height = 12, .side_bearings = true};
  for (char const* name : {"small.ttf", "squares.ttf", "squares.ttc", "squares_variable.ttf"}) {
    Digest digest;
    DistinctFonts distinct;
    for (FontFace const& face : open_font(read_file(root / "tests/data/fixtures" / name), name)) {
      std::vector<Letter> letters;
      for (char32_t const character : {U'A', U'H', U'g', U'x'})
        for (LetterFrame const& frame : {by_cap, by_x}) try {
            letters.push_back(face.draw(character, frame));
            digest << letters.back();
          } catch (Error const&) {
            digest << false;
          }
      digest << face.name() << distinct.add(letters);
    }
    print_digest(std::string("fonts-by-freetype/") + name, digest);
  }
}

/// A built-in letter as a drawing: larger, on a transparent or gray sheet, in colour.
Image sheet(std::size_t number, int size, int paper, bool transparent) {
  Image const letter = resize(built_in_letter(number), size, size);
  Image result(size, size, 4);
  for (std::size_t i = 0; i < letter.pixels.size(); ++i) {
    int const value = letter.pixels[i];
    result.pixels[4 * i] = std::uint8_t(value * paper / 255);
    result.pixels[4 * i + 1] = std::uint8_t((20 + value) * paper / 275);
    result.pixels[4 * i + 2] = std::uint8_t((40 + value) * paper / 295);
    result.pixels[4 * i + 3] = std::uint8_t(transparent ? 255 - value : 255);
  }
  return result;
}

void drawings() {
  LetterFrame const frame{.baseline = 50};
  std::vector<Drawing> made{make_drawing(sheet(3, 300, 255, false)), make_drawing(sheet(50, 300, 200, false)),
                            make_drawing(sheet(90, 300, 255, true)), make_drawing(sheet(7, 300, 255, true))};
  std::u32string const characters = U"AHxg";
  std::vector<DrawnLetter> letters;
  Digest digest;
  for (std::size_t i = 0; i < made.size(); ++i) {
    InkBox const ink = ink_box(made[i].picture).value();
    digest << made[i].picture << made[i].notes.size() << ink.left << ink.top << ink.right << ink.bottom;
    letters.push_back({characters[i], ink});
  }
  print_digest("drawings/made", digest);
  Digest common, fitted;
  Placement const at = common_placement(letters, frame);
  for (std::size_t i = 0; i < made.size(); ++i) {
    std::string const name = "hand/" + to_utf8(characters[i]) + "_bold.png";
    common << place_letter(made[i].picture, letters[i], at, frame, name);
    if (characters[i] != U'g')
      fitted << place_letter(made[i].picture, letters[i], fitted_placement(letters[i], frame, name), frame,
                             name);
  }
  print_digest("drawings/placed-together", common);
  print_digest("drawings/placed-each", fitted);
  std::string const svg =
      R"(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 70 90"><path d="M10 80 L30 8 C40 4 50 30 60 80 Z"/></svg>)";
  Image const drawn = draw_svg({reinterpret_cast<std::uint8_t const*>(svg.data()), svg.size()}, 100, "svg");
  print_digest("drawings/svg-by-librsvg", digest_of(make_drawing(drawn).picture));
}

/// A data set on disk, what its check finds, and what reads it. PNG files depend on the distribution's stb.
void folders() {
  TemporaryFolder const folder;
  fs::path const set = folder / "letters", pictures = folder / "pictures";
  {
    LetterFolder writer(set);
    for (std::size_t i = 0; i < 60; ++i)
      writer.add({built_in_letter(i % 57),
                  {"", i % 9 == 8 ? "B" : "A", "family" + std::to_string(i % 20), "some.ttf", 51.2, 50,
                   40 - double(i) / 7, 3.25, 60.5}},
                 "Some Font-" + std::to_string(i % 5));
    writer.finish();
  }
  print_digest("folder/manifest", digest_of(read_file(set / "letters.tsv")));
  Digest files, loaded, faults;
  LetterSet const letters = load_letter_set(set);
  for (std::size_t i = 0; i < letters.entries.size(); ++i) {
    files << read_file(set / letters.entries[i].file);
    loaded << letters.pictures[i] << letters.entries[i];
  }
  print_digest("folder/png-by-stb", files);
  print_digest("folder/letter-set", loaded);
  for (LetterFault const& fault : check_letters(set).faults)
    faults << int(fault.fault) << fault.letter << fault.other.value_or(0);
  print_digest("folder/faults", faults << letter_sheet(set, letters.entries));
  JudgedLetters judged = load_letters(set, 32, "A", LetterSplit::train);
  ImageDataset const held_out = hold_out_letters(judged).first;
  print_digest("folder/judged", digest_of(judged.letters, judged.families, held_out));

  fs::create_directory(pictures);
  for (int i = 0; i < 3; ++i)
    write_png(pictures / (std::to_string(i) + ".png"), sheet(std::size_t(i), 90, 230, i == 1));
  Image const wide(40, 25, 3, 77);
  write_png(pictures / "wide.png", wide);
  for (char const* name : {"cmyk.jpg", "gray_progressive.jpg", "gray16.png", "bits.png"})
    fs::copy_file(root / "tests/io/fixtures" / name, pictures / name);
  print_digest("folder/images-gray", digest_of(load_image_folder(pictures, 48, 1, true).dataset));
  print_digest("folder/images-colour", digest_of(load_image_folder(pictures, 40, 3).dataset));
}

void letters() {
  for (int const size : {32, 64}) {
    LetterAtlas const& atlas = built_in_letters(size);
    print_digest("atlas/" + std::to_string(size), digest_of(atlas.train, atlas.held_out));
  }
  ImageDataset some = select_images(built_in_letters(64).train,
                                    {1,  5,  9,  13, 17, 21, 25, 29, 33, 37, 41, 45, 49, 53, 57, 61,
                                     65, 69, 73, 77, 81, 85, 89, 93, 97, 2,  6,  10, 14, 18, 22, 26});
  ImageDataset const held_out = hold_out_tenth(some);
  print_digest("dataset/held-out", digest_of(some, held_out));
  Digest plain, varied;
  LetterBatches batches(some, 32, 7, 3, LetterAugmentation{}),
      heavier(some, 64, 7, 3, few_letters_augmentation, 5);
  for (int const step : {0, 4, 5}) {
    plain << batches(step);
    varied << heavier(step);
  }
  print_digest("batches/width-and-slant", plain);
  print_digest("batches/weight-and-contrast", varied);

  std::vector<StyledLetter> styled;
  for (std::size_t i = 0; i < 24; ++i)
    styled.push_back({built_in_letter(i), int(i * 7 % 66), "style " + std::to_string(i / 6)});
  AlphabetBatches alphabet(styled, {.batch = 16, .seed = 4, .augmentation = LetterAugmentation{}});
  Digest batch;
  for (int const step : {0, 3})
    batch << alphabet(step).images << alphabet(step).labels << alphabet(step).condition;
  print_digest("batches/alphabet", batch);

  Image const a = built_in_letter(11), b = built_in_letter(200);
  Digest sizes;
  for (ResizeFilter const filter : {ResizeFilter::area, ResizeFilter::cubic})
    sizes << resize(a, 23, 40, filter) << resize(a, 100, 131, filter)
          << fit_to_square(resize(b, 50, 31), 48, filter);
  print_digest("pictures/resized", sizes);
  LetterEntry const entry{.origin = 4.6, .advance = 57.3};
  print_digest("pictures/line", digest_of(letter_line({&a, nullptr, &b}, {entry, entry, entry})));
}

}  // namespace

void data_digests() {
  letters();
  drawings();
  folders();
  fonts();
}
