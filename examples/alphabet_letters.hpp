// What both halves of alphabet need: the network, and letters as it sees them.
#pragma once

#include <glyphdiff/checkpoint/open_tensor_file.hpp>
#include <glyphdiff/data/alphabet.hpp>
#include <glyphdiff/data/alphabet_letters.hpp>
#include <glyphdiff/data/styled_letters.hpp>
#include <glyphdiff/io/file.hpp>
#include <glyphdiff/io/grid.hpp>
#include <glyphdiff/presets.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

namespace gd = glyphdiff;
namespace fs = std::filesystem;
using Exec = Kokkos::DefaultExecutionSpace;
using Preset = gd::presets::Alphabet64;
using Net = gd::UNet<Preset, Exec>;
using Letters = gd::StyledLetters<Net>;
using Picture = Letters::Picture;
using Frame = gd::AlphabetFrame;

static_assert(Net::config.classes == int(gd::alphabet.size()) && Net::config.image_size == Frame::size);

fs::path const shipped = fs::path(GLYPHDIFF_DATA_DIR) / "alphabet.safetensors";

/// 64 bits of FNV-1a: tells files apart.
inline std::string content_hash(fs::path const& path) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (std::uint8_t const byte : gd::read_file(path)) hash = (hash ^ byte) * 0x100000001b3;
  char text[20];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(hash));
  return text;
}

/// The network that this one was taught from, or taught from again and again; itself if it says none.
inline std::string base_of(fs::path const& path) {
  auto const file = gd::open_tensor_file(path.string());
  auto const* const base = gd::find_value(file->metadata(), "config.base");
  return base != nullptr ? *base : content_hash(path);
}

inline gd::AlphabetLetters load_letters(fs::path const& folder) {
  auto loaded = gd::load_alphabet_letters(folder);
  for (std::string const& sentence : loaded.skipped) std::cerr << "skipped: " << sentence << '\n';
  if (loaded.moved > 0)
    std::cerr
        << loaded.moved << " letters of " << folder.string()
        << " lie in another frame and were brought to this network's (baseline 48, capitals 40 of 64)\n";
  return loaded;
}

inline Picture to_picture(gd::Image const& image) {
  Picture picture;
  for (std::uint8_t const byte : image.pixels) picture.push_back(float(byte) / 127.5f - 1.0f);
  return picture;
}

inline gd::Image to_image(Picture const& picture) {
  gd::Image image(Frame::size, Frame::size, 1);
  std::transform(picture.begin(), picture.end(), image.pixels.begin(), gd::to_byte);
  return image;
}

inline gd::Image picture_grid(std::vector<Picture> const& pictures, int columns) {
  gd::HostImages const host("letters", pictures.size(), Frame::size, Frame::size, 1);
  for (std::size_t i = 0; i < pictures.size(); ++i)
    std::copy(pictures[i].begin(), pictures[i].end(), &host(i, 0, 0, 0));
  return gd::image_grid(host, columns);
}

inline gd::Images<Exec> to_device(std::vector<Picture> const& pictures) {
  gd::HostImages const host("pictures", pictures.size(), Frame::size, Frame::size, 1);
  for (std::size_t i = 0; i < pictures.size(); ++i)
    std::copy(pictures[i].begin(), pictures[i].end(), &host(i, 0, 0, 0));
  return Kokkos::create_mirror_view_and_copy(typename Exec::memory_space(), host);
}
