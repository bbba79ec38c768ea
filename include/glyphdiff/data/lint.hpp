#pragma once

#include <glyphdiff/data/characters.hpp>
#include <glyphdiff/data/drawing.hpp>
#include <glyphdiff/data/ink_box.hpp>
#include <glyphdiff/data/letter_set.hpp>
#include <glyphdiff/data/place_drawing.hpp>
#include <glyphdiff/data/small_picture.hpp>
#include <glyphdiff/number_text.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace glyphdiff {

/// What may be wrong with a data set of letters.
enum class Fault {
  off_baseline,
  odd_size,
  clipped,
  blank,
  near_duplicate,
  mirrored,
  coloured,
  transparent,
  too_few
};

/// What is wrong with a letter.
struct LetterFault {
  Fault fault;
  std::size_t letter = 0;  ///< its number; of too_few none
  std::string sentence{};
  std::optional<std::size_t> other{};  ///< the letter that it is a near-duplicate of
};

/// Looks for faults in letters that come one by one; it keeps small pictures of them alone.
class LetterLint {
 public:
  static constexpr std::size_t enough = 50;     ///< letters that training needs
  static constexpr double off_baseline = 0.05;  ///< share of the cap height; overshoots are a third of it
  static constexpr double odd_size = 0.20;      ///< share of the height that is usual for the character
  static constexpr double near_duplicate = 1;   ///< Euclidean distance at 64 x 64 on a scale of 0 to 1
  static constexpr double mirrored =
      0.08;  ///< by how much a mirrored letter is more like the others, in correlation
  static constexpr std::size_t fewest_alike = 8;  ///< letters that say what is usual for a character

  /// Takes a letter as its file has it (RGBA), and what the manifest says of it: of its measures 0 if there
  /// is no manifest. Throws Error if its character is no UTF-8.
  void add(Image const& rgba, LetterEntry const& entry) {
    std::size_t const number = letters_.size();
    auto characters = characters_of(entry.character);  // refuses before anything is remembered
    Image picture = make_drawing(rgba).picture;
    if (is_transparent(rgba)) found_.push_back({Fault::transparent, number, "has transparent parts"});
    if (is_coloured(rgba)) found_.push_back({Fault::coloured, number, "has colours"});
    auto const ink = ink_box(picture);
    if (!ink)
      found_.push_back({Fault::blank, number, "has no ink, or none that covers half a pixel"});
    else if (touches_edge(picture))
      found_.push_back({Fault::clipped, number, "touches the edge of its picture"});
    int const height = picture.height, width = picture.width;
    letters_.push_back(
        {std::move(characters), ink, height, width, entry.baseline, SmallPicture(std::move(picture))});
    groups_[entry.character].push_back(number);
  }

  /// All that is wrong, by kind, and of each kind in the order of the letters.
  std::vector<LetterFault> faults() const {
    std::vector<LetterFault> all = found_;
    if (letters_.size() < enough)
      all.push_back({Fault::too_few, 0,
                     std::to_string(letters_.size()) + " letters, where training needs " +
                         std::to_string(enough) + " or more"});
    check_sizes(all);
    check_baselines(all);
    for (auto const& [character, group] : groups_) {
      check_heights(group, all);
      check_duplicates(group, all);
      check_mirrored(group, all);
    }
    std::stable_sort(all.begin(), all.end(), [](LetterFault const& a, LetterFault const& b) {
      return std::pair(a.fault, a.letter) < std::pair(b.fault, b.letter);
    });
    return all;
  }

 private:
  using Group = std::vector<std::size_t>;

  struct Measured {
    std::vector<char32_t> characters;
    std::optional<InkBox> ink;
    int height, width;
    double baseline;
    SmallPicture picture;
  };

