#include "temporary_folder.hpp"

#include <glyphdiff/io/npz.hpp>

#include <doctest/doctest.h>

#include <filesystem>

namespace io_npz_tests {

using namespace glyphdiff;

namespace {

std::string member(std::string const& path, std::size_t index, std::string const& name) {
  ZipReader zip(path);
  REQUIRE(zip.members().size() > index);
  CHECK(zip.members()[index].name == name);
  std::string text(zip.members()[index].bytes, '\0');
  zip.read(index, 0, text.size(), text.data());
  return text;
}

/// Checks the header as NumPy's format description has it, and gives what follows.
std::string data(std::string const& npy, std::string const& expected) {
  REQUIRE(npy.size() > 10);
  CHECK(npy.substr(0, 8) == std::string("\x93NUMPY\x01\x00", 8));
  std::size_t const length = std::uint8_t(npy[8]) | std::uint8_t(npy[9]) << 8;
  CHECK((10 + length) % 64 == 0);
  std::string const header = npy.substr(10, length);
  CHECK(header.substr(0, expected.size()) == expected);
  CHECK(header.find_first_not_of(' ', expected.size()) == length - 1);
  CHECK(header.back() == '\n');
  return npy.substr(10 + length);
}

}  // namespace

TEST_CASE("samples and labels as NumPy's arrays") {
  TemporaryFolder const folder;
  std::string const path = (folder / "samples.npz").string();
  HostImages const images("images", 2, 3, 5, 3);
  for (int i = 0; i < 90; ++i) images.data()[i] = -1.2f + 0.03f * i;
  std::vector<std::int64_t> const labels{7, -1};
  write_npz(path, images, labels);
  auto const pixels =
      data(member(path, 0, "arr_0.npy"), "{'descr': '|u1', 'fortran_order': False, 'shape': (2,3,5,3,), }");
  REQUIRE(pixels.size() == 90);
  for (int i = 0; i < 90; ++i) CHECK(std::uint8_t(pixels[i]) == to_byte(images.data()[i]));
  auto const classes =
      data(member(path, 1, "arr_1.npy"), "{'descr': '<i8', 'fortran_order': False, 'shape': (2,), }");
  CHECK(classes == std::string("\x07\0\0\0\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff", 16));

  write_npz(path, images);  // replaces, without labels
  CHECK(ZipReader(path).members().size() == 1);
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
}

TEST_CASE("what can't be written leaves no file") {
  TemporaryFolder const folder;
  HostImages const images("images", 2, 3, 5, 1);
  std::vector<std::int64_t> const labels{7};
  CHECK_THROWS_WITH_AS(write_npz("samples.npz", images, labels), "samples.npz: expected 2 labels, found 1",
                       Error);
  CHECK_THROWS_AS(write_npz((folder / "missing/samples.npz").string(), images), Error);
  CHECK(std::filesystem::is_empty(folder.path()));
}

}  // namespace io_npz_tests
