#include "files.hpp"

#include <glyphdiff/checkpoint/safetensors.hpp>

#include <doctest/doctest.h>

#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <cstring>

namespace checkpoint_safetensors_tests {

using namespace glyphdiff;

namespace {

std::vector<float> const floats{1.5f, -0.0f, 3e-45f, INFINITY, -2.25f, 7.0f, 8.0f};
std::vector<double> const doubles{1.0 / 3.0, -1e300};
std::vector<std::int64_t> const integers{INT64_MIN, 42, INT64_MAX};

/// Odd numbers of floats before doubles, a scalar, an empty tensor, names and metadata that JSON must escape.
void write_example(std::string const& path) {
  write_safetensors(path,
                    {safetensors_source("floats", {7}, floats.data()),
                     safetensors_source("scalar \"q\" \n \xc3\xa9", {}, floats.data() + 4),
                     safetensors_source("empty", {0, 3}, floats.data()),
                     safetensors_source("matrix", {3, 1, 2}, floats.data() + 1),
                     safetensors_source("doubles", {2}, doubles.data()),
                     safetensors_source("integers", {3}, integers.data())},
                    {{"second", "2"}, {"first", "a \"quoted\" \\ value"}});
}

template <class T>
std::vector<T> read_all(SafetensorsFile const& file, std::string const& name) {
  for (auto const& entry : file.entries())
    if (entry.name == name) {
      std::vector<T> values(entry.bytes / sizeof(T));
      file.read(entry, values.data());
      return values;
    }
  FAIL("no tensor " << name);
  return {};
}

template <class T>
bool same_bits(std::vector<T> const& a, T const* b) {
  return std::memcmp(a.data(), b, a.size() * sizeof(T)) == 0;
}

std::string with_header(std::string const& json, std::size_t data_bytes = 0) {
  std::uint64_t const length = json.size();
  return std::string(reinterpret_cast<char const*>(&length), 8) + json + std::string(data_bytes, '\0');
}

std::string error_of(std::string const& path, std::string const& bytes) {
  files::write(path, bytes);
  return files::message_of<Error>([&] { SafetensorsFile file(path); });
}

std::string tensor(std::string const& name, std::string const& dtype, std::string const& shape,
                   std::string const& offsets) {
  return "\"" + name + "\":{\"dtype\":\"" + dtype + "\",\"shape\":[" + shape + "],\"data_offsets\":[" +
         offsets + "]}";
}

}  // namespace

TEST_CASE("tensors and metadata come back bit for bit") {
  TemporaryFolder const folder;
  std::string const path = (folder / "example.safetensors").string();
  write_example(path);
  CHECK(files::count(folder) == 1);

  SafetensorsFile const file(path);
  CHECK(file.entries().size() == 6);
  CHECK(file.metadata() == KeyValues{{"first", "a \"quoted\" \\ value"}, {"second", "2"}});
  CHECK(same_bits(read_all<float>(file, "floats"), floats.data()));
  CHECK(same_bits(read_all<float>(file, "scalar \"q\" \n \xc3\xa9"), floats.data() + 4));
  CHECK(same_bits(read_all<float>(file, "matrix"), floats.data() + 1));
  CHECK(same_bits(read_all<double>(file, "doubles"), doubles.data()));
  CHECK(same_bits(read_all<std::int64_t>(file, "integers"), integers.data()));
  CHECK(read_all<float>(file, "empty").empty());
  for (auto const& entry : file.entries()) {
    if (entry.name == "matrix") CHECK(entry.shape == std::vector<std::int64_t>{3, 1, 2});
    if (entry.name == "floats") {
      CHECK(entry.dtype == "F32");
      double wrong;
      CHECK_THROWS_AS(file.read(entry, &wrong), Error);
      float piece[2];
      file.read(entry, 16, 8, piece);
      CHECK(piece[1] == 7.0f);
      CHECK_THROWS_AS(file.read(entry, 24, 8, piece), Error);
      CHECK_THROWS_AS(file.read(entry, UINT64_MAX, 8, piece), Error);
    }
  }
}

TEST_CASE("the data of every tensor is aligned to its type") {
  TemporaryFolder const folder;
  std::string const path = (folder / "example.safetensors").string();
  write_example(path);
  std::uint64_t header;
  std::memcpy(&header, files::read(path).data(), 8);
  CHECK(header % 8 == 0);
  SafetensorsFile const file(path);
  for (auto const& entry : file.entries()) CHECK(entry.offset % (entry.dtype == "F32" ? 4 : 8) == 0);
}

TEST_CASE("a tensor larger than a chunk is read in order and written whole") {
  TemporaryFolder const folder;
  std::string const path = (folder / "large.safetensors").string();
  std::int64_t const count = (10 << 20) / 4 + 3;
  std::uint64_t expected_offset = 0;
  auto const counting = [&](std::uint64_t offset, std::uint64_t bytes, void* to) {
    CHECK(offset == expected_offset);
    expected_offset += bytes;
    for (std::uint64_t i = 0; i < bytes / 4; ++i) static_cast<float*>(to)[i] = float(offset / 4 + i);
  };
  write_safetensors(path, {{"large", "F32", {count}, counting}}, {});
  auto const values = read_all<float>(SafetensorsFile(path), "large");
  bool right = true;
  for (std::int64_t i = 0; i < count; ++i) right = right && values[std::size_t(i)] == float(i);
  CHECK(right);
}

TEST_CASE("a file cut short at any length is refused, in words that hold both lengths") {
  TemporaryFolder const folder;
  std::string const path = (folder / "cut.safetensors").string();
  write_example(path);
  std::string const bytes = files::read(path);
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    CAPTURE(length);
    REQUIRE(error_of(path, bytes.substr(0, length)).starts_with(path + ": expected "));
  }
  CHECK(error_of(path, bytes.substr(0, 5)) ==
        path + ": expected a safetensors file of at least 8 bytes, found 5 bytes");
  CHECK(error_of(path, bytes.substr(0, bytes.size() - 30)) ==
        path + ": expected 96 bytes of tensor data, found 66; the file is cut short");
  CHECK(error_of(path, bytes + "x") == path + ": expected 96 bytes of tensor data, found 97");
}

