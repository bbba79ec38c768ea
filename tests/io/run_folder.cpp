#include "temporary_folder.hpp"

#include <glyphdiff/io/run_folder.hpp>

#include <doctest/doctest.h>

namespace io_run_folder_tests {

using namespace glyphdiff;
namespace fs = std::filesystem;

TEST_CASE("a run's folder is made, or said to be impossible") {
  TemporaryFolder const folder;
  make_run_folder(folder / "a/b");
  CHECK(fs::is_directory(folder / "a/b"));
  CHECK(fs::is_empty(folder / "a/b"));
  folder.write("file", "");
  CHECK_THROWS_AS(make_run_folder(folder / "file"), Error);
}

TEST_CASE("the next start of a run removes what a killed one was writing") {
  TemporaryFolder const folder;
  folder.write("step_000020.safetensors.0123456789abcdef.partial", "half");
  folder.write("step_000020.safetensors.4194303.partial", "of another program");
  make_run_folder(folder.path());
  CHECK_FALSE(fs::exists(folder / "step_000020.safetensors.0123456789abcdef.partial"));
  CHECK(fs::exists(folder / "step_000020.safetensors.4194303.partial"));
}

TEST_CASE("what a run's folder cannot do is an Error, never another exception") {
  TemporaryFolder const folder;
  folder.write("file", "");
  fs::path const none = folder / "missing", within_file = folder / "file/within";
  fs::create_directory_symlink(folder / "loop", folder / "loop");
  for (fs::path const& path : {none, within_file, folder / "file", folder / "loop"}) {
    CAPTURE(path);
    CHECK_THROWS_AS(drawn_sheets(path, 1), Error);
    CHECK_THROWS_AS(remove_sheets(path), Error);
    CHECK_NOTHROW(write_progress(path, {0, 1}, 2, 1));  // no sheets, no strip
    LossLog log;
    CHECK_NOTHROW(log.load(path, 1));
    log.add(1, 0.5);
    CHECK_THROWS_AS(log.save(path, "loss"), Error);
    if (path != none) CHECK_THROWS_AS(make_run_folder(path), Error);
  }
  fs::create_directories(folder / "run/step_1.png/within");
  CHECK_THROWS_AS(remove_sheets(folder / "run"), Error);
}

TEST_CASE("the strip shows the first rows of the sheets that are there, in order") {
  TemporaryFolder const folder;
  for (int step : {0, 20, 300})
    write_png(sheet_path(folder.path(), step), Image(6, 5, 1, std::uint8_t(step % 256)));
  CHECK(sheet_path("out", 300).filename() == "step_000300.png");
  write_progress(folder.path(), {0, 10, 20, 300}, 2, 1);  // 10 is missing
  Image const strip = read_image(folder / "progress.png", 1);
  REQUIRE(strip.height == 6);
  REQUIRE(strip.width == 5);
  CHECK(*strip.at(1, 0) == 0);
  CHECK(*strip.at(2, 4) == 20);
  CHECK(*strip.at(5, 4) == 300 % 256);

  folder.write("step_30.png", "");  // not what a sheet is called
  CHECK(drawn_sheets(folder.path(), 300) == std::vector<std::int64_t>{0, 20, 300});
  CHECK(drawn_sheets(folder.path(), 299) == std::vector<std::int64_t>{0, 20});

  write_png(sheet_path(folder.path(), 400), Image(6, 7, 1));
  CHECK_THROWS_AS(write_progress(folder.path(), {0, 400}, 2, 1), Error);
  folder.write("step_notes.txt", "");
  remove_sheets(folder.path());
  CHECK(!fs::exists(sheet_path(folder.path(), 20)));
  CHECK(fs::exists(folder / "progress.png"));
  CHECK(fs::exists(folder / "step_notes.txt"));
}

TEST_CASE("the loss of every step survives the way through its file, up to the step that is asked for") {
  TemporaryFolder const folder;
  LossLog log;
  for (int step = 1; step <= 4; ++step) log.add(step, 0.5 / step);
  log.save(folder.path(), "loss");
  CHECK(fs::exists(folder / "loss.svg"));
  LossLog again;
  again.load(folder.path(), 3);
  CHECK(again.step == std::vector<double>{1, 2, 3});
  CHECK(again.loss[1] == doctest::Approx(0.25));
  LossLog none;
  none.load(folder / "nowhere", 3);
  CHECK(none.step.empty());
}

}  // namespace io_run_folder_tests
