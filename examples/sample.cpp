// Draws pictures with a trained network: released checkpoints (.pt), or those that finetune and letter_a
// write. The network is a preset of <glyphdiff/presets.hpp>, chosen when this file is compiled; `./run
// sample` builds the one that fits the checkpoint. `--help` lists the options. Picture number i depends on
// the seed and on i alone: not on the batch, the number of threads or the execution space.
#include <glyphdiff/checkpoint/gray_tensors.hpp>
#include <glyphdiff/checkpoint/open_tensor_file.hpp>
#include <glyphdiff/checkpoint/post_hoc_average.hpp>
#include <glyphdiff/io/grid.hpp>
#include <glyphdiff/runtime.hpp>
#include <glyphdiff/sampler/ddim.hpp>
#include <glyphdiff/sampler/ddpm.hpp>
#include <glyphdiff/sampler/dpm_solver.hpp>
#include <glyphdiff/sampler/edm.hpp>
#include <glyphdiff/sampler/guidance.hpp>
#include <glyphdiff/sampler/plms.hpp>
#include <glyphdiff/sampler/spacing.hpp>
#include <glyphdiff/sampler/unipc.hpp>
#include <glyphdiff/train/checkpoint.hpp>

#include "preset.hpp"

#include <CLI/CLI.hpp>

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <memory>

namespace gd = glyphdiff;
namespace fs = std::filesystem;
using Exec = Kokkos::DefaultExecutionSpace;
using Net = gd::UNet<Preset, Exec>;
using Process = Preset::Process;

constexpr int channels = Preset::config.channels;

struct Options {
  fs::path model, guide, out = "out/samples.png", singles;
  std::string weights, sampler = "ddim", steps = "50", spacing = "default";
  int count = 16, columns = 0, size = Preset::config.image_size, batch = 0, order = 0, label = -1;
  double eta = 0, churn = 0, guidance_scale = 1, width = 0;
  std::int64_t step = 0;
  std::uint64_t seed = 1, first = 0;
  bool no_clip = false;
};

/// Fills the parameters from a checkpoint, or from the folder of a run.
void load(Options const& options, fs::path const& path, Net const& net) {
  auto const table = gd::parameter_blocks(net.parameter_list());
  if (fs::is_directory(path)) {
    double const width = options.width > 0 ? options.width : 0.1;
    gd::load_post_hoc_average(path, width, options.step, table, net.parameters());
    std::printf("weights: %s, average of width %g\n", path.c_str(), width);
    return;
  }
  auto const file = gd::open_tensor_file(path.string());
  std::string const prefix = gd::choose_weights(*file, options.weights);
  if (channels == 1 && gd::image_channels(*file, prefix) == 3)
    gd::load_weights(gd::GrayTensors(*file), prefix, table, net.parameters());
  else
    gd::load_weights(*file, prefix, table, net.parameters());
  std::printf("weights: %s%s%s\n", path.c_str(), prefix.empty() ? "" : ", ",
              prefix.substr(0, prefix.empty() ? 0 : prefix.size() - 1).c_str());
}

/// Draws one batch by the sampler that is asked for, along the steps of `plan`.
template <class Plan, class Model>
void sample(Exec const& exec, Options const& options, Plan const& plan, Model& model,
            gd::Images<Exec> const& x, gd::SeededNoise noise) {
  bool const clip = !options.no_clip;
  auto const order = [&](int standard) { return options.order > 0 ? options.order : standard; };
  if (options.sampler == "ddim") return gd::ddim_sample(exec, plan, model, x, noise, {options.eta, clip});
  if (options.sampler == "ddpm") return gd::ddpm_sample(exec, plan, model, x, noise, {clip});
  if (options.sampler == "plms")
    return gd::plms_sample(exec, plan, model, x, noise, {.order = order(4), .clip_x0 = clip});
  if (options.sampler == "dpm++2m")
    return gd::dpm_solver_sample(exec, plan, model, x, noise, {.stochastic = false, .clip_x0 = clip});
  if (options.sampler == "dpm++2m-sde")
    return gd::dpm_solver_sample(exec, plan, model, x, noise, {.stochastic = true, .clip_x0 = clip});
  if (options.sampler == "unipc")
    return gd::unipc_sample(exec, plan, model, x, noise, {.order = order(3), .clip_x0 = clip});
  gd::EdmOptions const edm{.churn = options.churn, .clip_x0 = clip};
  if (options.sampler == "heun") return gd::heun_sample(exec, plan, model, x, noise, edm);
  return gd::euler_sample(exec, plan, model, x, noise, edm);
}

