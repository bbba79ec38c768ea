#include <glyphdiff/checkpoint/key_values.hpp>

#include <doctest/doctest.h>

namespace checkpoint_key_values_tests {

using namespace glyphdiff;

TEST_CASE("every key that differs is listed with both values") {
  KeyValues const program{{"image_size", "64"}, {"channel_mult", "1,2,4"}, {"stem", "fold"}, {"list", ""}};
  CHECK(differences(program, program) == "");
  CHECK(differences({{"channel_mult", "1,2,2"}, {"image_size", "64"}, {"classes", "10"}, {"list", "3"}},
                    program) ==
        "channel_mult: checkpoint 1,2,2, this program 1,2,4; stem: checkpoint has none, this program fold; "
        "list: checkpoint 3, this program nothing; classes: checkpoint 10, this program has none");
}

TEST_CASE("the order of the keys is no difference") {
  CHECK(differences({{"a", "1"}, {"b", "2"}}, {{"b", "2"}, {"a", "1"}}) == "");
}

}  // namespace checkpoint_key_values_tests
