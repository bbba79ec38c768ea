// alphabet draw: a text in one style, or variations of a letter.
#pragma once

#include "alphabet_letters.hpp"
#include "load_network.hpp"
#include "profile.hpp"

#include <glyphdiff/data/alphabet_picture.hpp>
#include <glyphdiff/data/letter_line.hpp>
#include <glyphdiff/io/run_folder.hpp>
#include <glyphdiff/kernels/pointwise.hpp>
#include <glyphdiff/metrics/most_typical.hpp>
#include <glyphdiff/sampler/inpainting.hpp>
#include <glyphdiff/sampler/interpolation.hpp>
#include <glyphdiff/sampler/spacing.hpp>

#include <algorithm>
#include <cstdio>
#include <numeric>
#include <optional>
#include <span>

struct DrawingOptions {
  std::string text;
  fs::path model = shipped, out = "out/text", like, from, mask;
  std::vector<fs::path> references, between;
  int count = 1, candidates = 4, steps = 25;
  double guidance_scale = 1.5, strength = 0.5, taught = 0.5;
  std::uint64_t seed = 1;
  bool profile = false;
};

/// The network, and for the characters that it was not taught the one between the network that it began as
/// and what it has become: that has learnt the style and forgotten less of other letters (Wortsman et al.
/// 2022, arXiv:2109.01903).
class Artists {
 public:
  Artists(Exec const& exec, DrawingOptions const& options) : exec_(exec), net_(exec, gd::zero_parameters) {
    load_network(options.model.string(), "", net_);
    taught_.emplace(exec, net_, net_.parameters(), options.guidance_scale);
    auto const file = gd::open_tensor_file(options.model.string());
    auto const* const base = gd::find_value(file->metadata(), "config.base");
    auto const* const characters = gd::find_value(file->metadata(), "config.characters");
    if (base == nullptr || characters == nullptr || *base != content_hash(shipped)) return;
    characters_ = *characters;
    Net first(exec, gd::zero_parameters);
    load_network(shipped.string(), "", first, stderr);
    between_ = gd::Arena<Exec>("glyphdiff::between", net_.parameters().extent(0));
    gd::run(exec, gd::kernels::Interpolate{float(options.taught), std::int64_t(between_.extent(0))},
            first.parameters().data(), net_.parameters().data(), between_.data());
    exec.fence();
    other_.emplace(exec, net_, between_, options.guidance_scale);
  }

  Letters& of(int label) { return knows(label) ? *taught_ : *other_; }
  /// For letters that are drawn from each other.
  Letters& of(std::span<int const> labels) {
    auto const stranger =
        std::find_if(labels.begin(), labels.end(), [&](int label) { return !knows(label); });
    return of(stranger == labels.end() ? labels.front() : *stranger);
  }
  void set_profiler(gd::Profiler* profiler) {
    taught_->set_profiler(profiler);
    if (other_) other_->set_profiler(profiler);
  }
  bool knows(int label) const {
    return !other_ || characters_.find(gd::alphabet[std::size_t(label)]) != std::string::npos;
  }

 private:
  Exec exec_;
  Net net_;
  gd::Arena<Exec> between_;
  std::string characters_;
  std::optional<Letters> taught_, other_;
};

/// What to draw a style from: letters that have it.
struct Reference {
  Picture picture;
  int label = gd::no_class;
  std::optional<gd::SideBearings> bearings{};
  std::string style{};  ///< a name that letters of one style share; pictures without a manifest are of one
};

/// Those of one style: of the first for row 0, of the second for row 1, and so on, and over again. Letters of
/// several styles together, upright and italic ones say, would be answered with something in between.
inline std::vector<Reference> of_one_style(std::vector<Reference> const& references, int row) {
  std::vector<std::string> styles;
  for (Reference const& reference : references)
    if (std::find(styles.begin(), styles.end(), reference.style) == styles.end())
      styles.push_back(reference.style);
  std::vector<Reference> chosen;
  for (Reference const& reference : references)  // at least one, or there are no styles
    if (reference.style == styles[std::size_t(row) % styles.size()]) chosen.push_back(reference);
  return chosen;
}

