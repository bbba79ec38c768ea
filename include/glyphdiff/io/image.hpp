#pragma once

#include <glyphdiff/error.hpp>
#include <glyphdiff/io/file.hpp>
#include <glyphdiff/io/stb.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace glyphdiff {

/// An image of bytes on the host, rows from the top, (height, width, channels).
struct Image {
  int height = 0, width = 0, channels = 0;
  std::vector<std::uint8_t> pixels;

  Image() = default;
  Image(int h, int w, int c, std::uint8_t value = 0)
      : height(h),
        width(w),
        channels(c),
        pixels(static_cast<std::size_t>(h) * static_cast<std::size_t>(w) * static_cast<std::size_t>(c),
               value) {}

  std::uint8_t* at(int y, int x) { return pixels.data() + offset(y, x); }
  std::uint8_t const* at(int y, int x) const { return pixels.data() + offset(y, x); }

 private:
  std::size_t offset(int y, int x) const {
    return (static_cast<std::size_t>(y) * static_cast<std::size_t>(width) + static_cast<std::size_t>(x)) *
           static_cast<std::size_t>(channels);
  }
};

namespace detail {

/// Walks the segments of a JPEG file, from the start marker to the end marker; says what is wrong, or
/// nothing. stb draws what is missing of a cut file in gray, and until version 2.28 (Debian 12 has 2.27) it
/// writes beyond its memory for a Huffman table of more than 256 codes.
inline char const* jpeg_fault(std::span<std::uint8_t const> bytes) {
  static constexpr auto truncated = "a truncated one", damaged = "a damaged one (bad segment)";
  std::size_t at = 2;  // behind the start marker
  for (;;) {
    while (at + 1 < bytes.size() && bytes[at] == 0xff && bytes[at + 1] == 0xff) ++at;  // fill bytes
    if (at + 2 > bytes.size()) return truncated;
    if (bytes[at] != 0xff) return damaged;
    int const marker = bytes[at + 1];
    if (marker == 0xd9) return nullptr;
    if (at + 4 > bytes.size()) return truncated;
    std::size_t const length = std::size_t{bytes[at + 2]} << 8 | bytes[at + 3], end = at + 2 + length;
    if (length < 2) return damaged;
    if (end > bytes.size()) return truncated;
    if (marker == 0xc4)  // Huffman tables: a class and number, 16 counts, as many values
      for (std::size_t table = at + 4; table < end;) {
        if (table + 17 > end) return damaged;
        int codes = 0;
        for (std::size_t i = 1; i <= 16; ++i) codes += bytes[table + i];
        if (codes > 256) return damaged;
        table += 17 + static_cast<std::size_t>(codes);
      }
    at = end;
    if (marker != 0xda) continue;
    // A scan: coded data up to the next marker that is neither a stuffed byte nor a restart.
    while (at + 1 < bytes.size() && (bytes[at] != 0xff || bytes[at + 1] == 0 || bytes[at + 1] == 0xff ||
                                     (bytes[at + 1] >= 0xd0 && bytes[at + 1] <= 0xd7)))
      ++at;
  }
}

/// Walks the chunks of a PNG file, behind its signature; says what is wrong, or nothing. stb allocates what a
/// chunk claims to hold, and pixels before it has seen their data, which deflate shrinks to no less than
/// 1/1032.
inline char const* png_fault(std::span<std::uint8_t const> bytes) {
  auto const number = [&](std::size_t at) {
    return std::size_t{bytes[at]} << 24 | std::size_t{bytes[at + 1]} << 16 | std::size_t{bytes[at + 2]} << 8 |
           bytes[at + 3];
  };
  static constexpr auto truncated = "a truncated one";
  std::size_t data = 0;
  for (std::size_t at = 8;;) {
    if (at + 12 > bytes.size()) return truncated;
    std::string_view const kind(reinterpret_cast<char const*>(&bytes[at + 4]), 4);
    std::size_t const length = number(at);
    if (length > bytes.size() - at - 12) return truncated;
    if (kind == "IDAT") data += length;
    if (kind == "IEND") break;
    at += 12 + length;
  }
  if (bytes.size() <= 24) return truncated;
  static constexpr std::size_t longest = std::size_t{1} << 24;  // that stb takes
  std::size_t const bits = (std::min)(number(16), longest) * (std::min)(number(20), longest) * bytes[24];
  return bits / 8 / 1032 > data ? truncated : nullptr;
}

}  // namespace detail

