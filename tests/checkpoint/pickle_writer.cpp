#include <glyphdiff/checkpoint/pickle.hpp>
#include <glyphdiff/checkpoint/pickle_writer.hpp>

#include <doctest/doctest.h>

namespace checkpoint_pickle_writer_tests {

using namespace glyphdiff;

TEST_CASE("what is written is read") {
  PickleWriter writer;
  writer.begin_dict().text("none").none().text("yes").boolean(true).text("no").boolean(false);
  writer.text("integers").begin_list();
  for (std::int64_t const value :
       {INT64_MIN, std::int64_t(-1), std::int64_t(0), std::int64_t(1) << 31, INT64_MAX})
    writer.integer(value);
  writer.end_list().text("reals").begin_tuple().real(1e-4).real(-0.0).end_tuple();
  writer.integer(5).text("five").text("tensor").tensor("12", {2, 1, 3}).text("scalar").tensor("13", {});
  writer.text("ordered").begin_ordered_dict().text("z").integer(1).text("a").integer(2).end_ordered_dict();
  std::string const bytes = writer.end_dict().finish();
  Pickle const pickle = read_pickle(bytes + "more", "written");
  CHECK(pickle.bytes == bytes.size());
  PickleValue const& root = *pickle.root;
  CHECK(root.find("none")->as<PickleNone>() != nullptr);
  CHECK(*root.find("yes")->as<bool>());
  CHECK_FALSE(*root.find("no")->as<bool>());
  auto const& integers = *root.find("integers")->items();
  REQUIRE(integers.size() == 5);
  CHECK(*integers[0]->as<std::int64_t>() == INT64_MIN);
  CHECK(*integers[1]->as<std::int64_t>() == -1);
  CHECK(*integers[3]->as<std::int64_t>() == std::int64_t(1) << 31);
  CHECK(*integers[4]->as<std::int64_t>() == INT64_MAX);
  CHECK(*(*root.find("reals")->items())[0]->as<double>() == 1e-4);
  auto const* const tensor = root.find("tensor")->as<PickleTensor>();
  REQUIRE(tensor != nullptr);
  CHECK(tensor->storage.key == "12");
  CHECK(tensor->storage.count == 6);
  CHECK(tensor->shape == std::vector<std::int64_t>{2, 1, 3});
  CHECK(tensor->contiguous());
  CHECK(root.find("scalar")->as<PickleTensor>()->storage.count == 1);
  CHECK(*root.find("ordered")->as<PickleDict>()->pairs[0].first->as<std::string>() == "z");
  CHECK(root.as<PickleDict>()->pairs[5].first->as<std::int64_t>() != nullptr);
}

}  // namespace checkpoint_pickle_writer_tests