/// The same along the spacing that is asked for, or that suits the sampler.
template <class Model>
void sample_spaced(Exec const& exec, Options const& options, Process const& process, Model& model,
                   gd::Images<Exec> const& x, gd::SeededNoise noise) {
  bool const edm = options.sampler == "heun" || options.sampler == "euler";
  std::string const spacing = options.spacing == "default" ? edm ? "karras" : "time" : options.spacing;
  if (spacing == "time") return sample(exec, options, process.respaced(options.steps), model, x, noise);
  int count = 0;
  auto const [end, error] =
      std::from_chars(options.steps.data(), options.steps.data() + options.steps.size(), count);
  if (error != std::errc() || end != options.steps.data() + options.steps.size())
    throw gd::Error("--steps with --spacing " + spacing, "a number", options.steps);
  if (spacing == "karras") return sample(exec, options, gd::karras_spaced(process, count), model, x, noise);
  if (spacing == "log-snr") return sample(exec, options, gd::log_snr_spaced(process, count), model, x, noise);
  sample(exec, options, gd::ratio_spaced(process, count), model, x, noise);
}

int run(Options options) {
  Exec const exec;
  Net net(exec);
  load(options, options.model, net);
  std::unique_ptr<Net> weak;
  if (!options.guide.empty()) {
    weak = std::make_unique<Net>(exec);
    load(options, options.guide, *weak);
  }
  if ((options.label >= 0) != (Net::config.classes > 0))
    throw gd::Error("--label",
                    Net::config.classes > 0 ? "a class for this class-conditional network"
                                            : "none: this network knows no classes",
                    options.label >= 0 ? std::to_string(options.label) : "none");

  Process const process = gd::presets::make_process<Preset>();
  int const batch = options.batch > 0 ? options.batch : options.size < 128 ? 32 : 1;
  gd::HostImages const samples(Kokkos::view_alloc(Kokkos::WithoutInitializing, "samples"), options.count,
                               options.size, options.size, channels);
  std::size_t const pixels = std::size_t(options.size) * options.size * channels;
  Net::Evaluator strong(net);
  for (int first = 0; first < options.count; first += batch) {
    int const n = std::min(batch, options.count - first);
    gd::Images<Exec> const x("x", n, options.size, options.size, channels);
    gd::SeededNoise const noise{options.seed, options.first + first};
    std::vector<int> const labels(Net::config.classes > 0 ? n : 0, options.label);
    strong.set_labels(labels);
    if (weak) {
      Net::Evaluator other(*weak);
      other.set_labels(labels);
      gd::Guidance<Exec, Net::Evaluator, Net::Evaluator> guided(exec, strong, other, options.guidance_scale);
      sample_spaced(exec, options, process, guided, x, noise);
    } else {
      sample_spaced(exec, options, process, strong, x, noise);
    }
    Kokkos::deep_copy(
        exec, gd::HostImages(samples.data() + first * pixels, n, options.size, options.size, channels), x);
    exec.fence();
    std::fprintf(stderr, "%d of %d\n", first + n, options.count);
  }

  if (options.out.has_parent_path()) fs::create_directories(options.out.parent_path());
  int const columns =
      options.columns > 0 ? options.columns : int(std::ceil(std::sqrt(double(options.count))));
  gd::write_png(options.out, gd::image_grid(samples, columns));
  if (!options.singles.empty()) {
    fs::create_directories(options.singles);
    for (int i = 0; i < options.count; ++i) {
      char name[32];
      std::snprintf(name, sizeof name, "%06llu.png", (unsigned long long)(options.first + i));
      gd::HostImages const one(samples.data() + i * pixels, 1, options.size, options.size, channels);
      gd::write_png(options.singles / name, gd::image_grid(one, 1, 0));
    }
  }
  std::printf("see %s\n", options.out.c_str());
  return 0;
}

