#include <glyphdiff/io/network_file.hpp>

#include "temporary_folder.hpp"

#include <doctest/doctest.h>

namespace io_network_file_tests {

using namespace glyphdiff;

TEST_CASE("of a run's folder the best save is taken, else the newest, else the checkpoint") {
  TemporaryFolder const folder;
  auto const taken = [&] { return network_file(folder.path()).filename().string(); };
  CHECK_THROWS_WITH_AS(network_file(folder.path()), doctest::Contains("a folder without a save"), Error);
  folder.write("notes.pt", "");
  CHECK_THROWS_WITH_AS(network_file(folder.path()), doctest::Contains("a folder with notes.pt"), Error);
  folder.write("checkpoint.safetensors", "");
  CHECK(taken() == "checkpoint.safetensors");
  folder.write("step_999999.safetensors", "");
  folder.write("step_1000000.safetensors", "");  // not the last by name
  folder.write("step_x.safetensors", "");
  folder.write("step_.safetensors", "");
  folder.write("step_2000000.png", "");
  CHECK(taken() == "step_1000000.safetensors");
  folder.write("classifier.safetensors", "");
  CHECK(taken() == "classifier.safetensors");
  folder.write("alphabet.safetensors", "");
  CHECK(taken() == "alphabet.safetensors");
  folder.write("best.safetensors", "");
  CHECK(taken() == "best.safetensors");
  CHECK(network_file(folder / "checkpoint.safetensors") == folder / "checkpoint.safetensors");
}

TEST_CASE("a file that is missing in a run's folder is answered with what is there") {
  TemporaryFolder const folder;
  CHECK_THROWS_WITH_AS(network_file(folder / "alphabet.safetensors"), doctest::Contains("found nothing"),
                       Error);
  folder.write("checkpoint.safetensors", "");
  CHECK_THROWS_WITH_AS(
      network_file(folder / "alphabet.safetensors"),
      ((folder / "alphabet.safetensors").string() +
       ": expected a file of a network, or the folder of a run, found nothing of that name; " +
       folder.path().string() + " has checkpoint.safetensors, and the folder itself may be given")
          .c_str(),
      Error);
  for (int i = 0; i < 7; ++i) folder.write("model" + std::to_string(i) + ".pt", "");
  CHECK_THROWS_WITH_AS(network_file(folder / "a.pt"), doctest::Contains("model3.pt and 3 more"), Error);
}

}  // namespace io_network_file_tests
