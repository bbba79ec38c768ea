#pragma once

#include <glyphdiff/ascii.hpp>
#include <glyphdiff/data/characters.hpp>
#include <glyphdiff/error.hpp>
#include <glyphdiff/outline/font_units.hpp>
#include <glyphdiff/outline/svg.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <set>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

/// Fonts as Unified Font Objects, version 3 (unifiedfontobject.org): a folder that font editors open and
/// fontmake compiles.
namespace glyphdiff {

struct Glyph {
  std::string name;                ///< as font editors call it: A, a, zero
  std::vector<char32_t> unicodes;  ///< characters that show it
  int advance = 0;                 ///< width, in font units
  Outline outline;                 ///< in whole font units, see to_font_units
};

/// Vertical measures in font units.
struct Font {
  std::string family = "Untitled", style = "Regular";
  int units_per_em = 1000, ascender = 750, descender = -250, cap_height = 700, x_height = 500;
  std::vector<Glyph> glyphs;
};

namespace detail {

/// The file of a glyph: letters that file systems may take for each other are told apart by underscores, as
/// the UFO conventions say, and names that are the same then by a number. `used`: names so far, in lower
/// case.
inline std::string glif_name(std::string const& glyph, std::set<std::string>& used) {
  std::string name;
  for (char const c : glyph) {
    name += is_ascii_letter(c) || is_ascii_digit(c) || c == '_' || (c == '.' && !name.empty()) ? c : '_';
    if (ascii_lower(c) != c) name += '_';
  }
  std::string whole = name + ".glif";
  for (int number = 2; !used.insert(ascii_lower(whole)).second; ++number)
    whole = name + std::to_string(number) + ".glif";
  return whole;
}

/// A name that XML and UFO can hold.
inline bool is_plain_text(std::string const& text) {
  if (!is_utf8(text)) return false;
  auto const characters = characters_of(text);
  return std::none_of(characters.begin(), characters.end(), [](char32_t c) {
    return c < ' ' || (c >= 0x7f && c < 0xa0) || (c & 0xffffu) >= 0xfffeu;
  });
}

/// A new folder beside `path`, called by it and `ending`.
inline std::filesystem::path new_folder(std::filesystem::path const& path, char const* ending) {
  namespace fs = std::filesystem;
  std::error_code error;
  if (path.has_parent_path()) fs::create_directories(path.parent_path(), error);
  for (int number = 1; !error; ++number) {
    fs::path folder = path;
    folder += ending + (number > 1 ? std::to_string(number) : std::string());
    if (fs::create_directory(folder, error)) return folder;
  }
  throw Error(path.string(), "a folder that may be written to", error.message());
}

inline void add_point(pugi::xml_node contour, Point p, char const* type = nullptr, bool smooth = false) {
  pugi::xml_node point = contour.append_child("point");
  point.append_attribute("x") = std::lround(p.x);
  point.append_attribute("y") = std::lround(p.y);
  if (type != nullptr) point.append_attribute("type") = type;
  if (smooth) point.append_attribute("smooth") = "yes";
}

inline void write_glif(std::filesystem::path const& path, Glyph const& glyph) {
  pugi::xml_document document;
  pugi::xml_node root = document.append_child("glyph");
  root.append_attribute("name") = glyph.name.c_str();
  root.append_attribute("format") = 2;
  root.append_child("advance").append_attribute("width") = glyph.advance;
  for (char32_t const unicode : glyph.unicodes) {
    char hex[12];
    std::snprintf(hex, sizeof hex, "%04X", static_cast<unsigned>(unicode));
    root.append_child("unicode").append_attribute("hex") = hex;
  }
  pugi::xml_node outline = root.append_child("outline");
  for (Contour const& contour : glyph.outline) {
    if (contour.segments.empty()) continue;
    pugi::xml_node node = outline.append_child("contour");
    auto const type = [](Segment const& s) { return s.line ? "line" : "curve"; };
    Segment const& last = contour.segments.back();
    add_point(node, last.end, type(last), last.smooth);
    for (std::size_t k = 0; k < contour.segments.size(); ++k) {
      Segment const& s = contour.segments[k];
      if (!s.line) add_point(node, s.control1), add_point(node, s.control2);
      if (k + 1 < contour.segments.size()) add_point(node, s.end, type(s), s.smooth);
    }
  }
  write_xml(path, document, Flush::later);
}

/// A property list, which `fill` adds its value to.
template <class Fill>
void write_plist(std::filesystem::path const& path, Fill const& fill) {
  pugi::xml_document document;
  document.append_child(pugi::node_doctype)
      .set_value(
          "plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" "
          "\"http://www.apple.com/DTDs/PropertyList-1.0.dtd\"");
  pugi::xml_node plist = document.append_child("plist");
  plist.append_attribute("version") = "1.0";
  fill(plist);
  write_xml(path, document, Flush::later);
}

inline void add_text(pugi::xml_node node, char const* kind, std::string const& text) {
  node.append_child(kind).text() = text.c_str();
}

inline void add_entry(pugi::xml_node dict, char const* key, std::string const& text) {
  add_text(dict, "key", key);
  add_text(dict, "string", text);
}

inline void add_entry(pugi::xml_node dict, char const* key, int number) {
  add_text(dict, "key", key);
  add_text(dict, "integer", std::to_string(number));
}

}  // namespace detail

/// Adds the glyphs that every font has, where they are missing: .notdef, a box, and a space.
inline void add_required_glyphs(Font& font) {
  bool const has_space = std::any_of(font.glyphs.begin(), font.glyphs.end(), [](Glyph const& g) {
    return g.name == "space" || std::count(g.unicodes.begin(), g.unicodes.end(), U' ') > 0;
  });
  if (!has_space) font.glyphs.insert(font.glyphs.begin(), {"space", {U' '}, font.units_per_em / 4, {}});
  if (std::any_of(font.glyphs.begin(), font.glyphs.end(), [](Glyph const& g) { return g.name == ".notdef"; }))
    return;
  double const width = (std::max)(1, font.units_per_em / 2), top = (std::max)(1, font.cap_height),
               line = (std::max)(1.0, std::floor((std::min)(width, top) / 10));
  auto const box = [](double left, double bottom, double right, double upper) {  // counter-clockwise
    return Contour{{{true, {}, {}, {right, bottom}, false},
                    {true, {}, {}, {right, upper}, false},
                    {true, {}, {}, {left, upper}, false},
                    {true, {}, {}, {left, bottom}, false}}};
  };
  Outline outline{box(line, 0, width - line, top)};
  if (width > 5 * line && top > 3 * line)
    outline.push_back(reversed(box(2 * line, line, width - 2 * line, top - line)));
  font.glyphs.insert(font.glyphs.begin(), {".notdef", {}, int(width), std::move(outline)});
}

/// Writes a font as the folder `path` (name it *.ufo), in place of one that was there once all of it is
/// written. Throws Error if a glyph has no name, the name of another or one that XML can't hold, if `path` is
/// something else than an older UFO, or if it can't be written; what was there survives then.
inline void write_ufo(std::filesystem::path path, Font const& font) {
  namespace fs = std::filesystem;
  path = path.lexically_normal();
  if (!path.has_filename()) path = path.parent_path();  // "font.ufo/"
  for (std::string const& text : {font.family, font.style})
    if (!detail::is_plain_text(text))
      throw Error(path.string(), "a family and a style in UTF-8 without control characters", "others");
  std::vector<std::string> names, files;
  std::set<std::string> used;
  for (Glyph const& glyph : font.glyphs) {
    if (glyph.name.empty()) throw Error(path.string(), "a name for every glyph", "one without");
    if (!detail::is_plain_text(glyph.name))
      throw Error(path.string(), "glyphs' names in UTF-8 without control characters", "another one");
    if (std::find(names.begin(), names.end(), glyph.name) != names.end())
      throw Error(path.string(), "glyphs of different names", glyph.name + " twice");
    names.push_back(glyph.name);
    files.push_back(detail::glif_name(glyph.name, used));
  }
  std::error_code error;
  if (fs::exists(path, error) && !fs::exists(path / "metainfo.plist", error))
    throw Error(path.string(), "nothing, or an older UFO to replace", "something else");

  fs::path const part = detail::new_folder(path, ".part");
  struct Remove {
    fs::path const& folder;
    ~Remove() {
      std::error_code ignored;
      fs::remove_all(folder, ignored);
    }
  } const remove{part};
  fs::create_directory(part / "glyphs", error);
  if (error) throw Error(part.string(), "a folder to write to", error.message());

  using namespace detail;
  write_plist(part / "metainfo.plist", [&](pugi::xml_node plist) {
    pugi::xml_node dict = plist.append_child("dict");
    add_entry(dict, "creator", std::string("org.glyphdiff"));
    add_entry(dict, "formatVersion", 3);
  });
  write_plist(part / "fontinfo.plist", [&](pugi::xml_node plist) {
    pugi::xml_node dict = plist.append_child("dict");
    add_entry(dict, "familyName", font.family);
    add_entry(dict, "styleName", font.style);
    add_entry(dict, "unitsPerEm", font.units_per_em);
    add_entry(dict, "ascender", font.ascender);
    add_entry(dict, "descender", font.descender);
    add_entry(dict, "capHeight", font.cap_height);
    add_entry(dict, "xHeight", font.x_height);
  });
  write_plist(part / "layercontents.plist", [](pugi::xml_node plist) {
    pugi::xml_node layer = plist.append_child("array").append_child("array");
    add_text(layer, "string", "public.default");
    add_text(layer, "string", "glyphs");
  });
  write_plist(part / "lib.plist", [&](pugi::xml_node plist) {
    pugi::xml_node dict = plist.append_child("dict");
    add_text(dict, "key", "public.glyphOrder");
    pugi::xml_node order = dict.append_child("array");
    for (std::string const& name : names) add_text(order, "string", name);
  });
  write_plist(part / "glyphs" / "contents.plist", [&](pugi::xml_node plist) {
    pugi::xml_node dict = plist.append_child("dict");
    for (std::size_t i = 0; i < names.size(); ++i) add_entry(dict, names[i].c_str(), files[i]);
  });
  for (std::size_t i = 0; i < names.size(); ++i) write_glif(part / "glyphs" / files[i], font.glyphs[i]);

  if (!flush_files(part)) throw Error(path.string(), "a disk with room for the font", "none");
  if (!fs::exists(path, error)) {
    fs::rename(part, path, error);
    if (error) throw Error(path.string(), "a folder that may be written", error.message());
    return;
  }
  std::error_code ignored;
  fs::path const old = new_folder(path, ".old");  // an empty folder gives way to a renamed one
  fs::rename(path, old, error);
  if (!error) {
    fs::rename(part, path, error);
    if (error) fs::rename(old, path, ignored);
  }
  if (error) {
    fs::remove(old, ignored);
    throw Error(path.string(), "a folder that may be replaced", error.message());
  }
  fs::remove_all(old, ignored);
}

}  // namespace glyphdiff
