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
  float* begin;
  std::int64_t floats;
  int first, last;
};

/// A pass that acquires and releases at random, the same for the same seed.
std::vector<Life> random_pass(Workspace<Exec>& workspace, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<Life> lives;
  std::vector<std::size_t> live;
  for (int moment = 0; moment < 200; ++moment) {
    if (live.empty() || random() % 5 < 3 - live.size() / 10) {
      std::int64_t const floats = 1 + random() % 1000;
      live.push_back(lives.size());
      lives.push_back({workspace.acquire(floats), floats, moment, 1000});
    } else {
      std::size_t const chosen = random() % live.size();
      workspace.release(lives[live[chosen]].begin);
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

    float* lowest = lives[0].begin;
    for (Life const& life : lives) lowest = std::min(lowest, life.begin);
    std::int64_t all = 0, extent = 0, overlaps = 0;
    for (std::size_t i = 0; i < lives.size(); ++i) {
      Life const& a = lives[i];
      all += a.floats;
      extent = std::max(extent, a.begin + a.floats - lowest);
      CHECK(std::uintptr_t(a.begin) % 64 == 0);
      for (std::size_t j = 0; j < i; ++j) {
        Life const& b = lives[j];
        bool const together = a.first < b.last && b.first < a.last;
        bool const apart = a.begin + a.floats <= b.begin || b.begin + b.floats <= a.begin;
        if (together && !apart) ++overlaps;
      }
    }
    CHECK(overlaps == 0);
    CHECK(extent * std::int64_t(sizeof(float)) <= plan.bytes());
    CHECK(plan.bytes() < all * std::int64_t(sizeof(float)) / 2);
    CHECK(plan.bytes() >= plan.lower_bound_bytes());
    CHECK(plan.bytes() <= plan.lower_bound_bytes() * 5 / 4);
  }
}

TEST_CASE("a plan of buffers that follow each other needs no more than the largest") {
  Workspace<Exec> workspace;
  auto const pass = [&] {
    for (int floats : {100, 5000, 1, 300}) workspace.release(workspace.acquire(floats));
  };
  MemoryPlan const plan = workspace.plan(pass);
  CHECK(plan.bytes() == plan.lower_bound_bytes());
  CHECK(plan.bytes() >= 5000 * 4);
  CHECK(plan.bytes() < 5000 * 4 + 64);
}

TEST_CASE("typed tensors take their size from their channels") {
  Workspace<Exec> workspace;
  Extent const e{2, 3, 5};
  float* second = nullptr;
  auto const pass = [&] {
    auto a = workspace.tensor<7>(e);
    CHECK(a.size() == 2 * 3 * 5 * 7);
    workspace.release(a);
    CHECK(a.data == nullptr);
    second = workspace.acquire(1);
    workspace.release(second);
  };
  MemoryPlan const plan = workspace.plan(pass);
  CHECK(plan.bytes() == (210 + 14) * 4);  // rounded up to whole cache lines
  workspace.follow(plan);
  pass();
  CHECK(second != nullptr);
}

TEST_CASE("following plans allocates only for a larger one") {
  Workspace<Exec> workspace;
  auto const plan_for = [&](int floats) { return workspace.plan([&] { workspace.acquire(floats); }); };
  MemoryPlan const modest = plan_for(100), large = plan_for(10000);
  workspace.follow(large);
  float* const memory = workspace.acquire(10000);
  workspace.follow(modest);
  CHECK(workspace.acquire(100) == memory);
  CHECK(workspace.bytes() == large.bytes());
}

TEST_CASE("a pass that departs from its plan is stopped") {
  Workspace<Exec> workspace;
  MemoryPlan const plan = workspace.plan([&] { workspace.acquire(100), workspace.acquire(200); });
  workspace.follow(plan);
  workspace.acquire(100);
  CHECK_THROWS_WITH_AS(workspace.acquire(300),
                       "internal error: a pass over the network departed from its memory plan", Error);
  workspace.acquire(200);
  CHECK_THROWS_AS(workspace.acquire(1), Error);  // one more than planned
}

TEST_CASE("releasing twice is an error, releasing nothing is none") {
  Workspace<Exec> workspace;
  CHECK_THROWS_WITH_AS(workspace.plan([&] {
    float* const buffer = workspace.acquire(1);
    workspace.release(buffer);
    workspace.release(buffer);
  }),
                       "internal error: a buffer of the network was released twice", Error);
  Workspace<Exec> other;
  CHECK_NOTHROW(other.plan([&] {
    float* const nothing = nullptr;
    other.release(nothing);
  }));
}

TEST_CASE("a plan that fails leaves the workspace, and the plan it follows, as they were") {
  Workspace<Exec> workspace;
  MemoryPlan const plan = workspace.plan([&] { workspace.acquire(1), workspace.acquire(200); });
  workspace.follow(plan);
  float* const first = workspace.acquire(1);
  CHECK_THROWS_AS(workspace.plan([] { throw Error("no"); }), Error);
  CHECK(!workspace.planning());
  CHECK(workspace.acquire(200) != first);
}

}  // namespace workspace_tests
