// A released network at its full size, from a file of torch.save: time and memory of loading it, its outputs
// beside PyTorch's, and a training step with AdamW and an average.
//
//     python3 tests/bench/torch_bench.py --case I256 --mode single --save /tmp/i256     # writes the file
//     full_size_IddpmLsun256 /tmp/i256 --batch 4
//     full_size_IddpmLsun256 /tmp/i256 --batch 4 --moments bf16 --ema-on-disk /tmp      # in less memory
#include <glyphdiff/checkpoint/open_tensor_file.hpp>
#include <glyphdiff/io/file.hpp>
#include <glyphdiff/presets.hpp>
#include <glyphdiff/runtime.hpp>
#include <glyphdiff/train/checkpoint.hpp>

#include <CLI/CLI.hpp>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

namespace gd = glyphdiff;
using Exec = Kokkos::DefaultExecutionSpace;
using Preset = gd::presets::GLYPHDIFF_PRESET;
using Net = gd::UNet<Preset, Exec>;

double peak_gigabytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmHWM:")) return std::stod(line.substr(6)) * 1024 / 1e9;
  return 0;
}

template <class Work>
double seconds(Work const& work) {
  auto const start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

gd::Images<Exec> images(std::filesystem::path const& path, int channels) {
  auto const bytes = gd::read_file(path);
  int const side = Net::config.image_size;
  if (bytes.size() != std::size_t(side) * side * channels * sizeof(float))
    throw gd::Error(path.string(), "one image of " + std::to_string(channels) + " channels",
                    std::to_string(bytes.size()) + " bytes");
  gd::Images<Exec> const device("images", 1, side, side, channels);
  auto const host = Kokkos::create_mirror_view(device);
  std::memcpy(host.data(), bytes.data(), bytes.size());
  Kokkos::deep_copy(device, host);
  return device;
}

int main(int argc, char** argv) try {
  gd::Runtime const runtime(argc, argv);
  std::filesystem::path folder;
  std::string moments = "float", ema_folder;
  int batch = 1, microbatch = 1, steps = 2;
  bool no_ema = false;
  CLI::App app("Loads a released network, compares its outputs and trains it a step.");
  app.add_option("FOLDER", folder, "what torch_bench.py --save wrote")->required();
  app.add_option("--batch", batch, "images of the training step");
  app.add_option("--microbatch", microbatch, "of those, at a time");
  app.add_option("--steps", steps, "training steps; 0: none");
  app.add_option("--moments", moments, "AdamW's: float or bf16")->check(CLI::IsMember({"float", "bf16"}));
  app.add_option("--ema-on-disk", ema_folder, "folder on whose disk the average lies instead of in memory")
      ->check(CLI::ExistingDirectory);
  app.add_flag("--no-ema", no_ema, "no average");
  CLI11_PARSE(app, argc, argv);

  Exec const exec;
  Net net(exec);
  auto const model = folder / "model.pt";
  double const loading = seconds([&] {
    auto const file = gd::open_tensor_file(model.string());
    gd::load_weights(*file, "", gd::parameter_blocks(net.parameter_list()), net.parameters());
  });
  double const gigabytes = double(std::filesystem::file_size(model)) / 1e9;
  std::printf("%.2f GB loaded in %.2f s, %.2f GB/s, peak memory %.2f GB\n", gigabytes, loading,
              gigabytes / loading, peak_gigabytes());

  auto const x = images(folder / "x.f32", 3), expected = images(folder / "out.f32", 6);
  gd::Images<Exec> const out("out", 1, Net::config.image_size, Net::config.image_size, 6);
  {
    Net::Evaluator evaluate(net);
    std::vector<float> const timesteps{7};  // torch_bench's first
    auto const forward = [&] {
      evaluate(exec, x, timesteps, out);
      exec.fence();
    };
    forward();
    double const once = seconds(forward);
    auto const a = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), out);
    auto const b = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), expected);
    double difference = 0, largest = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
      difference = std::max(difference, std::abs(double(a.data()[i]) - b.data()[i]));
      largest = std::max(largest, std::abs(double(b.data()[i])));
    }
    std::printf(
        "forward: %.2f s, peak memory %.2f GB; largest difference from PyTorch %.1e of the largest output\n",
        once, peak_gigabytes(), difference / largest);
    if (!(difference <= 1e-4 * largest)) return 1;
  }
  if (steps == 0) return 0;

  gd::TrainOptions options;
  options.batch = batch;
  options.microbatch = microbatch;
  options.ema_rates = no_ema ? std::vector<double>{} : std::vector<double>{0.9999};
  options.ema_folder = ema_folder;
  if (moments == "bf16") options.adamw.moments = gd::MomentFormat::bfloat16;
  gd::Trainer<Net, Preset::Process, gd::RescaledMse> trainer(exec, net, gd::presets::make_process<Preset>(),
                                                             options);
  auto const announced = trainer.memory(Net::config.image_size, Net::config.image_size);
  gd::HostImages const pictures("pictures", batch, Net::config.image_size, Net::config.image_size, 3);
  for (int step = 0; step < steps; ++step) {
    gd::StepReport report;
    double const taken = seconds([&] { report = trainer.step(pictures); });
    std::printf(
        "training step of %d: %.2f s, loss %.4f, announced %.2f GB and %.2f GB of disk, peak memory %.2f "
        "GB\n",
        batch, taken, report.loss, double(announced.total()) / 1e9, double(announced.disk) / 1e9,
        peak_gigabytes());
  }
  return 0;
} catch (std::exception const& error) {
  std::fprintf(stderr, "full_size: %s\n", error.what());
  return 2;
}