/// Pictures, and folders of letters with a manifest.
inline std::vector<Reference> load_references(std::vector<fs::path> const& paths) {
  std::vector<Reference> references;
  for (fs::path const& path : paths) {
    if (!fs::is_directory(path)) {
      references.push_back({to_picture(gd::read_alphabet_picture(path).image)});
      continue;
    }
    auto const loaded = load_letters(path);
    for (std::size_t i = 0; i < loaded.letters.size(); ++i) {
      gd::StyledLetter const& letter = loaded.letters[i];
      Reference reference{to_picture(letter.picture), letter.label, {}, letter.style};
      if (loaded.entries[i].advance > 0)
        reference.bearings = gd::side_bearings(letter.picture, loaded.entries[i]);
      references.push_back(std::move(reference));
    }
  }
  return references;
}

/// As many references as the network reads, chosen by the seed and `draw`: of other classes, as it was
/// trained, if there are any.
inline std::vector<Picture const*> choose(std::vector<Reference> const& references, int label,
                                          std::uint64_t seed, std::uint64_t draw) {
  std::vector<Picture const*> chosen;
  for (Reference const& reference : references)
    if (reference.label != label || label == gd::no_class) chosen.push_back(&reference.picture);
  if (chosen.empty())
    for (Reference const& reference : references) chosen.push_back(&reference.picture);
  std::size_t const count = std::min(chosen.size(), std::size_t(Letters::places));
  for (std::size_t k = 0; k < count; ++k) {
    auto const r = gd::bits4({seed, gd::Stream::user, draw}, gd::random_index(std::uint64_t(label), k));
    std::swap(chosen[k], chosen[k + r[0] % (chosen.size() - k)]);
  }
  chosen.resize(count);
  return chosen;
}

/// The mean side bearings of a class among the references; else of all of them; else an eighth of the height
/// of capitals.
inline gd::SideBearings bearings_of(std::vector<Reference> const& references, int label) {
  for (bool const any : {false, true}) {
    gd::SideBearings sum;
    int count = 0;
    for (Reference const& reference : references)
      if (reference.bearings && (any || reference.label == label)) {
        sum.left += reference.bearings->left;
        sum.right += reference.bearings->right;
        ++count;
      }
    if (count > 0) return {sum.left / count, sum.right / count};
  }
  return {Frame::cap_height / 8.0, Frame::cap_height / 8.0};
}

/// One letter for each class: of `candidates` drawings in the style of the references the most typical one.
inline std::vector<Picture> draw_letters(Artists& artists, Preset::Process const& process,
                                         std::vector<int> const& classes,
                                         std::vector<Reference> const& references,
                                         DrawingOptions const& options, int row) {
  static constexpr std::size_t batch = 32;
  std::vector<std::size_t> order(classes.size());  // what one network draws comes together
  std::iota(order.begin(), order.end(), std::size_t(0));
  std::stable_partition(order.begin(), order.end(), [&](std::size_t i) { return artists.knows(classes[i]); });
  std::vector<std::vector<Picture>> candidates(classes.size());
  for (int k = 0; k < options.candidates; ++k) {
    std::uint64_t const number = std::uint64_t(row) * std::uint64_t(options.candidates) + std::uint64_t(k);
    for (std::size_t first = 0, end = 0; first < order.size(); first = end) {
      bool const known = artists.knows(classes[order[first]]);
      std::vector<int> some;
      std::vector<std::vector<Picture const*>> shown;
      for (; end < order.size() && some.size() < batch && artists.knows(classes[order[end]]) == known;
           ++end) {
        some.push_back(classes[order[end]]);
        shown.push_back(choose(references, some.back(), options.seed, number));
      }
      auto drawn = artists.of(some.front()).draw(process, some, shown, {options.seed, number});
      for (std::size_t i = 0; i < drawn.size(); ++i)
        candidates[order[first + i]].push_back(std::move(drawn[i]));
    }
  }
  std::vector<Picture> letters;
  for (auto& drawings : candidates) letters.push_back(std::move(drawings[gd::most_typical(drawings)]));
  return letters;
}

/// A folder of letters with its manifest, which `trace` makes a font of.
inline std::vector<gd::LetterEntry> write_letters(fs::path const& folder, std::vector<int> const& classes,
                                                  std::vector<gd::Image> const& pictures,
                                                  std::vector<Reference> const& references) {
  gd::make_run_folder(folder);
  std::vector<gd::LetterEntry> entries;
  for (std::size_t i = 0; i < classes.size(); ++i) {
    char const character = gd::alphabet[std::size_t(classes[i])];
    char name[32];
    std::snprintf(name, sizeof name, "u%04x.png", unsigned(character));
    gd::InkColumns const ink = gd::ink_columns(pictures[i]);
    gd::SideBearings const bearings = bearings_of(references, classes[i]);
    gd::write_png(folder / name, pictures[i]);
    entries.push_back({.file = name,
                       .character = std::string(1, character),
                       .family = "alphabet",
                       .source = "alphabet",
                       .scale = 1,
                       .baseline = Frame::baseline,
                       .cap_height = Frame::cap_height,
                       .origin = ink.left - bearings.left,
                       .advance = ink.right - ink.left + bearings.left + bearings.right});
  }
  gd::save_manifest(folder, entries);
  return entries;
}

