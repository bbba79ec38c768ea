#pragma once

#include <glyphdiff/data/characters.hpp>
#include <glyphdiff/data/ink_box.hpp>
#include <glyphdiff/data/letter_frame.hpp>
#include <glyphdiff/data/letter_set.hpp>
#include <glyphdiff/error.hpp>
#include <glyphdiff/io/image.hpp>
#include <glyphdiff/io/resize.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace glyphdiff {

/// What a character says about the frame that it is drawn in.
enum class LetterKind {
  capital,   ///< from the baseline to the cap height; also digits, and scripts that nothing is known of
  x_height,  ///< from the baseline to the x-height
  tall,      ///< from the baseline to the height of b, which is taken for the cap height
  other,     ///< reaches below the baseline, or ends somewhere else: g, Q, t, a comma, letters with accents
};

inline LetterKind letter_kind(char32_t character) {
  if (character < 128) {
    char const c = char(character);
    if (std::string_view("acemnorsuvwxz").find(c) != std::string_view::npos) return LetterKind::x_height;
    if (std::string_view("bdhkl").find(c) != std::string_view::npos) return LetterKind::tall;
    bool const standing = (c >= 'A' && c <= 'Z' && c != 'J' && c != 'Q') || (c >= '0' && c <= '9');
    return standing ? LetterKind::capital : LetterKind::other;
  }
  constexpr std::u32string_view capitals = U"ÆÐÞŒΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩАБВГЕЖЗИКЛМНОПРСТУФХЧШЪЫЬЭЮЯ",
                                smalls = U"æœıαεικνοπστυωавгежзиклмнопстхчшъыьэюя";
  if (capitals.find(character) != std::u32string_view::npos) return LetterKind::capital;
  if (smalls.find(character) != std::u32string_view::npos) return LetterKind::x_height;
  bool const known_script = character < 0x250 || (character >= 0x370 && character < 0x530) ||
                            (character >= 0x1e00 && character < 0x2070);  // and punctuation
  return known_script ? LetterKind::other : LetterKind::capital;
}

/// What drawings of one hand share: what stands in their names between the first underscore and the ending
/// (A_bold.png and B_bold.png), or else their folder's name.
inline std::string family_of_drawing(std::filesystem::path const& file) {
  std::string const stem = file.stem().string();
  std::size_t const underscore = stem.find('_');
  if (underscore != std::string::npos && underscore + 1 < stem.size()) return stem.substr(underscore + 1);
  std::string const folder = file.parent_path().filename().string();
  return folder.empty() ? "drawings" : folder;
}

/// How a drawing comes into its frame: a point (x, y) of it at (left + scale x, top + scale y).
struct Placement {
  double scale, left, top;
};

/// A drawn letter's measures, in pixels of the drawing.
struct DrawnLetter {
  char32_t character;
  InkBox ink;
};

