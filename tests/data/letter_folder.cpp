#include <glyphdiff/data/letter_folder.hpp>

#include "../io/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string>

namespace data_letter_folder_tests {

using namespace glyphdiff;

namespace {

Letter letter(std::string const& character) {
  return {Image(8, 8, 1, 255), {.character = character, .family = "one", .source = "one.ttf"}};
}

}  // namespace

TEST_CASE("letters get names that differ without regard to capitals, and there is a manifest") {
  TemporaryFolder folder;
  LetterFolder out(folder / "set");
  for (char const* name : {"Foo-Bold", "FOO-bold", "foo/..\\ b:old*", ""})
    for (char const* character : {"A", "a", "é"}) out.add(letter(character), name);
  CHECK_FALSE(std::filesystem::exists(folder / "set"));
  out.finish();
  LetterSet const set = load_letter_set(folder / "set");
  REQUIRE(set.entries.size() == 12);
  CHECK(set.entries[0].file == "u0041_Foo-Bold_0.png");
  CHECK(set.entries[3].file == "u0041_FOO-bold_1.png");
  CHECK(set.entries[9].file == "u0041_unnamed_0.png");
  std::set<std::string> folded;
  for (LetterEntry entry : set.entries) {
    for (char& c : entry.file) c = char(std::tolower(static_cast<unsigned char>(c)));
    folded.insert(entry.file);
  }
  CHECK(folded.size() == 12);
  CHECK_FALSE(std::filesystem::exists(folder / "set.part"));
}

TEST_CASE("an unfinished folder leaves nothing, one with something in it is not touched") {
  TemporaryFolder folder;
  { LetterFolder(folder / "set").add(letter("A"), "x"); }
  CHECK(std::filesystem::is_empty(folder.path()));
  CHECK_THROWS_WITH_AS(LetterFolder(folder / "set").finish(), doctest::Contains("at least one letter"),
                       Error);

  std::filesystem::create_directory(folder / "mine");
  LetterFolder empty(folder / "mine/");
  empty.add(letter("A"), "x");
  empty.finish();
  CHECK(load_letter_set(folder / "mine").entries.size() == 1);
  CHECK_THROWS_WITH_AS(LetterFolder(folder / "mine"), doctest::Contains("a new or empty folder"), Error);
  folder.write("file", "");
  CHECK_THROWS_AS(LetterFolder(folder / "file"), Error);
  CHECK_THROWS_AS(LetterFolder(folder / "file/set"), Error);
}

TEST_CASE("nothing is removed that was not made here, and a folder that is there stays the same one") {
  TemporaryFolder folder;
  std::filesystem::create_directory(folder / "set.part");
  folder.write("set.part/precious", "");
  LetterFolder out(folder / "set");
  out.add(letter("A"), "x");
  out.finish();
  CHECK(load_letter_set(folder / "set").entries.size() == 1);
  CHECK(std::filesystem::exists(folder / "set.part/precious"));

  std::filesystem::create_directory(folder / "real");
  std::filesystem::create_directory_symlink("real", folder / "link");
  {
    LetterFolder unfinished(folder / "link");
    unfinished.add(letter("A"), "x");
  }
  CHECK(std::filesystem::is_empty(folder / "real"));
  {
    LetterFolder linked(folder / "link");
    linked.add(letter("A"), "x");
    std::filesystem::create_directory(linked.part() / "report");
    linked.finish();
  }
  CHECK(std::filesystem::is_symlink(folder / "link"));
  CHECK(load_letter_set(folder / "real").entries.size() == 1);
  CHECK(std::filesystem::is_directory(folder / "real/report"));
  CHECK_FALSE(std::filesystem::exists(folder / "real/part"));
}

}  // namespace data_letter_folder_tests