/// Sets the text on a line with one picture for each class.
inline gd::Image set_text(std::string const& text, std::vector<int> const& classes,
                          std::vector<gd::Image> const& pictures,
                          std::vector<gd::LetterEntry> const& entries) {
  std::vector<gd::Image const*> line;
  std::vector<gd::LetterEntry> places;
  for (char const character : text) {
    auto const at = std::find(classes.begin(), classes.end(), gd::alphabet_class({&character, 1}));
    std::size_t const i = std::size_t(at - classes.begin());
    line.push_back(character == ' ' ? nullptr : &pictures[i]);
    places.push_back(character == ' ' ? gd::LetterEntry{.advance = Frame::cap_height / 2.5} : entries[i]);
  }
  return gd::letter_line(line, places);
}

inline gd::Image one_below_the_other(std::vector<gd::Image> const& lines) {
  int height = 0, width = 0;
  for (gd::Image const& line : lines) height += line.height, width = std::max(width, line.width);
  gd::Image all(height, width, 1, 255);
  int top = 0;
  for (gd::Image const& line : lines) {
    for (int y = 0; y < line.height; ++y) std::copy_n(line.at(y, 0), line.width, all.at(top + y, 0));
    top += line.height;
  }
  return all;
}

/// The text in one style a row.
inline void draw_text(Artists& artists, Preset::Process const& process, DrawingOptions const& options) {
  std::vector<int> classes = gd::alphabet_classes(options.text);
  std::vector<int> distinct;
  for (int const label : classes)
    if (std::find(distinct.begin(), distinct.end(), label) == distinct.end()) distinct.push_back(label);
  std::vector<Reference> const given = load_references(options.references);
  std::vector<gd::Image> lines;
  for (int row = 0; row < options.count; ++row) {
    std::vector<Reference> references = of_one_style(given, row);
    std::vector<Picture> letters;
    if (given.empty()) {
      std::size_t const first = std::min(distinct.size(), std::size_t(Letters::places));
      letters = artists.of(std::span(distinct).first(first))
                    .invent(process, std::span(distinct).first(first), {options.seed, std::uint64_t(row)});
      for (std::size_t i = 0; i < first; ++i) references.push_back({letters[i], distinct[i]});
    }
    auto const rest =
        draw_letters(artists, process, {distinct.begin() + std::ptrdiff_t(letters.size()), distinct.end()},
                     references, options, row);
    letters.insert(letters.end(), rest.begin(), rest.end());
    std::vector<gd::Image> pictures;
    for (Picture const& letter : letters) pictures.push_back(to_image(letter));
    auto const entries =
        write_letters(options.out / ("letters_" + std::to_string(row + 1)), distinct, pictures, references);
    lines.push_back(set_text(options.text, distinct, pictures, entries));
    std::fprintf(stderr, "%d of %d: letters_%d, %s\n", row + 1, options.count, row + 1,
                 given.empty() ? "in a style that was made up"
                 : references.front().style.empty()
                     ? "in the style of the pictures"
                     : ("in the style of " + fs::path(references.front().style).filename().string()).c_str());
  }
  gd::write_png(options.out / "text.png", one_below_the_other(lines));
}

