// alphabet draw: a text in one style, or variations of a letter.
#pragma once

#include "alphabet_letters.hpp"
#include "load_network.hpp"

#include <glyphdiff/data/letter_line.hpp>
#include <glyphdiff/io/resize.hpp>
#include <glyphdiff/io/run_folder.hpp>
#include <glyphdiff/metrics/most_typical.hpp>
#include <glyphdiff/sampler/inpainting.hpp>
#include <glyphdiff/sampler/interpolation.hpp>
#include <glyphdiff/sampler/spacing.hpp>

#include <cstdio>
#include <optional>
#include <span>

struct DrawingOptions {
  std::string text;
  fs::path model = shipped, out = "out/text", like, from, mask;
  std::vector<fs::path> references, between;
  int count = 1, candidates = 4, steps = 25;
  double guidance_scale = 1.5, strength = 0.5;
  std::uint64_t seed = 1;
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

inline Picture read_letter(fs::path const& path) {
  gd::Image image = gd::read_image(path, 1);
  if (image.height != Frame::size || image.width != Frame::size)
    throw gd::Error(path.string(), "a letter of 64x64 pixels, as letters makes them",
                    std::to_string(image.height) + "x" + std::to_string(image.width));
  if (gd::is_white_on_black(image)) image = gd::inverted(std::move(image));
  return to_picture(image);
}

/// Pictures, and folders of letters with a manifest.
inline std::vector<Reference> load_references(std::vector<fs::path> const& paths) {
  std::vector<Reference> references;
  for (fs::path const& path : paths) {
    if (!fs::is_directory(path)) {
      references.push_back({read_letter(path)});
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

/// As many references of other classes as the network reads, chosen by the seed and `draw`.
inline std::vector<Picture const*> choose(std::vector<Reference> const& references, int label,
                                          std::uint64_t seed, std::uint64_t draw) {
  std::vector<Picture const*> chosen;
  for (Reference const& reference : references)
    if (reference.label != label || label == gd::no_class) chosen.push_back(&reference.picture);
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
inline std::vector<Picture> draw_letters(Letters& artist, Preset::Process const& process,
                                         std::vector<int> const& classes,
                                         std::vector<Reference> const& references,
                                         DrawingOptions const& options, int row) {
  static constexpr std::size_t batch = 32;
  std::vector<std::vector<Picture>> candidates(classes.size());
  for (int k = 0; k < options.candidates; ++k) {
    std::uint64_t const number = std::uint64_t(row) * std::uint64_t(options.candidates) + std::uint64_t(k);
    for (std::size_t first = 0; first < classes.size(); first += batch) {
      std::span<int const> const some(&classes[first], std::min(batch, classes.size() - first));
      std::vector<std::vector<Picture const*>> shown;
      for (int const label : some) shown.push_back(choose(references, label, options.seed, number));
      auto drawn = artist.draw(process, some, shown, {options.seed, number});
      for (std::size_t i = 0; i < drawn.size(); ++i) candidates[first + i].push_back(std::move(drawn[i]));
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
inline void draw_text(Letters& artist, Preset::Process const& process, DrawingOptions const& options) {
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
      letters = artist.invent(process, std::span(distinct).first(first), {options.seed, std::uint64_t(row)});
      for (std::size_t i = 0; i < first; ++i) references.push_back({letters[i], distinct[i]});
    }
    auto const rest =
        draw_letters(artist, process, {distinct.begin() + std::ptrdiff_t(letters.size()), distinct.end()},
                     references, options, row);
    letters.insert(letters.end(), rest.begin(), rest.end());
    std::vector<gd::Image> pictures;
    for (Picture const& letter : letters) pictures.push_back(to_image(letter));
    auto const entries =
        write_letters(options.out / ("letters_" + std::to_string(row + 1)), distinct, pictures, references);
    lines.push_back(set_text(options.text, distinct, pictures, entries));
    std::fprintf(stderr, "%d of %d\n", row + 1, options.count);
  }
  gd::write_png(options.out / "text.png", one_below_the_other(lines));
}

/// `count` pictures of one letter: from a picture, around what a mask keeps, or between two pictures.
inline void draw_variations(Exec const& exec, Letters& artist, Preset::Process const& process,
                            DrawingOptions options) {
  auto const classes = gd::alphabet_classes(options.text);
  if (classes.size() != 1)
    throw gd::Error("--text", "one character, which the pictures show", "\"" + options.text + "\"");
  std::vector<Reference> const given = load_references(options.references);
  std::optional<Reference> like;  // goes with every style
  if (!options.like.empty()) {
    like = Reference{read_letter(options.like)};
    options.from = options.like;
  }
  std::vector<int> const labels(std::size_t(options.count), classes[0]);
  std::vector<std::vector<Reference>> references;  // which `shown` points into
  std::vector<std::vector<Picture const*>> shown;
  for (int i = 0; i < options.count; ++i) {
    references.push_back(of_one_style(given, i));
    if (like) references.back().push_back(*like);
  }
  for (int i = 0; i < options.count; ++i)
    shown.push_back(choose(references[std::size_t(i)], classes[0], options.seed, std::uint64_t(i)));
  std::vector<Picture> drawn;
  artist.draw(labels, shown, [&](auto& model, int n) {
    gd::Images<Exec> const x("letters", n, Frame::size, Frame::size, 1);
    gd::SeededNoise const noise{options.seed, 0};
    auto const copies = [&](Picture const& picture) {
      return to_device(std::vector<Picture>(std::size_t(n), picture));
    };
    if (!options.between.empty()) {
      std::vector<double> fractions;
      for (int i = 0; i < n; ++i) fractions.push_back(n > 1 ? double(i) / (n - 1) : 0.5);
      gd::ddim_interpolate(exec, process, model, copies(read_letter(options.between[0])),
                           copies(read_letter(options.between[1])), fractions, x);
    } else if (!options.mask.empty()) {
      gd::Image const mask = gd::fit_to_square(gd::read_image(options.mask, 1), Frame::size);
      Picture open;
      for (std::uint8_t const byte : mask.pixels) open.push_back(byte > 127 ? 1.0f : 0.0f);
      auto const plan = gd::repeated(process, 5);
      gd::Inpainting<Exec> fill(exec, plan, copies(read_letter(options.from)), copies(open),
                                {options.seed, 0});
      gd::ddim_sample(exec, plan, model, x, noise, {.eta = 1}, fill);
    } else {
      auto const plan = gd::last_steps(process, options.strength);
      gd::ddim_sample(exec, plan, model, x,
                      gd::noised_to_start(exec, plan, copies(read_letter(options.from)), noise));
    }
    drawn = Letters::pictures(x);
  });
  gd::write_png(options.out / "letters.png", picture_grid(drawn, 8));
  for (std::size_t i = 0; i < drawn.size(); ++i) {
    char name[32];
    std::snprintf(name, sizeof name, "u%04x_%03zu.png", unsigned(options.text[0]), i + 1);
    gd::write_png(options.out / name, to_image(drawn[i]));
  }
}

inline int draw(DrawingOptions const& options) {
  if (!options.mask.empty() && options.from.empty())
    throw gd::Error("--mask", "the picture that it belongs to, as --from", "none");
  gd::make_run_folder(options.out);
  Exec const exec;
  Net net(exec);
  load_network(options.model.string(), "", net);
  Letters artist(exec, net, net.parameters(), options.guidance_scale);
  Preset::Process const process(options.steps);
  if (options.from.empty() && options.like.empty() && options.between.empty())
    draw_text(artist, process, options);
  else
    draw_variations(exec, artist, process, options);
  std::printf("see %s\n", options.out.c_str());
  return 0;
}