int main(int argc, char** argv) try {
  gd::Runtime const runtime(argc, argv);
  std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);
  Options options;
  CLI::App app(std::string("Draws pictures with the network ") + preset_name + ".");
  app.add_option("--model", options.model,
                 "checkpoint (.pt or safetensors), or the folder of a run with --ema-widths")
      ->required();
  app.add_option("--weights", options.weights,
                 "which weights of it: model, ema_0.9999, ...; the first average if not said");
  app.add_option("--ema-width", options.width, "of a run's folder: width of the average, 0.1 if not said")
      ->check(CLI::Range(0.001, 0.28));
  app.add_option("--ema-step", options.step, "of a run's folder: the moment; the last if not said")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--out", options.out, "PNG of all pictures")->capture_default_str();
  app.add_option("--singles", options.singles, "folder for a PNG of each");
  app.add_option("--count", options.count, "pictures")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  app.add_option("--first", options.first,
                 "number of the first picture: go on behind those of an earlier call");
  app.add_option("--columns", options.columns, "of the PNG of all pictures")->check(CLI::Range(1, 10'000));
  app.add_option("--size", options.size,
                 "pixels per side; other sizes than the training's work where the network allows")
      ->check(CLI::Range(1, 8192))
      ->capture_default_str();
  app.add_option("--batch", options.batch, "pictures at a time in memory; never changes them")
      ->check(CLI::Range(1, 100'000));
  app.add_option("--sampler", options.sampler)
      ->check(CLI::IsMember({"ddim", "ddpm", "plms", "dpm++2m", "dpm++2m-sde", "unipc", "heun", "euler"}))
      ->capture_default_str();
  app.add_option("--steps", options.steps, "how many, or a respacing such as ddim50 or 10,10,20")
      ->capture_default_str();
  app.add_option("--spacing", options.spacing,
                 "time, log-snr, karras or ratio; by default what suits the sampler")
      ->check(CLI::IsMember({"default", "time", "log-snr", "karras", "ratio"}));
  app.add_option("--order", options.order, "of plms (1 to 4) or unipc (1 to 3)")->check(CLI::Range(1, 4));
  app.add_option("--eta", options.eta, "of ddim: 0 is deterministic, 1 adds the most noise")
      ->check(CLI::Range(0.0, 1.0));
  app.add_option("--churn", options.churn, "of heun and euler: noise added at each step")
      ->check(CLI::NonNegativeNumber);
  app.add_flag("--no-clip", options.no_clip, "don't keep estimates of the picture between black and white");
  app.add_option("--label", options.label, "class of the pictures")->check(CLI::NonNegativeNumber);
  app.add_option("--guide", options.guide,
                 "autoguidance: an earlier or worse checkpoint of the same network");
  app.add_option("--guidance-scale", options.guidance_scale, "how far away from it; 1: not at all")
      ->capture_default_str();
  app.add_option("--seed", options.seed, "of everything random")->capture_default_str();
  try {
    app.parse(argc, argv);
  } catch (CLI::ParseError const& error) {
    int const code = app.exit(error);
    return code == 0 ? 0 : 2;
  }
  return run(options);
} catch (std::exception const& error) {
  std::cerr << "sample: " << error.what() << "\n";
  return 2;
}
