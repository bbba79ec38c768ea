#include "arrays.hpp"

#include <glyphdiff/workspace.hpp>

#include <doctest/doctest.h>

#include <random>

namespace workspace_tests {

using namespace glyphdiff;

namespace {

using Exec = Kokkos::DefaultExecutionSpace;

/// A buffer of a pass, and the moments of its life.
struct Life {
  int number;
  std::int64_t bytes;
  int first, last;
};

/// A pass that acquires and releases at random, the same for the same seed.
std::vector<Life> random_pass(Workspace<Exec>& workspace, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<Life> lives;
  std::vector<std::size_t> live;
  for (int moment = 0; moment < 200; ++moment) {
    if (live.empty() || random() % 5 < 3 - live.size() / 10) {
      std::int64_t const bytes = 1 + random() % 4000;
      live.push_back(lives.size());
      lives.push_back({workspace.acquire(bytes), bytes, moment, 1000});
    } else {
      std::size_t const chosen = random() % live.size();
      if (workspace.planning()) workspace.release(lives[live[chosen]].number);
      lives[live[chosen]].last = moment;
      live.erase(live.begin() + std::ptrdiff_t(chosen));
    }
  }
  return lives;
}

}  // namespace

TEST_CASE("buffers that live at the same time never overlap, and others share memory") {
  for (unsigned seed = 0; seed < 20; ++seed) {
    CAPTURE(seed);
    Workspace<Exec> workspace;
    MemoryPlan const plan = workspace.plan([&] { random_pass(workspace, seed); });
    CHECK(workspace.bytes() == 0);
    workspace.follow(plan);
    CHECK(workspace.bytes() == plan.bytes());
    auto const lives = random_pass(workspace, seed);

    auto const begin = [&](Life const& life) { return workspace.address(life.number); };
    char* lowest = begin(lives[0]);
    for (Life const& life : lives) lowest = std::min(lowest, begin(life));
    std::int64_t all = 0, extent = 0, overlaps = 0;
    for (std::size_t i = 0; i < lives.size(); ++i) {
      Life const& a = lives[i];
      all += a.bytes;
      extent = std::max(extent, begin(a) + a.bytes - lowest);
      CHECK(std::uintptr_t(begin(a)) % 64 == 0);
      for (std::size_t j = 0; j < i; ++j) {
        Life const& b = lives[j];
        bool const together = a.first < b.last && b.first < a.last;
        bool const apart = begin(a) + a.bytes <= begin(b) || begin(b) + b.bytes <= begin(a);
        if (together && !apart) ++overlaps;
      }
    }
    CHECK(overlaps == 0);
    CHECK(extent <= plan.bytes());
    CHECK(plan.bytes() < all / 2);
    CHECK(plan.bytes() >= plan.lower_bound_bytes());
    CHECK(plan.bytes() <= plan.lower_bound_bytes() * 5 / 4);
  }
}

TEST_CASE("a plan of buffers that follow each other needs no more than the largest") {
  Workspace<Exec> workspace;
  MemoryPlan const plan = workspace.plan([&] {
    for (int bytes : {400, 20000, 4, 1200, 0}) workspace.release(workspace.acquire(bytes));
  });
  CHECK(plan.bytes() == plan.lower_bound_bytes());
  CHECK(plan.bytes() >= 20000);
  CHECK(plan.bytes() < 20000 + 256);
}

TEST_CASE("a buffer of no bytes has a number and takes no memory") {
  Workspace<Exec> workspace;
  MemoryPlan const plan = workspace.plan([&] {
    CHECK(workspace.acquire(0) == 0);
    CHECK(workspace.acquire(100) == 1);
    CHECK(workspace.acquire(0) == 2);
  });
  CHECK(plan.bytes() == 256);
}

TEST_CASE("following plans allocates only for a larger one") {
  Workspace<Exec> workspace;
  auto const plan_for = [&](int bytes) { return workspace.plan([&] { workspace.acquire(bytes); }); };
  MemoryPlan const modest = plan_for(400), large = plan_for(40000);
  workspace.follow(large);
  char* const memory = workspace.address(workspace.acquire(40000));
  workspace.follow(modest);
  CHECK(workspace.address(workspace.acquire(400)) == memory);
  CHECK(workspace.bytes() == large.bytes());
}

TEST_CASE("a pass that departs from its plan is stopped") {
  Workspace<Exec> workspace;
  MemoryPlan const plan = workspace.plan([&] { workspace.acquire(400), workspace.acquire(800); });
  workspace.follow(plan);
  workspace.acquire(400);
  CHECK_THROWS_WITH_AS(workspace.acquire(1200),
                       "internal error: a pass over the network departed from its memory plan", Error);
  workspace.acquire(800);
  CHECK_THROWS_AS(workspace.acquire(1), Error);  // one more than planned
}

TEST_CASE("a plan that fails leaves the workspace, and the plan it follows, as they were") {
  Workspace<Exec> workspace;
  MemoryPlan const plan = workspace.plan([&] { workspace.acquire(4), workspace.acquire(800); });
  workspace.follow(plan);
  int const first = workspace.acquire(4);
  CHECK_THROWS_AS(workspace.plan([] { throw Error("no"); }), Error);
  CHECK(!workspace.planning());
  CHECK(workspace.address(workspace.acquire(800)) != workspace.address(first));
}

}  // namespace workspace_tests
