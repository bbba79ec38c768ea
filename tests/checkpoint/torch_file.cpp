#include "files.hpp"

#include "../golden/golden.hpp"

#include <glyphdiff/checkpoint/pickle_writer.hpp>
#include <glyphdiff/checkpoint/torch_file.hpp>
#include <glyphdiff/checkpoint/torch_writer.hpp>

#include <doctest/doctest.h>

namespace checkpoint_torch_file_tests {

using namespace glyphdiff;

namespace {

std::vector<float> read_all(TensorFile const& file, std::string const& name) {
  for (std::size_t i = 0; i < file.entries().size(); ++i)
    if (file.entries()[i].name == name) {
      std::vector<float> values(std::size_t(file.entries()[i].count()));
      file.read(i, 0, std::int64_t(values.size()), values.data());
      return values;
    }
  FAIL("no tensor " << name);
  return {};
}

/// The numbers of make.py.
std::vector<float> ramp(std::vector<int> const& positions) {
  std::vector<float> values;
  for (int const i : positions) values.push_back(float(i) * 0.25f - 3);
  return values;
}

/// Reads everything that a file has.
void read_whole(std::string const& path) {
  TorchFile const file(path);
  for (TensorEntry const& entry : file.entries())
    if (detail::is_floating(entry.dtype)) read_all(file, entry.name);
}

/// A zip archive with this pickle, and a storage "0" of three floats.
std::string write_pickle(std::string const& path, std::string const& pickle) {
  float const numbers[3]{};
  auto const read = [&](std::uint64_t offset, std::uint64_t bytes, void* to) {
    std::memcpy(to, reinterpret_cast<char const*>(numbers) + offset, bytes);
  };
  write_torch_archive(path, pickle, {{"0", "F32", {3}, read}});
  return files::message_of<Error>([&] { TorchFile file(path); });
}

}  // namespace

TEST_CASE("both formats of torch.save give the same tensors") {
  for (std::string const name : {"tensors.pt", "tensors_stream.pt"}) {
    CAPTURE(name);
    TorchFile const file(golden::path("torch/" + name));
    CHECK(*find_value(file.metadata(), "torch.format") == (name == "tensors.pt" ? "zip" : "stream"));
    std::string names;
    for (TensorEntry const& entry : file.entries()) names += entry.name + ":" + entry.dtype + " ";
    CHECK(names ==
          "plain:F32 half:F16 bfloat:BF16 double:F64 scalar:F32 empty:F32 transposed:F32 every_other:F32 "
          "whole:F32 "
          "tail:F32 expanded:F32 permuted_half:F16 parameter:F32 integers:I64 ");
    for (char const* const tensor : {"plain", "half", "bfloat", "double"})
      CHECK(read_all(file, tensor) == ramp({0, 1, 2, 3, 4, 5}));
    CHECK(read_all(file, "scalar") == std::vector<float>{-2.5f});
    CHECK(read_all(file, "empty").empty());
    CHECK(read_all(file, "transposed") == ramp({0, 3, 1, 4, 2, 5}));
    CHECK(read_all(file, "every_other") == ramp({1, 3, 5, 7, 9, 11, 13, 15, 17, 19}));
    CHECK(read_all(file, "whole").size() == 24);
    CHECK(read_all(file, "tail") == ramp({20, 21, 22, 23}));
    CHECK(read_all(file, "expanded") == ramp({0, 0, 1, 1, 2, 2}));
    std::vector<int> permuted;
    for (int k = 0; k < 4; ++k)
      for (int i = 0; i < 2; ++i)
        for (int j = 0; j < 3; ++j) permuted.push_back(12 * i + 4 * j + k);
    CHECK(read_all(file, "permuted_half") == ramp(permuted));
    CHECK(read_all(file, "parameter") == ramp({0, 1, 2, 3}));
    CHECK(file.entries()[6].shape == std::vector<std::int64_t>{3, 2});
    float piece[2];
    file.read(6, 3, 2, piece);
    CHECK(piece[0] == ramp({4})[0]);
    CHECK_THROWS_AS(file.read(13, 0, 1, piece), Error);  // integers
    CHECK_THROWS_AS(file.read(6, 5, 2, piece), Error);
  }
}

TEST_CASE("nested values are a tree, and their tensors have names with dots") {
  TorchFile const file(golden::path("torch/nested.pt"));
  CHECK(*file.value().find("epoch")->as<std::int64_t>() == 3);
  CHECK(*file.value().find("name")->as<std::string>() == "x");
  REQUIRE(file.entries().size() == 2);
  CHECK(file.entries()[0].name == "model.a");
  CHECK(read_all(file, "model.b.0") == ramp({0, 1, 2}));
}

TEST_CASE("a file cut short at any length is refused") {
  TemporaryFolder const folder;
  std::string const path = (folder / "cut.pt").string();
  for (std::string const name : {"tensors.pt", "tensors_stream.pt"}) {
    std::string const bytes = files::read(golden::path("torch/" + name));
    for (std::size_t length = 0; length < bytes.size(); length += 3) {
      CAPTURE(length);
      files::write(path, bytes.substr(0, length));
      REQUIRE(files::message_of<Error>([&] { TorchFile file(path); }).starts_with(path + ": expected "));
    }
  }
}

TEST_CASE("a changed byte is an Error or another valid file, and never more") {
  TemporaryFolder const folder;
  std::string const path = (folder / "changed.pt").string();
  for (std::string const name : {"tensors.pt", "tensors_stream.pt"}) {
    std::string const bytes = files::read(golden::path("torch/" + name));
    int refused = 0;
    for (std::size_t at = 0; at < bytes.size(); ++at)
      for (int const flip : {0x01, 0x80}) {
        std::string changed = bytes;
        changed[at] = char(changed[at] ^ flip);
        files::write(path, changed);
        refused += files::message_of<Error>([&] { read_whole(path); }) != "no error";
      }
    CHECK(refused > 1500);
  }
}

TEST_CASE("hostile values are refused") {
  TemporaryFolder const folder;
  std::string const path = (folder / "hostile.pt").string();
  auto const error = [&](PickleWriter& writer) { return write_pickle(path, writer.finish()); };
  auto const tensor = [&](std::string const& key, std::vector<std::int64_t> const& shape) {
    return error(PickleWriter().begin_dict().text("a").tensor(key, shape).end_dict());
  };
  CHECK(tensor("0", {3}) == "no error");
  CHECK(tensor("0", {4}) == path + ": expected 4 numbers of F32 in the storage 0, found 12 bytes");
  CHECK(tensor("1", {3}) == path + ": expected the storage 1, found none");
  CHECK(tensor("../version", {3}) != "no error");
  CHECK(tensor("0", {std::int64_t(1) << 61}) != "no error");
  PickleWriter twice;
  twice.begin_dict()
      .text("a.b")
      .tensor("0", {3})
      .text("a")
      .begin_dict()
      .text("b")
      .tensor("0", {3})
      .end_dict();
  CHECK(error(twice.end_dict()) == path + ": expected every tensor once, found a.b twice");
  CHECK(write_pickle(path,
                     "\x80\x02"
                     "cos\nsystem\n(U\x02lstR.")
            .find("the global \"os system\"") != std::string::npos);

  // Forty lists, each of the one before twice: a million million tensors by name.
  std::string bomb = PickleWriter().tensor("0", {3}).finish();
  bomb.pop_back();
  for (int level = 0; level < 40; ++level)
    bomb += std::string("q") + char(level) + "h" + char(level) + "\x86";
  CHECK(write_pickle(path, bomb + ".").find("bytes of tensors' names, found more") != std::string::npos);
}

TEST_CASE("other files are told what they are not") {
  TemporaryFolder const folder;
  std::string const path = (folder / "other").string();
  auto const error = [&](std::string const& bytes) {
    files::write(path, bytes);
    return files::message_of<Error>([&] { TorchFile file(path); });
  };
  CHECK(error("") == path + ": expected a file of torch.save, found another beginning");
  CHECK(error("\x80\x02K\x01.") == path + ": expected a file of torch.save, found another beginning");
  replace_file(path, [&](int fd) { write_zip(fd, path, {}); });
  CHECK(files::message_of<Error>([&] { TorchFile file(path); }) != "no error");
  auto const read = [](std::uint64_t, std::uint64_t bytes, void* to) { std::memset(to, 0, bytes); };
  replace_file(path, [&](int fd) { write_zip(fd, path, {{"a/b", 1, read}}); });
  CHECK(files::message_of<Error>([&] { TorchFile file(path); }) ==
        path + ": expected a file of torch.save, found a zip archive without data.pkl");
  replace_file(path, [&](int fd) {
    write_zip(fd, path, {{"a/data.pkl", 1, read}, {"b/data.pkl", 1, read}});
  });
  CHECK(files::message_of<Error>([&] { TorchFile file(path); }) ==
        path + ": expected one data.pkl in the archive, found several");
}

}  // namespace checkpoint_torch_file_tests