/// Of `count` pictures of one letter those from number `first` on: from a picture, around what a mask keeps,
/// or between two pictures.
template <class Model>
std::vector<Picture> vary(Exec const& exec, Model& model, Preset::Process const& process,
                          DrawingOptions const& options, int first, int n) {
  auto const character = char32_t(gd::alphabet[std::size_t(gd::alphabet_classes(options.text)[0])]);
  auto const read = [&](fs::path const& path) {
    return to_picture(gd::read_alphabet_picture(path, character).image);
  };
  gd::Images<Exec> const x("letters", n, Frame::size, Frame::size, 1);
  gd::SeededNoise const noise{options.seed, std::uint64_t(first)};
  auto const copies = [&](Picture const& picture) {
    return to_device(std::vector<Picture>(std::size_t(n), picture));
  };
  if (!options.between.empty()) {
    std::vector<double> fractions;
    for (int i = first; i < first + n; ++i)
      fractions.push_back(options.count > 1 ? double(i) / (options.count - 1) : 0.5);
    gd::ddim_interpolate(exec, process, model, copies(read(options.between[0])),
                         copies(read(options.between[1])), fractions, x);
  } else if (!options.mask.empty()) {
    auto const kept = gd::read_alphabet_picture(options.from, character);
    gd::Image const mask = gd::read_alphabet_mask(options.mask, kept);
    Picture open;
    for (std::uint8_t const byte : mask.pixels) open.push_back(byte > 127 ? 1.0f : 0.0f);
    auto const plan = gd::repeated(process, 5);
    gd::Inpainting<Exec> fill(exec, plan, copies(to_picture(kept.image)), copies(open),
                              {options.seed, std::uint64_t(first)});
    gd::ddim_sample(exec, plan, model, x, noise, {.eta = 1}, fill);
  } else {
    auto const plan = gd::last_steps(process, options.strength);
    gd::ddim_sample(exec, plan, model, x, gd::noised_to_start(exec, plan, copies(read(options.from)), noise));
  }
  return Letters::pictures(x);
}

/// `count` pictures of one letter.
inline void draw_variations(Exec const& exec, Artists& artists, Preset::Process const& process,
                            DrawingOptions options) {
  auto const classes = gd::alphabet_classes(options.text);
  if (classes.size() != 1)
    throw gd::Error("--text", "one character, which the pictures show", "\"" + options.text + "\"");
  std::vector<Reference> const given = load_references(options.references);
  std::optional<Reference> like;  // goes with every style
  if (!options.like.empty()) {
    auto const character = char32_t(gd::alphabet[std::size_t(classes[0])]);
    like = Reference{to_picture(gd::read_alphabet_picture(options.like, character).image)};
    options.from = options.like;
  }
  std::vector<Picture> drawn;
  static constexpr int batch = 32;
  for (int first = 0; first < options.count; first += batch) {
    int const n = std::min(batch, options.count - first);
    std::vector<std::vector<Reference>> references;  // which `shown` points into
    for (int i = first; i < first + n; ++i) references.push_back(of_one_style(given, i));
    std::vector<std::vector<Picture const*>> shown;
    for (int i = 0; i < n; ++i) {
      shown.push_back(choose(references[std::size_t(i)], classes[0], options.seed, std::uint64_t(first + i)));
      if (!like) continue;
      shown.back().insert(shown.back().begin(), &like->picture);
      shown.back().resize(std::min(shown.back().size(), std::size_t(Letters::places)));
    }
    artists.of(classes[0]).draw(std::vector<int>(std::size_t(n), classes[0]), shown, [&](auto& model, int) {
      auto const pictures = vary(exec, model, process, options, first, n);
      drawn.insert(drawn.end(), pictures.begin(), pictures.end());
    });
  }
  gd::write_png(options.out / "letters.png", picture_grid(drawn, 8));
  for (std::size_t i = 0; i < drawn.size(); ++i) {
    char name[32];
    std::snprintf(name, sizeof name, "u%04x_%03zu.png", unsigned(gd::alphabet[std::size_t(classes[0])]),
                  i + 1);
    gd::write_png(options.out / name, to_image(drawn[i]));
  }
}

inline int draw(DrawingOptions options) {
  options.model = gd::network_file(options.model);
  if (!options.mask.empty() && options.from.empty())
    throw gd::Error("--mask", "the picture that it belongs to, as --from", "none");
  if (!options.between.empty() && options.steps < 2)
    throw gd::Error("--steps", "2 or more for what lies between pictures", std::to_string(options.steps));
  gd::make_run_folder(options.out);
  Exec const exec;
  Artists artists(exec, options);
  gd::Profiler profiler;
  if (options.profile) artists.set_profiler(&profiler);
  Preset::Process const process(options.steps);
  if (options.from.empty() && options.like.empty() && options.between.empty())
    draw_text(artists, process, options);
  else
    draw_variations(exec, artists, process, options);
  write_profile(exec, profiler, options.out / "profile", "the drawing", 1, stdout);
  std::printf("see %s\n", options.out.c_str());
  return 0;
}