TEST_CASE(
    "no changed byte of the header gets past the reader as anything but an Error or another valid header") {
  TemporaryFolder const folder;
  std::string const path = (folder / "changed.safetensors").string();
  write_example(path);
  std::string const bytes = files::read(path);
  std::uint64_t header;
  std::memcpy(&header, bytes.data(), 8);
  int refused = 0;
  for (std::size_t at = 0; at < 8; ++at)
    for (int const flip : {0x01, 0x10, 0x80, 0xff}) {
      std::string changed = bytes;
      changed[at] = char(changed[at] ^ flip);
      CHECK(error_of(path, changed) != "no error");
    }
  for (std::size_t at = 8; at < 8 + header; ++at)
    for (int const flip : {0x01, 0x04, 0x20, 0x80, 0xff}) {
      std::string changed = bytes.substr(8, header);
      changed[at - 8] = char(changed[at - 8] ^ flip);
      refused += files::message_of<Error>([&] {
                   parse_safetensors_header(changed, bytes.size() - 8 - header, path);
                 }) != "no error";
    }
  CHECK(refused > 1000);
}

TEST_CASE("hostile headers are refused") {
  TemporaryFolder const folder;
  std::string const path = (folder / "hostile.safetensors").string();
  auto const error = [&](std::string const& json, std::size_t data_bytes = 0) {
    return error_of(path, with_header(json, data_bytes));
  };
  CHECK(error("{}") == "no error");
  CHECK(error("{" + tensor("a", "F32", "2", "0,8") + "}", 8) == "no error");

  CHECK(error_of(path, "\xff\xff\xff\xff\xff\xff\xff\xff{}") ==
        path + ": expected a safetensors header, found a header length of 18446744073709551615");
  CHECK(error_of(path, with_header("{}", 1).substr(0, 9)).ends_with("the file is cut short"));
  CHECK(error("") != "no error");
  CHECK(error("[]") != "no error");
  CHECK(error("{\"a\":1}") != "no error");
  CHECK(error("{\"a\":{\"dtype\":\"F32\",\"shape\":[]}}") != "no error");
  CHECK(error("{\"__metadata__\":{\"a\":1}}") != "no error");
  CHECK(error("{\"__metadata__\":[]}") != "no error");
  CHECK(error("{" + tensor("\xff", "F32", "", "0,4") + "}", 4) != "no error");
  CHECK(error(std::string(100000, '[')) != "no error");
  CHECK(error("{\"a\":" + std::string(100000, '[') + std::string(100000, ']') + "}") != "no error");

  // Types and shapes.
  CHECK(error("{" + tensor("a", "F31", "1", "0,4") + "}", 4) ==
        path + ": expected a known type of the tensor a, found F31");
  CHECK(error("{" + tensor("a", "F32", "-1", "0,4") + "}", 4) != "no error");
  CHECK(error("{" + tensor("a", "F32", "1.0", "0,4") + "}", 4) != "no error");
  CHECK(error("{" + tensor("a", "F32", "1e999", "0,4") + "}", 4) != "no error");
  CHECK(error("{" + tensor("a", "F32", "99999999999999999999", "0,4") + "}", 4) != "no error");
  CHECK(error("{" + tensor("a", "F32", "4294967296,4294967296", "0,0") + "}") ==
        path + ": expected a size of the tensor a that fits 64 bits, found a larger one");
  CHECK(error("{" + tensor("a", "F32", "4611686018427387905", "0,4") + "}", 4) != "no error");

  // Offsets.
  CHECK(error("{" + tensor("a", "F32", "1", "4,0") + "}", 4) != "no error");
  CHECK(error("{" + tensor("a", "F32", "1", "0,8") + "}", 8) ==
        path + ": expected 4 bytes of the tensor a by its shape, found offsets 0 to 8");
  CHECK(error("{" + tensor("a", "F32", "1", "4,8") + "}", 8) ==
        path + ": expected the tensor a at byte 0 of the data, found byte 4");
  CHECK(error("{" + tensor("a", "F32", "1", "0,4") + "," + tensor("b", "F32", "1", "0,4") + "}", 4) !=
        "no error");
  CHECK(error("{" + tensor("a", "F32", "1", "0,4") + "," + tensor("b", "F32", "1", "8,12") + "}", 12) !=
        "no error");
  CHECK(error("{" + tensor("a", "U8", "9223372036854775807", "0,9223372036854775807") + "," +
              tensor("b", "U8", "9223372036854775807", "0,9223372036854775807") + "}") != "no error");

  // Names.
  CHECK(error("{" + tensor("a", "F32", "1", "0,4") + "," + tensor("a", "F32", "1", "0,4") + "}", 4) ==
        path + ": expected every name once in the header, found a twice");
  CHECK(error("{\"__metadata__\":{\"k\":\"1\",\"k\":\"2\"}}") != "no error");
  CHECK(error("{\"__metadata__\":{},\"__metadata__\":{}}") != "no error");
  CHECK(error("{" + tensor("\\u001b[31mred", "F31", "1", "0,4") + "}", 4) ==
        path + ": expected a known type of the tensor ?[31mred, found F31");
}

