#include <glyphdiff/io/run_plan.hpp>

#include "temporary_folder.hpp"

#include <doctest/doctest.h>

namespace io_run_plan_tests {

using namespace glyphdiff;

TEST_CASE("a run goes on by the plan that it began with, and by no other") {
  TemporaryFolder const folder;
  CHECK(!load_run_plan(folder.path()));
  RunPlan const plan{2.5, 1234, 100, 32, 256};
  save_run_plan(folder.path(), plan);
  CHECK(load_run_plan(folder.path()) == plan);
  CHECK(plan_to_go_on(folder.path(), 2.5, true) == plan);
  CHECK(!plan_to_go_on(folder.path(), 2.5, false));
  CHECK_THROWS_WITH_AS(plan_to_go_on(folder.path(), 3, true), doctest::Contains("--fresh"), Error);
  std::filesystem::remove(plan_path(folder.path()));
  CHECK_THROWS_WITH_AS(plan_to_go_on(folder.path(), 2.5, true), doctest::Contains("begun without it"), Error);
}

TEST_CASE("a plan that says something else is refused") {
  TemporaryFolder const folder;
  for (char const* const text : {"", "minutes 5", "minutes 5\nsteps x\nsave_every 5\nsize 64\njudged 0\n",
                                 "minutes 5\nsteps 0\nsave_every 5\nsize 64\njudged 0\n",
                                 "minutes 5\nsteps 9\nsave_every 5\nsize 64x\njudged 0\n",
                                 "minutes 5\nsteps 9\nsave_every 5\nsize 64\n",
                                 "steps 9\nminutes 5\nsave_every 5\nsize 64\njudged 0\n"}) {
    folder.write("plan.txt", text);
    CHECK_THROWS_WITH_AS(load_run_plan(folder.path()), doctest::Contains("plan.txt"), Error);
  }
}

}  // namespace io_run_plan_tests
