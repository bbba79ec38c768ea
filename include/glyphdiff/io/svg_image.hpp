#pragma once

#include <glyphdiff/bits.hpp>
#include <glyphdiff/error.hpp>
#include <glyphdiff/io/image.hpp>

#include <librsvg/rsvg.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>

namespace glyphdiff {

/// Draws an SVG file's page through librsvg into (H, W, 4), RGBA, its longer side `longer` pixels. `name` is
/// for the sentence of the Error that anything else gives.
inline Image draw_svg(std::span<std::uint8_t const> bytes, int longer, std::string const& name) {
  GError* error = nullptr;
  auto const refused = [&] {
    std::string reason = error != nullptr ? error->message : "no reason given";
    reason = reason.substr(0, reason.find('\n'));
    g_clear_error(&error);
    return Error(name, "an SVG drawing", "one that librsvg refuses (" + reason + ")");
  };
  std::unique_ptr<RsvgHandle, decltype(&g_object_unref)> const drawing(
      rsvg_handle_new_from_data(bytes.data(), bytes.size(), &error), &g_object_unref);
  if (drawing == nullptr) throw refused();

  double width = 0, height = 0;
  if (rsvg_handle_get_intrinsic_size_in_pixels(drawing.get(), &width, &height) == FALSE) {
    gboolean ignored = FALSE, has_view_box = FALSE;
    RsvgLength across, down;
    RsvgRectangle box{};
    rsvg_handle_get_intrinsic_dimensions(drawing.get(), &ignored, &across, &ignored, &down, &has_view_box,
                                         &box);
    width = box.width, height = box.height;
  }
  if (!is_finite(width) || !is_finite(height) || width <= 0 || height <= 0)
    throw Error(name, "an SVG drawing that says how large its page is (width and height, or viewBox)",
                "none");
  double const scale = longer / (std::max)(width, height);
  int const columns = (std::max)(1, int(std::lround(width * scale))),
            rows = (std::max)(1, int(std::lround(height * scale)));

  std::unique_ptr<cairo_surface_t, decltype(&cairo_surface_destroy)> const surface(
      cairo_image_surface_create(CAIRO_FORMAT_ARGB32, columns, rows), &cairo_surface_destroy);
  {
    std::unique_ptr<cairo_t, decltype(&cairo_destroy)> const context(cairo_create(surface.get()),
                                                                     &cairo_destroy);
    RsvgRectangle const page{0, 0, double(columns), double(rows)};
    if (rsvg_handle_render_document(drawing.get(), context.get(), &page, &error) == FALSE) throw refused();
  }
  cairo_surface_flush(surface.get());
  unsigned char const* const data = cairo_image_surface_get_data(surface.get());
  if (data == nullptr) throw Error(name, "enough memory to draw it", "too little");

  Image image(rows, columns, 4);
  for (int y = 0; y < rows; ++y)
    for (int x = 0; x < columns; ++x) {
      std::uint32_t argb;  // colours are multiplied by alpha
      std::memcpy(&argb, data + std::ptrdiff_t(y) * cairo_image_surface_get_stride(surface.get()) + 4 * x, 4);
      std::uint32_t const alpha = argb >> 24;
      std::uint8_t* const out = image.at(y, x);
      for (int c = 0; c < 3; ++c) {
        std::uint32_t const value = argb >> (16 - 8 * c) & 0xff;
        out[c] = std::uint8_t(alpha == 0 ? 0 : (std::min)(255u, (value * 255 + alpha / 2) / alpha));
      }
      out[3] = std::uint8_t(alpha);
    }
  return image;
}

}  // namespace glyphdiff
