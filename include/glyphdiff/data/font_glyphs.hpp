#pragma once

#include <glyphdiff/ascii.hpp>
#include <glyphdiff/data/characters.hpp>
#include <glyphdiff/data/letter_frame.hpp>
#include <glyphdiff/data/letter_set.hpp>
#include <glyphdiff/error.hpp>
#include <glyphdiff/io/file.hpp>
#include <glyphdiff/io/resize.hpp>

#include <ft2build.h>
#include FT_FREETYPE_H
#include FT_BBOX_H
#include FT_OUTLINE_H
#include FT_TRUETYPE_TABLES_H

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace glyphdiff {

/// The first word of a family's name in lower case ("Yoza90b" gives "yoza"): what fonts that resemble each
/// other share, so what a split into training and held-out letters keeps together. Empty if there is no word.
inline std::string family_word(std::string const& family) {
  auto const is_letter = [](char c) { return is_ascii_letter(c) || static_cast<unsigned char>(c) >= 0x80; };
  auto const first =
      std::find_if(family.begin(), family.end(), [&](char c) { return is_letter(c) || is_ascii_digit(c); });
  if (first == family.end()) return "";
  std::string word(first, is_letter(*first) ? std::find_if_not(first, family.end(), is_letter)
                                            : std::find_if_not(first, family.end(), is_ascii_digit));
  return ascii_lower(word);
}

/// A face of a font file: what FreeType reads that has outlines (TTF, OTF, Type 1, WOFF).
class FontFace {
 public:
  /// Face `face` of the font in `bytes` at the style `instance` (from 1) of a variable font; 0: its default.
  /// Throws Error if there is none, or none with outlines.
  FontFace(std::filesystem::path path, std::shared_ptr<std::vector<std::uint8_t> const> bytes, int face,
           int instance)
      : path_(std::move(path)), bytes_(std::move(bytes)) {
    FT_Library library = nullptr;
    if (FT_Init_FreeType(&library) != 0) throw Error(path_.string(), "FreeType to start", "that it failed");
    library_.reset(library);
    FT_Face opened = nullptr;
    FT_Error const error = FT_New_Memory_Face(library, bytes_->data(), FT_Long(bytes_->size()),
                                              instance * 0x10000L + face, &opened);
    if (error != 0)
      throw Error(path_.string() + (face > 0 ? " #" + std::to_string(face) : ""), "a font",
                  "what FreeType cannot read (error " + std::to_string(error) + ")");
    face_.reset(opened);
    if (!FT_IS_SCALABLE(opened) || opened->units_per_EM == 0)
      throw Error(path_.string(), "a font with outlines", "bitmaps only");
    ascii_only_ = opened->charmap == nullptr;  // of Unicode
    if (ascii_only_ && FT_Select_Charmap(opened, FT_ENCODING_APPLE_ROMAN) != 0)
      throw Error(path_.string(), "a font that says which characters it has", "no character map");
    if (face > 0 || instance > 0) number_ = " #" + std::to_string(face);
    if (instance > 0) number_ += "." + std::to_string(instance);
    cap_height_ = height_of('H', &TT_OS2::sCapHeight);
    x_height_ = height_of('x', &TT_OS2::sxHeight);
  }

  int faces_in_file() const { return int(face_->num_faces); }
  /// Named styles of a variable font.
  int instances() const { return int(face_->style_flags >> 16); }
  std::string family() const { return face_->family_name != nullptr ? face_->family_name : ""; }
  std::string style() const { return face_->style_name != nullptr ? face_->style_name : ""; }
  /// What files are called by: the PostScript name ("DejaVuSans-Bold"), or family and style.
  std::string name() const {
    char const* const postscript = FT_Get_Postscript_Name(face_.get());
    return postscript != nullptr && *postscript != 0 ? postscript : family() + "-" + style();
  }
  /// The path, with the number of the face (and style) unless it is the first.
  std::string where() const { return path_.string() + number_; }

  /// Draws a character into the frame. Throws Error if the font lacks it, it has no ink, it would be clipped,
  /// or there is nothing to measure the font by: neither H (or x) nor its height in the OS/2 table.
  Letter draw(char32_t character, LetterFrame const& frame) const {
    bool const by_x = frame.x_height > 0;
    double const measure = by_x ? x_height_ : cap_height_;
    if (!(measure > 0))
      throw Error(where(), std::string(by_x ? "an x" : "an H") + " to measure it by", "none");
    double const scale = (by_x ? frame.x_height : frame.cap_height) / measure;  // pixels per font unit
    std::string const shown = to_utf8(character);
    if (!load(character)) throw Error(where(), "the character " + shown, "no outline of it");
    FT_Outline& outline = face_->glyph->outline;
    Box const ink = box(outline);
    double const advance = double(face_->glyph->metrics.horiAdvance) * scale;
    double const width = (ink.right - ink.left) * scale, half = 0.5 * frame.size;
    double const origin =
        frame.side_bearings ? half - 0.5 * advance : half - 0.5 * (ink.left + ink.right) * scale;
    double const left = origin + ink.left * scale, top = frame.baseline - ink.top * scale,
                 bottom = frame.baseline - ink.bottom * scale;
    if (!(width > 0 && bottom > top)) throw Error(where(), "the character " + shown, "one without ink");
    if (!fits(frame, left, top, left + width, bottom)) throw clipped(where(), shown, frame);
    return {rasterise(outline, scale, origin, frame),
            {"", shown, family_word(family().empty() ? path_.stem().string() : family()),
             path_.generic_string() + number_, scale * face_->units_per_EM, frame.baseline,
             (std::max)(0.0, cap_height_ * scale), origin, advance}};
  }

 private:
  struct Close {
    void operator()(FT_Face face) const { FT_Done_Face(face); }
    void operator()(FT_Library library) const { FT_Done_FreeType(library); }
  };
  struct Box {
    double left, bottom, right, top;  // font units, y up
  };

  /// Whether the face has an outline of the character, which is in its glyph slot then, in font units.
  bool load(char32_t character) const {
    if (ascii_only_ && character >= 0x80) return false;
    FT_UInt const glyph = FT_Get_Char_Index(face_.get(), character);
    return glyph != 0 && FT_Load_Glyph(face_.get(), glyph, FT_LOAD_NO_SCALE | FT_LOAD_NO_BITMAP) == 0 &&
           face_->glyph->format == FT_GLYPH_FORMAT_OUTLINE && face_->glyph->outline.n_points > 0;
  }

  static Box box(FT_Outline& outline) {
    FT_BBox b{};
    if (FT_Outline_Get_BBox(&outline, &b) != 0) return {};
    return {double(b.xMin), double(b.yMin), double(b.xMax), double(b.yMax)};
  }

  /// What a flat character's top lies above the baseline: measured, or as the OS/2 table has it; else 0.
  double height_of(char32_t flat, FT_Short TT_OS2::*stated) const {
    if (load(flat)) return box(face_->glyph->outline).top;
    auto const* os2 = static_cast<TT_OS2 const*>(FT_Get_Sfnt_Table(face_.get(), FT_SFNT_OS2));
    return os2 != nullptr && os2->version >= 2 && os2->version != 0xffff ? os2->*stated : 0;
  }

  /// FreeType's areas add up where contours overlap, so it draws finer than asked for.
  Image rasterise(FT_Outline& outline, double scale, double origin, LetterFrame const& frame) const {
    constexpr int finer = 4;
    int const size = finer * frame.size;
    for (int i = 0; i < outline.n_points; ++i) {
      FT_Vector& point = outline.points[i];
      point.x = std::lround(64 * finer * (double(point.x) * scale + origin));
      point.y = std::lround(64 * finer * (double(point.y) * scale + frame.size - frame.baseline));
    }
    Image image(size, size, 1);
    FT_Bitmap bitmap{};
    bitmap.rows = bitmap.width = unsigned(size);
    bitmap.pitch = size;
    bitmap.buffer = image.pixels.data();
    bitmap.num_grays = 256;
    bitmap.pixel_mode = FT_PIXEL_MODE_GRAY;
    if (FT_Outline_Get_Bitmap(library_.get(), &outline, &bitmap) != 0)
      throw Error(where(), "outlines that FreeType can draw", "one that it cannot");
    return inverted(resize(image, frame.size, frame.size, ResizeFilter::area));
  }

  std::filesystem::path path_;
  std::shared_ptr<std::vector<std::uint8_t> const> bytes_;
  std::unique_ptr<FT_LibraryRec_, Close> library_;
  std::unique_ptr<FT_FaceRec_, Close> face_;
  std::string number_;
  bool ascii_only_ = false;               // what Apple Roman has in common with Unicode
  double cap_height_ = 0, x_height_ = 0;  // font units
};

/// Opens the bytes of a font file: every face of a collection, and of a variable font every named style.
/// Throws Error, with the path, for what is no font, or a broken one; unless `skipped` is given, which then
/// gets a sentence for each face that is broken.
inline std::vector<FontFace> open_font(std::vector<std::uint8_t> content, std::filesystem::path const& path,
                                       std::vector<std::string>* skipped = nullptr) {
  constexpr int most = 1000;  // faces and styles; a broken file may claim any number
  auto const bytes = std::make_shared<std::vector<std::uint8_t> const>(std::move(content));
  std::vector<FontFace> faces;
  int count = 1;
  for (int face = 0, opened = 0; face < count; ++face) try {
      FontFace whole(path, bytes, face, 0);
      count = whole.faces_in_file();
      int const instances = whole.instances();
      opened += 1 + instances;
      if ((std::max)(count, opened) > most) {
        count = 0;
        throw Error(path.string(), "at most " + std::to_string(most) + " faces and styles", "more");
      }
      if (instances == 0) faces.push_back(std::move(whole));
      for (int instance = 1; instance <= instances; ++instance)
        faces.emplace_back(path, bytes, face, instance);
    } catch (Error const& error) {
      if (skipped == nullptr) throw;
      skipped->emplace_back(error.what());
    }
  return faces;
}

/// Opens a font file.
inline std::vector<FontFace> open_font(std::filesystem::path const& path,
                                       std::vector<std::string>* skipped = nullptr) {
  return open_font(read_file(path), path, skipped);
}

}  // namespace glyphdiff