/// The scale and the baseline that drawings have in common, which were drawn in one frame: medians over what
/// stands on the baseline, and what reaches to the cap height or x-height, so that round letters keep their
/// overshoot and no letter is moved against another. Of the Placement `left` is 0.
/// Throws Error if no letter says where they are.
inline Placement common_placement(std::vector<DrawnLetter> const& letters, LetterFrame const& frame) {
  std::vector<double> bottoms, capitals, smalls, talls;
  for (DrawnLetter const& letter : letters) {
    LetterKind const kind = letter_kind(letter.character);
    if (kind == LetterKind::other) continue;
    bottoms.push_back(letter.ink.bottom);
    (kind == LetterKind::capital    ? capitals
     : kind == LetterKind::x_height ? smalls
                                    : talls)
        .push_back(letter.ink.top);
  }
  auto const median = [](std::vector<double>& values) {
    auto const middle = values.begin() + std::ptrdiff_t(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
  };
  bool const by_x = frame.x_height > 0;
  std::vector<double>& tops = by_x ? smalls : !capitals.empty() ? capitals : talls;
  if (tops.empty())
    throw Error("drawings",
                by_x ? "a small letter such as x to measure the x-height by"
                     : "a capital to measure the cap height by, or --x-height",
                "none");
  double const baseline = median(bottoms), height = baseline - median(tops);
  if (!(height > 0)) throw Error("drawings", "letters that stand on one baseline", "others");
  double const scale = (by_x ? frame.x_height : frame.cap_height) / height;
  return {scale, 0, frame.baseline - scale * baseline};
}

/// Brings one drawing to the frame by itself: its ink ends on the baseline and at the cap height, or for a
/// small letter at the x-height (7/10 of the cap height, or what the frame says). A round letter loses its
/// overshoot. Throws Error for a letter that reaches below the baseline: nothing says how far.
inline Placement fitted_placement(DrawnLetter const& letter, LetterFrame const& frame,
                                  std::string const& name) {
  LetterKind const kind = letter_kind(letter.character);
  if (kind == LetterKind::other)
    throw Error(name, "a letter that stands on the baseline and ends at the cap height or x-height",
                "one of another kind, which is placed along with others that are drawn in one frame");
  constexpr double x_to_cap = 0.7;
  double const cap_height = frame.x_height > 0 ? frame.x_height / x_to_cap : frame.cap_height;
  double const height = kind == LetterKind::x_height ? x_to_cap * cap_height : cap_height;
  double const scale = height / letter.ink.height();
  return {scale, 0, frame.baseline - scale * letter.ink.bottom};
}

namespace detail {

/// What share each source pixel has in target pixel `i`, which covers `1 / scale` of them.
inline ResizeTaps placed_taps(int i, int from, double scale, double start) {
  double const begin = (i - start) / scale, end = (i + 1 - start) / scale;
  int const first = std::clamp(int(std::floor(begin)), 0, from),
            last = std::clamp(int(std::ceil(end)), 0, from);
  ResizeTaps taps{first, {}};
  for (int k = first; k < last; ++k)
    taps.weights.push_back(
        float((std::max)(0.0, (std::min)(end, k + 1.0) - (std::max)(begin, double(k))) * scale));
  return taps;
}

}  // namespace detail

/// The part of a picture that a frame of `size` shows, with some pixels around it.
inline Image shown_part(Image const& picture, Placement& at, int size) {
  constexpr double around = 4;
  auto const range = [&](double start, int extent) {
    double const first = std::floor(-start / at.scale - around),
                 last = std::ceil((size - start) / at.scale + around);
    int const begin = int(std::clamp(first, 0.0, double(extent - 1)));
    return std::pair(begin, (std::max)(begin + 1, int(std::clamp(last, 0.0, double(extent)))));
  };
  auto const [left, right] = range(at.left, picture.width);
  auto const [top, bottom] = range(at.top, picture.height);
  Image part(bottom - top, right - left, 1);
  for (int y = top; y < bottom; ++y) std::copy_n(picture.at(y, left), right - left, part.at(y - top, 0));
  at.left += left * at.scale, at.top += top * at.scale;
  return part;
}

/// A gray picture placed on white paper of (size, size): every pixel is the mean of what it covers.
inline Image place_drawing(Image picture, Placement at, int size) {
  if (at.scale > 1) {  // means would be blocks
    picture = shown_part(picture, at, size);
    int const larger = int(std::ceil(at.scale));
    picture = resize(picture, larger * picture.height, larger * picture.width);
    at.scale /= larger;
  }
  std::vector<float> wide(std::size_t(picture.height) * std::size_t(size), 0.0f);  // (H, size), ink
  for (int x = 0; x < size; ++x) {
    auto const [first, weights] = detail::placed_taps(x, picture.width, at.scale, at.left);
    for (int y = 0; y < picture.height && !weights.empty(); ++y) {
      std::uint8_t const* in = picture.at(y, 0) + first;
      float sum = 0;
      for (float const weight : weights) sum += weight * float(255 - *in++);
      wide[std::size_t(y) * std::size_t(size) + std::size_t(x)] = sum;
    }
  }
  Image result(size, size, 1);
  std::vector<float> row(static_cast<std::size_t>(size));
  for (int y = 0; y < size; ++y) {
    auto const [first, weights] = detail::placed_taps(y, picture.height, at.scale, at.top);
    std::fill(row.begin(), row.end(), 0.0f);
    float const* in = wide.data() + std::size_t(first) * std::size_t(size);
    for (float const weight : weights)
      for (float& sum : row) sum += weight * *in++;
    std::transform(row.begin(), row.end(), result.at(y, 0),
                   [](float ink) { return std::uint8_t(255 - std::lround(std::clamp(ink, 0.0f, 255.0f))); });
  }
  return result;
}

/// A drawing as a letter of the frame, centred by its ink, or, where side bearings are kept, by its own
/// width. Throws Error if it would be clipped, or is too small to be more than a blot. `name` is its file.
inline Letter place_letter(Image const& picture, DrawnLetter const& letter, Placement at,
                           LetterFrame const& frame, std::string const& name) {
  InkBox const& ink = letter.ink;
  double const half = 0.5 * frame.size, width = picture.width * at.scale;
  at.left = half - (frame.side_bearings ? 0.5 * width : 0.5 * (ink.left + ink.right) * at.scale);
  std::string const shown = to_utf8(letter.character);
  if (!fits(frame, at.left + at.scale * ink.left, at.top + at.scale * ink.top, at.left + at.scale * ink.right,
            at.top + at.scale * ink.bottom))
    throw clipped(name, shown, frame);
  constexpr double most = 16;  // times that a drawing is enlarged
  if (at.scale > most)
    throw Error(name, "ink that is larger than a few pixels",
                "that it would have to be enlarged more than " + std::to_string(int(most)) + " times");
  return {
      place_drawing(picture, at, frame.size),
      {"", shown, family_of_drawing(name), std::filesystem::path(name).generic_string(), at.scale,
       frame.baseline, frame.x_height > 0 ? 0 : frame.cap_height, at.left, frame.side_bearings ? width : 0}};
}

}  // namespace glyphdiff