TEST_CASE("what is no file is refused without waiting") {
  TemporaryFolder const folder;
  CHECK(files::message_of<Error>([&] { SafetensorsFile file((folder / "absent").string()); }) ==
        (folder / "absent").string() + " cannot be opened: No such file or directory.");
  CHECK(files::message_of<Error>([&] {
          SafetensorsFile file((folder / "").string());
        }).ends_with("found no regular file"));
  REQUIRE(::mkfifo((folder / "pipe").string().c_str(), 0600) == 0);
  CHECK(files::message_of<Error>([&] {
          SafetensorsFile file((folder / "pipe").string());
        }).ends_with("found no regular file"));
}

TEST_CASE("a failed write keeps the previous file and leaves nothing else") {
  TemporaryFolder const folder;
  std::string const path = (folder / "kept.safetensors").string();
  write_example(path);
  std::string const before = files::read(path);

  SUBCASE("the file grows beyond what the system allows") {
    std::vector<float> const many(100000);
    ::rlimit original{};
    ::getrlimit(RLIMIT_FSIZE, &original);
    ::rlimit limited = original;
    limited.rlim_cur = 50000;
    auto const handler = std::signal(SIGXFSZ, SIG_IGN);
    ::setrlimit(RLIMIT_FSIZE, &limited);
    std::string const message = files::message_of<Error>(
        [&] { write_safetensors(path, {safetensors_source("many", {100000}, many.data())}, {}); });
    ::setrlimit(RLIMIT_FSIZE, &original);
    std::signal(SIGXFSZ, handler);
    CHECK(message == path + " cannot be written: File too large.");
  }
  SUBCASE("the data cannot be had") {
    auto const broken = [](std::uint64_t, std::uint64_t, void*) {
      throw std::runtime_error("the device is gone");
    };
    CHECK_THROWS_WITH_AS(write_safetensors(path, {{"a", "F32", {3}, broken}}, {}), "the device is gone",
                         std::runtime_error);
  }
  SUBCASE("the tensors make no file") {
    float const x = 0;
    auto const a = safetensors_source("a", {1}, &x);
    CHECK_THROWS_AS(write_safetensors(path, {a, a}, {}), Error);
    CHECK_THROWS_AS(write_safetensors(path, {safetensors_source("__metadata__", {1}, &x)}, {}), Error);
    CHECK_THROWS_AS(write_safetensors(path, {safetensors_source("\xff", {1}, &x)}, {}), Error);
    CHECK_THROWS_AS(write_safetensors(path, {safetensors_source("a", {-1}, &x)}, {}), Error);
    CHECK_THROWS_AS(write_safetensors(path, {a}, {{"k", "1"}, {"k", "2"}}), Error);
  }
  CHECK(files::read(path) == before);
  CHECK(files::count(folder) == 1);
}