/// Decodes PNG or JPEG of any depth and kind into `channels` = 1 (gray, Rec. 601 luma), 3 (RGB), with
/// transparent parts laid on white, or 4 (RGBA, as it is); 16 bits become 8. `name` is for the sentence of
/// the Error that anything else gives, a truncated file included.
inline Image decode_image(std::span<std::uint8_t const> bytes, int channels, std::string const& name) {
  static constexpr std::size_t most_pixels = std::size_t{1} << 28;
  if (channels != 1 && channels != 3 && channels != 4)
    throw Error(name, "to be asked for 1, 3 or 4 channels", std::to_string(channels));
  std::string_view const text(reinterpret_cast<char const*>(bytes.data()), bytes.size());
  bool const png = text.starts_with("\x89PNG\r\n\x1a\n"), jpeg = text.starts_with("\xff\xd8\xff");
  if (!png && !jpeg)
    throw Error(name, "a PNG or JPEG image", bytes.empty() ? "an empty file" : "another kind of file");
  if (char const* const fault = jpeg ? detail::jpeg_fault(bytes) : detail::png_fault(bytes))
    throw Error(name, std::string("a whole ") + (png ? "PNG" : "JPEG") + " image", fault);

  int width = 0, height = 0, channels_in_file = 0;
  int const size = static_cast<int>((std::min)(bytes.size(), std::size_t{INT_MAX}));
  if (stb::stbi_info_from_memory(bytes.data(), size, &width, &height, &channels_in_file) &&
      static_cast<std::size_t>(width) * static_cast<std::size_t>(height) > most_pixels)
    throw Error(name, "an image of at most " + std::to_string(most_pixels) + " pixels",
                std::to_string(width) + "x" + std::to_string(height));
  // Each block of 8x8 pixels takes a bit at least.
  if (jpeg && static_cast<std::size_t>(width) * static_cast<std::size_t>(height) / 512 > bytes.size())
    throw Error(name, "a whole JPEG image", "a truncated one");
  std::unique_ptr<std::uint8_t, decltype(&::free)> const rgba(
      stb::stbi_load_from_memory(bytes.data(), size, &width, &height, &channels_in_file, 4), &::free);
  if (rgba == nullptr)
    throw Error(name, std::string("a whole ") + (png ? "PNG" : "JPEG") + " image",
                std::string("a damaged one (") + stb::stbi_failure_reason() + ")");

  Image image(height, width, channels);
  std::uint8_t const* in = rgba.get();
  if (channels == 4) {
    image.pixels.assign(in, in + image.pixels.size());
    return image;
  }
  for (std::size_t i = 0; i < image.pixels.size(); in += 4) {
    std::array<int, 3> rgb;
    for (int c = 0; c < 3; ++c) rgb[c] = (in[c] * in[3] + 255 * (255 - in[3]) + 127) / 255;
    if (channels == 1) {
      image.pixels[i++] =
          static_cast<std::uint8_t>((299 * rgb[0] + 587 * rgb[1] + 114 * rgb[2] + 500) / 1000);
    } else {
      for (int value : rgb) image.pixels[i++] = static_cast<std::uint8_t>(value);
    }
  }
  return image;
}

/// Reads a PNG or JPEG file, told by its content, as `decode_image` does.
inline Image read_image(std::filesystem::path const& path, int channels) {
  return decode_image(read_file(path), channels, path.string());
}

/// The file of an 8-bit PNG of 1 (gray), 2 (gray, alpha), 3 (RGB) or 4 (RGBA) channels. Throws Error, with
/// the path, for an image of another kind.
inline std::vector<std::uint8_t> encode_png(Image const& image, std::filesystem::path const& path) {
  if (image.height < 1 || image.width < 1 || image.channels < 1 || image.channels > 4 ||
      image.pixels.size() != Image(image.height, image.width, image.channels).pixels.size())
    throw Error(path.string(), "an image of at least 1x1 pixels and 1 to 4 channels to write",
                std::to_string(image.height) + "x" + std::to_string(image.width) + "x" +
                    std::to_string(image.channels) + " with " + std::to_string(image.pixels.size()) +
                    " bytes");
  int size = 0;
  std::unique_ptr<std::uint8_t, decltype(&::free)> const bytes(
      stb::stbi_write_png_to_mem(image.pixels.data(), image.width * image.channels, image.width, image.height,
                                 image.channels, &size),
      &::free);
  if (bytes == nullptr) throw Error(path.string(), "enough memory to compress the image", "too little");
  return {bytes.get(), bytes.get() + size};
}

/// Writes such a PNG as `write_file` does.
inline void write_png(std::filesystem::path const& path, Image const& image, Flush flush = Flush::now) {
  std::vector<std::uint8_t> const bytes = encode_png(image, path);
  write_file(path, bytes.data(), bytes.size(), flush);
}

}  // namespace glyphdiff
