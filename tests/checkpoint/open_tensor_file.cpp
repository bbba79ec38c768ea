#include "files.hpp"

#include "../golden/golden.hpp"

#include <glyphdiff/checkpoint/open_tensor_file.hpp>
#include <glyphdiff/checkpoint/torch_writer.hpp>
#include <glyphdiff/checkpoint/weights.hpp>

#include <doctest/doctest.h>

namespace checkpoint_open_tensor_file_tests {

using namespace glyphdiff;

TEST_CASE("a file's format is told by its content, not by its name") {
  TemporaryFolder const folder;
  float const x[2] = {1, 2};
  std::string const safe = (folder / "safe.pt").string(), zip = (folder / "zip.safetensors").string(),
                    stream = (folder / "stream").string(), other = (folder / "other.pt").string();
  write_safetensors(safe, {safetensors_source("x", {2}, x)}, {});
  write_torch_file(zip, {safetensors_source("x", {2}, x)});
  std::filesystem::copy_file(golden::path("torch/tensors_stream.pt"), stream);
  CHECK(open_tensor_file(safe)->entries()[0].name == "x");
  CHECK(open_tensor_file(zip)->entries()[0].name == "x");
  CHECK(open_tensor_file(stream)->entries()[0].name == "plain");
  for (std::string const bytes : {"", "12345678", "GIF89a and more", "\x89PNG\r\n\x1a\n"}) {
    files::write(other, bytes);
    CHECK(files::message_of<Error>([&] { open_tensor_file(other); }) ==
          other + ": expected a file of torch.save or safetensors, found another beginning");
  }
  CHECK_THROWS_AS(open_tensor_file((folder / "absent").string()), Error);
}

TEST_CASE("weights load alike from every format and precision") {
  std::vector<float> arena(5, -7.0f);
  auto const file = open_tensor_file(golden::path("torch/parallel_half.pt"));
  load_weights(*file, "", {{"in.bias", {2}, 0, 2}, {"out.bias", {3}, 2, 3}}, arena.data());
  CHECK(arena == std::vector<float>{-3, -2.75f, -3, -2.75f, -2.5f});
  CHECK(files::message_of<Error>([&] {
          load_weights(*file, "", {{"in.bias", {3}, 0, 3}, {"in.weight", {1}, 3, 1}}, arena.data());
        })
            .starts_with(
                file->path() +
                " does not hold the tensors of this program's model: module.in.bias is F16 (2) and not "
                "F32 (3); no module.in.weight; module.out.bias is not part of it"));

  auto const integers = open_tensor_file(golden::path("torch/tensors.pt"));
  CHECK(files::message_of<Error>([&] {
          load_weights(*integers, "int", {{"egers", {5}, 0, 5}}, arena.data());
        }).find("integers is I64 (5) and not F32 (5)") != std::string::npos);
}

}  // namespace checkpoint_open_tensor_file_tests
