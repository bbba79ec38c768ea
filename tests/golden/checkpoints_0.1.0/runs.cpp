// Writes the checkpoints of this folder, or says what a run does that goes on from each of them. README.md
// says with which flags, and what glyphdiff 0.1.0 said.
#include "runs.hpp"

#include <glyphdiff/runtime.hpp>

#include <cstdio>
#include <cstring>

using namespace old_runs;

namespace {

/// FNV-1a over 32-bit words.
std::uint64_t digest(std::uint64_t hash, float const* values, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    std::uint32_t bits;
    std::memcpy(&bits, values + i, sizeof bits);
    hash = (hash ^ bits) * 1099511628211u;
  }
  return hash;
}
std::uint64_t digest(float const* values, std::size_t count) {
  return digest(1469598103934665603u, values, count);
}

template <class Run>
std::string path(std::string const& folder) {
  return folder + "/" + Run::name + ".safetensors";
}

template <class Run>
void write(std::string const& folder) {
  Run run;
  while (run.trainer.steps() < Run::saved_at) run.step();
  gd::save_checkpoint(path<Run>(folder), run.trainer, Run::identity());
  if constexpr (requires { Run::part; })
    if (std::string(Run::name) == "letter")
      gd::save_snapshot(folder + "/snapshot.safetensors", run.trainer, Run::identity());
}

/// Two updates from the file on, then a digest of the network's parameters and one of two samples.
template <class Run>
void go_on(std::string const& folder) {
  Run run;
  gd::load_checkpoint(path<Run>(folder), run.trainer, Run::identity());
  for (int k = 0; k < 2; ++k) {
    double const loss = run.step();
    std::printf("%s: update %d, loss %a\n", Run::name, int(run.trainer.steps()), loss);
  }
  std::uint64_t hash = digest(run.net.parameters().data(), run.net.parameters().extent(0));
  std::printf("%s: parameters %016llx\n", Run::name, static_cast<unsigned long long>(hash));
  if constexpr (requires { run.trainer.ema(); }) {
    hash = 1469598103934665603u;
    for (auto const& average : run.trainer.ema().averages())
      hash = digest(hash, average.values.data(), average.values.extent(0));
    std::printf("%s: averages %016llx\n", Run::name, static_cast<unsigned long long>(hash));
  }
  if constexpr (requires { run.sample(); }) {
    auto const images = run.sample();
    std::printf("%s: samples %016llx\n", Run::name,
                static_cast<unsigned long long>(digest(images.data(), images.size())));
  } else {
    std::printf("%s: accuracy %a\n", Run::name, run.trainer.accuracy(images_of(9), labels_of(9), 100, 1));
  }
}

/// Two samples of the weights in the snapshot.
void sample_snapshot(std::string const& folder) {
  Exec const exec;
  Letter::Net net(exec);
  gd::load_weights(folder + "/snapshot.safetensors", "ema_0.9.", gd::parameter_blocks(net.parameter_list()),
                   net.parameters());
  typename Letter::Net::Evaluator denoise(net);
  auto const images = gd::draw_ddim(exec, Letter::Process(5), denoise, 2, size, size, 1, 5);
  std::printf("snapshot: samples %016llx\n",
              static_cast<unsigned long long>(digest(images.data(), images.size())));
}

}  // namespace

int main(int argc, char** argv) try {
  gd::Runtime const runtime(argc, argv);
  std::string const what = argc > 1 ? argv[1] : "", folder = argc > 2 ? argv[2] : "";
  auto const each = [&](auto const& work) {
    work.template operator()<Learned>();
    work.template operator()<Letter>();
    work.template operator()<Bfloat16>();
    work.template operator()<LowRank>();
    work.template operator()<Norms>();
    work.template operator()<Classifier>();
  };
  if (what == "write") {
    each([&]<class Run>() { write<Run>(folder); });
    return 0;
  }
  if (what == "go_on") {
    each([&]<class Run>() { go_on<Run>(folder); });
    sample_snapshot(folder);
    return 0;
  }
  std::fprintf(stderr, "runs write FOLDER, or runs go_on FOLDER\n");
  return 2;
} catch (std::exception const& error) {
  std::fprintf(stderr, "runs: %s\n", error.what());
  return 1;
}
