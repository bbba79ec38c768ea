#include "files.hpp"

#include "../golden/golden.hpp"

#include <glyphdiff/checkpoint/safetensors.hpp>
#include <glyphdiff/checkpoint/torch_file.hpp>
#include <glyphdiff/checkpoint/torch_writer.hpp>

#include <doctest/doctest.h>

namespace checkpoint_torch_writer_tests {

using namespace glyphdiff;

TEST_CASE("a model file comes back bit for bit, in its order") {
  TemporaryFolder const folder;
  std::string const path = (folder / "model.pt").string();
  std::vector<float> const floats{1.5f, -0.0f, 3e-45f, INFINITY, -2.25f, 7.0f};
  std::vector<float> many((5 << 20) / 4 + 3);
  for (std::size_t i = 0; i < many.size(); ++i) many[i] = float(i);
  std::int64_t const count = std::int64_t(many.size());
  write_torch_file(
      path, {safetensors_source("z", {2, 3}, floats.data()), safetensors_source("many", {count}, many.data()),
             safetensors_source("scalar", {}, floats.data() + 4),
             safetensors_source("empty", {0, 3}, floats.data())});
  CHECK(files::count(folder) == 1);
  TorchFile const file(path);
  REQUIRE(file.entries().size() == 4);
  CHECK(file.entries()[0].name == "z");
  CHECK(file.entries()[0].shape == std::vector<std::int64_t>{2, 3});
  CHECK(file.entries()[2].shape.empty());
  std::vector<float> found(6);
  file.read(0, 0, 6, found.data());
  CHECK(std::memcmp(found.data(), floats.data(), 6 * sizeof(float)) == 0);
  found.resize(many.size());
  file.read(1, 0, count, found.data());
  CHECK(found == many);
}

TEST_CASE("the same tensors make the same file") {
  TemporaryFolder const folder;
  float const x[2] = {1, 2};
  std::string const a = (folder / "a.pt").string(), b = (folder / "b.pt").string();
  write_torch_file(a, {safetensors_source("x", {2}, x)});
  write_torch_file(b, {safetensors_source("x", {2}, x)});
  CHECK(files::read(a) == files::read(b));
}

TEST_CASE("what makes no file is refused, and the previous file stays") {
  TemporaryFolder const folder;
  std::string const path = (folder / "model.pt").string();
  files::write(path, "old");
  float const x = 1;
  double const y = 1;
  auto const a = safetensors_source("a", {1}, &x);
  CHECK_THROWS_AS(write_torch_file(path, {a, a}), Error);
  CHECK_THROWS_AS(write_torch_file(path, {safetensors_source("a", {1}, &y)}), Error);
  CHECK(files::read(path) == "old");
  CHECK(files::message_of<Error>([&] { write_torch_file((folder / "absent/a.pt").string(), {a}); }) ==
        (folder / "absent/a.pt").string() + " cannot be written: No such file or directory.");
  CHECK(files::count(folder) == 1);
}

}  // namespace checkpoint_torch_writer_tests
