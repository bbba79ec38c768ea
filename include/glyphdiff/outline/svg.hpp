#pragma once

#include <glyphdiff/io/file.hpp>
#include <glyphdiff/number_text.hpp>
#include <glyphdiff/outline/path.hpp>

#include <pugixml.hpp>

#include <cmath>
#include <filesystem>
#include <initializer_list>
#include <string>

namespace glyphdiff {

namespace detail {

/// A number with at most two decimals, as short as it can be.
inline std::string short_number(double value) {
  double const rounded = std::round(value * 100) / 100;
  return shortest_text(rounded == 0 ? 0.0 : rounded);
}

/// Writes an XML document to `path`, in place of what was there once all of it is written.
inline void write_xml(std::filesystem::path const& path, pugi::xml_document const& document,
                      Flush flush = Flush::now) {
  struct : pugi::xml_writer {
    std::string text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
    void write(void const* data, std::size_t size) override {
      text.append(static_cast<char const*>(data), size);
    }
  } writer;
  document.save(writer, "  ", pugi::format_default | pugi::format_no_declaration, pugi::encoding_utf8);
  write_file(path, writer.text.data(), writer.text.size(), flush);
}

}  // namespace detail

/// An outline as the data of an SVG path (W3C, SVG 1.1, chapter 8).
inline std::string svg_path(Outline const& outline) {
  std::string data;
  auto const add = [&](char command, std::initializer_list<Point> points) {
    data += command;
    bool first = true;
    for (Point p : points) {
      if (!first) data += ' ';
      data += detail::short_number(p.x) + ' ' + detail::short_number(p.y);
      first = false;
    }
  };
  for (Contour const& contour : outline) {
    add('M', {contour.start()});
    for (std::size_t k = 0; k < contour.segments.size(); ++k) {
      Segment const& s = contour.segments[k];
      if (!s.line)
        add('C', {s.control1, s.control2, s.end});
      else if (k + 1 < contour.segments.size())  // Z draws the last straight line
        add('L', {s.end});
    }
    data += 'Z';
  }
  return data;
}

/// Writes an outline in pixel coordinates, black, as an SVG of a picture's size. Throws Error if it can't be
/// written; an old file survives then.
inline void write_svg(std::filesystem::path const& path, Outline const& outline, double width,
                      double height) {
  pugi::xml_document document;
  pugi::xml_node svg = document.append_child("svg");
  svg.append_attribute("xmlns") = "http://www.w3.org/2000/svg";
  svg.append_attribute("viewBox") =
      ("0 0 " + detail::short_number(width) + " " + detail::short_number(height)).c_str();
  svg.append_child("path").append_attribute("d") = svg_path(outline).c_str();
  detail::write_xml(path, document);
}

}  // namespace glyphdiff