TEST_CASE("a place that cannot be written is named") {
  TemporaryFolder const folder;
  auto const error = [&](std::string const& path) {
    return files::message_of<Error>([&] { write_example(path); });
  };
  CHECK(error((folder / "absent/a").string()) ==
        (folder / "absent/a").string() + " cannot be written: No such file or directory.");
  files::write((folder / "file").string(), "text");
  CHECK(error((folder / "file/a").string()) ==
        (folder / "file/a").string() + " cannot be written: Not a directory.");
  std::filesystem::create_directory((folder / "folder").string());
  CHECK(error((folder / "folder").string()) ==
        (folder / "folder").string() + ": expected the name of a file to write, found a folder");
  CHECK(files::count(folder) == 2);
  if (::geteuid() != 0) {  // root writes anywhere
    ::chmod((folder / "folder").string().c_str(), 0500);
    CHECK(error((folder / "folder/a").string()) ==
          (folder / "folder/a").string() + " cannot be written: Permission denied.");
  }
}

TEST_CASE("a changed byte anywhere in the data is an Error that names the file and the tensor") {
  TemporaryFolder const folder;
  std::string const path = (folder / "changed.safetensors").string();
  write_example(path);
  std::string const bytes = files::read(path);
  std::vector<SafetensorsEntry> const entries = SafetensorsFile(path).entries();
  std::uint64_t header;
  std::memcpy(&header, bytes.data(), 8);
  for (std::size_t at = 8 + header; at < bytes.size(); ++at)
    for (int bit = 0; bit < 8; ++bit) {
      CAPTURE(at);
      CAPTURE(bit);
      std::string changed = bytes;
      changed[at] = char(changed[at] ^ 1 << bit);
      files::write(path, changed);
      SafetensorsTensors const file(path);
      int named = 0;
      for (std::size_t k = 0; k < entries.size(); ++k) {
        auto const& entry = entries[k];
        bool const here = at - 8 - header >= entry.offset && at - 8 - header < entry.offset + entry.bytes;
        std::string const message = files::message_of<Error>([&] { file.verify(k); });
        bool const told =
            message.starts_with(path + ": expected the tensor " + detail::printable(entry.name) +
                                " as it was written, with the checksum ");
        REQUIRE(told == here);
        REQUIRE((message == "no error") == !here);
        named += told;
      }
      REQUIRE(named == 1);
    }
}

TEST_CASE("a changed byte of the header is an Error, but for the name of its own checksum") {
  TemporaryFolder const folder;
  std::string const path = (folder / "changed.safetensors").string();
  write_example(path);
  std::string const bytes = files::read(path);
  std::uint64_t header;
  std::memcpy(&header, bytes.data(), 8);
  std::size_t const own = bytes.find("glyphdiff.xxh64");
  for (std::size_t at = 0; at < 8 + header; ++at) {
    CAPTURE(at);
    if (at >= own && at < own + 15) continue;
    std::string changed = bytes;
    changed[at] = char(changed[at] ^ 1);
    CHECK(error_of(path, changed) != "no error");
  }
  std::string changed = bytes;
  changed[own] = char(changed[own] ^ 1);
  CHECK(error_of(path, changed) == "no error");
  changed = bytes;
  changed[bytes.find("a \\\"quoted")] = 'b';
  CHECK(error_of(path, changed) ==
        path + ": expected the header as it was written, by its checksum, found a changed one");
}

TEST_CASE("files without checksums are read, and checksums are not among the metadata") {
  TemporaryFolder const folder;
  std::string const path = (folder / "plain.safetensors").string();
  files::write(path, with_header("{" + tensor("a", "F32", "2", "0,8") + "}", 8));
  SafetensorsTensors const plain(path);
  CHECK(plain.verify(0) == 0);
  CHECK_NOTHROW(plain.require_intact(0, 0, 2));
  write_example(path);
  SafetensorsTensors const ours(path);
  CHECK(ours.verify(0) == 1);
  CHECK(ours.metadata().size() == 2);
  std::string const bytes = files::read(path);
  CHECK(bytes.find(
            "\"xxh64.matrix\":\"" +
            checksum_text(xxh64(std::string_view(reinterpret_cast<char const*>(floats.data() + 1), 24))) +
            "\"") != std::string::npos);
}

}  // namespace checkpoint_safetensors_tests