  static double median(std::vector<double> values) {
    auto const middle = values.begin() + std::ptrdiff_t(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
  }

  static std::string share(double value) { return fixed_text(100 * value, 0) + " %"; }

  /// Pictures of another size than most.
  void check_sizes(std::vector<LetterFault>& all) const {
    std::map<std::pair<int, int>, std::size_t> sizes;
    for (Measured const& letter : letters_) ++sizes[{letter.height, letter.width}];
    if (sizes.size() < 2) return;
    auto const usual = std::max_element(sizes.begin(), sizes.end(), [](auto const& a, auto const& b) {
                         return a.second < b.second;
                       })->first;
    for (std::size_t i = 0; i < letters_.size(); ++i)
      if (std::pair(letters_[i].height, letters_[i].width) != usual)
        all.push_back({Fault::odd_size, i,
                       "is a picture of " + std::to_string(letters_[i].width) + "x" +
                           std::to_string(letters_[i].height) + " pixels, most are of " +
                           std::to_string(usual.second) + "x" + std::to_string(usual.first)});
  }

  static bool stands(Measured const& letter) {
    return letter.ink && letter.characters.size() == 1 &&
           letter_kind(letter.characters[0]) != LetterKind::other;
  }

  /// Letters that should stand on the baseline, as the manifest has it or most letters do, and don't.
  void check_baselines(std::vector<LetterFault>& all) const {
    std::vector<double> bottoms, heights;  // shares of the picture's height
    for (Measured const& letter : letters_)
      if (stands(letter)) {
        bottoms.push_back(letter.ink->bottom / letter.height);
        heights.push_back(letter.ink->height() / letter.height);
      }
    if (bottoms.empty()) return;
    double const usual = median(bottoms), height = median(heights);
    for (std::size_t i = 0; i < letters_.size(); ++i) {
      Measured const& letter = letters_[i];
      if (!stands(letter)) continue;
      double const baseline = letter.baseline > 0 ? letter.baseline / letter.height : usual;
      double const below = (letter.ink->bottom / letter.height - baseline) / height;
      if (std::abs(below) > off_baseline)
        all.push_back({Fault::off_baseline, i,
                       "ends " + share(std::abs(below)) + " of its height " +
                           (below > 0 ? "below" : "above") + " the baseline"});
    }
  }

  /// Letters that are higher or lower than is usual for their character.
  void check_heights(Group const& group, std::vector<LetterFault>& all) const {
    std::vector<double> heights;
    for (std::size_t const i : group)
      if (letters_[i].ink) heights.push_back(letters_[i].ink->height() / letters_[i].height);
    if (heights.size() < fewest_alike) return;
    double const usual = median(heights);
    for (std::size_t const i : group) {
      if (!letters_[i].ink) continue;
      double const height = letters_[i].ink->height() / letters_[i].height / usual;
      if (std::abs(height - 1) > odd_size)
        all.push_back({Fault::odd_size, i, "has " + share(height) + " of the height that is usual"});
    }
  }

  /// Letters that are nearly an earlier one of the same character. Sorted by their ink, only neighbours can
  /// be near each other.
  void check_duplicates(Group const& group, std::vector<LetterFault>& all) const {
    std::vector<std::pair<double, std::size_t>> inks;
    for (std::size_t const i : group)
      if (letters_[i].ink) inks.emplace_back(letters_[i].picture.ink(), i);
    std::sort(inks.begin(), inks.end());
    std::map<std::size_t, std::size_t> earlier;  // the first letter that each repeats
    for (std::size_t a = 0; a < inks.size(); ++a)
      for (std::size_t b = a + 1; b < inks.size(); ++b) {
        if (SmallPicture::least_distance(inks[b].first - inks[a].first) >= near_duplicate) break;
        auto const [first, second] = std::minmax(inks[a].second, inks[b].second);
        if (!letters_[first].picture.is_nearer(letters_[second].picture, near_duplicate)) continue;
        auto const [known, is_new] = earlier.emplace(second, first);
        if (!is_new) known->second = (std::min)(known->second, first);
      }
    for (auto const& [letter, original] : earlier)
      all.push_back({Fault::near_duplicate, letter, "is nearly the same as", original});
  }

  /// Letters whose mirror image is more like the mean of their character than they are.
  void check_mirrored(Group const& group, std::vector<LetterFault>& all) const {
    if (group.size() < fewest_alike) return;
    std::vector<double> sum(SmallPicture::pixel_count, 0.0);
    for (std::size_t const i : group) letters_[i].picture.add_to(sum);
    for (std::size_t const i : group) {
      SmallPicture const& picture = letters_[i].picture;
      if (picture.mirrored().correlation(sum) - picture.correlation(sum) > mirrored)
        all.push_back({Fault::mirrored, i, "seems to be mirrored"});
    }
  }

  std::vector<Measured> letters_;
  std::map<std::string, Group> groups_;
  std::vector<LetterFault> found_;
};

}  // namespace glyphdiff
