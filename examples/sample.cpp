// Draws pictures with a trained network: released checkpoints (.pt), or those that finetune and letter_a
// write. The network is a preset of <glyphdiff/presets.hpp>, chosen when this file is compiled; `./run
// sample` builds the one that fits the checkpoint. `--help` lists the options. Picture number i depends on
// the seed and on i alone: not on the batch, the number of threads or the execution space.
#include <glyphdiff/checkpoint/post_hoc_average.hpp>
#include <glyphdiff/io/grid.hpp>
#include <glyphdiff/io/npz.hpp>
#include <glyphdiff/io/resize.hpp>
#include <glyphdiff/runtime.hpp>
#include <glyphdiff/sampler/ddim.hpp>
#include <glyphdiff/sampler/ddpm.hpp>
#include <glyphdiff/sampler/dpm_solver.hpp>
#include <glyphdiff/sampler/draw.hpp>
#include <glyphdiff/sampler/edm.hpp>
#include <glyphdiff/sampler/guidance.hpp>
#include <glyphdiff/sampler/inpainting.hpp>
#include <glyphdiff/sampler/interpolation.hpp>
#include <glyphdiff/sampler/plms.hpp>
#include <glyphdiff/sampler/spacing.hpp>
#include <glyphdiff/sampler/unipc.hpp>

#include "command_line.hpp"
#include "load_network.hpp"
#include "preset.hpp"
#include "profile.hpp"
#if defined(GLYPHDIFF_GUIDED)
#include <glyphdiff/classifier_presets.hpp>
#include <glyphdiff/sampler/classifier_gradient.hpp>
#endif

#include <charconv>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <iostream>
#include <memory>
#include <optional>
#include <sstream>

namespace gd = glyphdiff;
namespace fs = std::filesystem;
using Exec = Kokkos::DefaultExecutionSpace;
using Net = gd::UNet<Preset, Exec>;
using Process = Preset::Process;

constexpr int channels = Preset::config.channels;

struct Options {
  fs::path model, guide, classifier, out = "out/samples.png", singles, npz, init_image, mask, from, to;
  std::string weights, sampler = "ddim", steps = "50", spacing = "default", label;
  int count = 16, columns = 0, size = Preset::config.image_size, batch = 0, order = 0;
  double eta = 0, churn = 0, guidance_scale = 1, classifier_scale = 1, width = 0, strength = 0.5;
  int repeats = 1;
  std::optional<std::uint64_t> to_seed;
  std::int64_t step = 0;
  std::uint64_t seed = 1, first = 0;
  bool no_clip = false, profile = false;
};

/// Fills the parameters from a checkpoint, from that of a run's folder, or from all of a run's snapshots
/// where the width of an average is asked for.
void load(Options const& options, fs::path const& path, Net& net) {
  if (!fs::is_directory(path) || (options.width <= 0 && options.step == 0))
    return load_network(path.string(), options.weights, net);
  double const width = options.width > 0 ? options.width : 0.1;
  gd::load_post_hoc_average(path, width, options.step, gd::parameter_blocks(net.parameter_list()),
                            net.parameters());
  std::printf("weights: %s, average of width %g\n", path.c_str(), width);
}

// Compiled once for everything that may be combined: any model, any start, anything done between the steps.
using Plan = gd::SamplingPlan<Process>;
struct Model : std::function<void(Exec const&, gd::Images<Exec> const&, std::span<float const>,
                                  gd::Images<Exec> const&)> {
  using function::function;
  gd::Profiler* recorder = nullptr;  // of what samplers do
  gd::Profiler* profiler() const { return recorder; }
};
#if defined(GLYPHDIFF_GUIDED)
using Classifier = gd::EncoderUNet<gd::presets::ClassifierOf<Preset>, Exec>;
using Sampled = gd::ClassifierGuidance<Exec, Model, Model>;
#else
using Sampled = Model;
#endif
using Noise = gd::StartFrom<Exec>;
using Progress = std::function<void(int, int, gd::Images<Exec> const&)>;

/// Draws one batch by the sampler that is asked for.
void sample(Exec const& exec, Options const& options, Plan const& plan, Sampled& model,
            gd::Images<Exec> const& x, Noise noise, Progress progress) {
  bool const clip = !options.no_clip;
  auto const order = [&](int standard) { return options.order > 0 ? options.order : standard; };
  gd::EdmOptions const edm{.churn = options.churn, .clip_x0 = clip};
  if (options.sampler == "ddim")
    gd::ddim_sample(exec, plan, model, x, noise, {options.eta, clip}, progress);
  else if (options.sampler == "ddpm")
    gd::ddpm_sample(exec, plan, model, x, noise, {clip}, progress);
  else if (options.sampler == "plms")
    gd::plms_sample(exec, plan, model, x, noise, {.order = order(4), .clip_x0 = clip}, progress);
  else if (options.sampler == "dpm++2m")
    gd::dpm_solver_sample(exec, plan, model, x, noise, {.stochastic = false, .clip_x0 = clip}, progress);
  else if (options.sampler == "dpm++2m-sde")
    gd::dpm_solver_sample(exec, plan, model, x, noise, {.stochastic = true, .clip_x0 = clip}, progress);
  else if (options.sampler == "unipc")
    gd::unipc_sample(exec, plan, model, x, noise, {.order = order(3), .clip_x0 = clip}, progress);
  else if (options.sampler == "heun")
    gd::heun_sample(exec, plan, model, x, noise, edm, progress);
  else
    gd::euler_sample(exec, plan, model, x, noise, edm, progress);
}

/// The steps that are asked for, or that suit the sampler.
Plan make_plan(Options const& options, Process const& process) {
  bool const edm = options.sampler == "heun" || options.sampler == "euler";
  std::string const spacing = options.spacing == "default" ? edm ? "karras" : "time" : options.spacing;
  if (spacing == "time") return {process, process.respaced(options.steps).sampling_steps()};
  int count = 0;
  char const* const last = options.steps.data() + options.steps.size();
  auto const [end, error] = std::from_chars(options.steps.data(), last, count);
  if (error != std::errc() || end != last)
    throw gd::Error("--steps with --spacing " + spacing, "a number", options.steps);
  if (spacing == "karras") return gd::karras_spaced(process, count);
  if (spacing == "log-snr") return gd::log_snr_spaced(process, count);
  return gd::ratio_spaced(process, count);
}

/// `n` copies of a picture at the size of the samples; `count` channels in [-1, 1], or for a mask in [0, 1].
gd::Images<Exec> load_picture(fs::path const& path, int n, int size, int count, bool is_mask = false) {
  gd::Image const image = gd::fit_to_square(gd::read_image(path, count), size);
  gd::HostImages const host("picture", n, size, size, count);
  std::size_t const pixels = image.pixels.size();
  for (std::size_t i = 0; i < host.size(); ++i) {
    float const value = float(image.pixels[i % pixels]);
    host.data()[i] = is_mask ? (value > 127 ? 1.0f : 0.0f) : value / 127.5f - 1.0f;
  }
  return Kokkos::create_mirror_view_and_copy(typename Exec::memory_space(), host);
}

void write(Options const& options, gd::HostImages const& samples, int label) {
  int const columns =
      options.columns > 0 ? options.columns : int(std::ceil(std::sqrt(double(options.count))));
  if (options.out.has_parent_path()) fs::create_directories(options.out.parent_path());
  gd::write_png(options.out, gd::image_grid(samples, columns));
  if (!options.npz.empty()) {
    std::vector<std::int64_t> const labels(label >= 0 ? std::size_t(options.count) : 0, label);
    gd::write_npz(options.npz.string(), samples, labels);
  }
  if (!options.singles.empty()) fs::create_directories(options.singles);
  std::size_t const values = samples.size() / std::size_t(options.count);
  for (int i = 0; i < options.count && !options.singles.empty(); ++i) {
    char name[32];
    std::snprintf(name, sizeof name, "%06llu.png", (unsigned long long)(options.first + i));
    gd::HostImages const one(samples.data() + i * values, 1, options.size, options.size, channels);
    gd::write_png(options.singles / name, gd::image_grid(one, 1, 0));
  }
}

/// The number of the class that is asked for, -1 if none is: the network's, and the classifier's, which may
/// know it by a name.
int find_label(Options const& options) {
  bool const classes = Net::config.classes > 0 || !options.classifier.empty();
  if (classes == options.label.empty())
    throw gd::Error("--label", classes ? "a class" : "none, as the network knows no classes",
                    classes ? "none" : options.label);
  if (!classes) return -1;
  std::string known;
#if defined(GLYPHDIFF_GUIDED)
  known = class_names(*gd::open_tensor_file(options.classifier.string()));
#endif
  int number = 0, named = 0;
  std::istringstream names(known);
  for (std::string name; std::getline(names, name, ','); ++named)
    if (name == options.label) return named;
  char const* const last = options.label.data() + options.label.size();
  auto const [end, error] = std::from_chars(options.label.data(), last, number);
  if (error != std::errc() || end != last || number < 0 || (named > 0 && number >= named))
    throw gd::Error("--label", known.empty() ? "the number of a class" : "one of " + known, options.label);
  return number;
}

int run(Options options) {
  if (!options.classifier.empty()) options.classifier = gd::network_file(options.classifier);
  int const label = find_label(options);
  if (!options.mask.empty() && options.init_image.empty())
    throw gd::Error("--mask", "the picture that it belongs to, as --init-image", "none");
  Exec const exec;
  Net net(exec, gd::zero_parameters);
  load(options, options.model, net);
  std::unique_ptr<Net> weak_net;
  if (!options.guide.empty()) {
    weak_net = std::make_unique<Net>(exec, gd::zero_parameters);
    load(options, options.guide, *weak_net);
  }

  Process const process = gd::presets::make_process<Preset>();
  bool const editing = !options.init_image.empty();
  Plan plan = make_plan(options, process);
  if (editing && options.mask.empty())
    plan = {process, gd::last_steps(plan, options.strength).sampling_steps()};
  if (!options.mask.empty()) plan = {process, gd::repeated(plan, options.repeats).sampling_steps()};
  int const batch = options.batch > 0 ? options.batch : options.size < 128 ? 32 : 1;

  Net::Evaluator strong(net), weak(weak_net ? *weak_net : net);
  gd::Profiler profiler;
  if (options.profile) strong.set_profiler(&profiler), weak.set_profiler(&profiler);
  auto const with_labels = [&](Net::Evaluator& evaluate) {
    Model made([&](Exec const& space, auto const& x, auto timesteps, auto const& out) {
      evaluate.set_labels(std::vector<int>(Net::config.classes > 0 ? x.extent(0) : 0, label));
      evaluate(space, x, timesteps, out);
    });
    made.recorder = strong.profiler();
    return made;
  };
  Model model = with_labels(strong);
  if (weak_net)
    model = gd::Guidance<Exec, Model, Model>(exec, model, with_labels(weak), options.guidance_scale);
  model.recorder = strong.profiler();
#if defined(GLYPHDIFF_GUIDED)
  Classifier classifier(exec, gd::zero_parameters);
  load_network(options.classifier.string(), "", classifier);
  auto const direction = std::make_shared<gd::ClassifierGradient<Classifier>>(classifier);
  Model const toward = [&](Exec const& space, auto const& x, auto timesteps, auto const& out) {
    direction->set_labels(std::vector<int>(x.extent(0), label));
    (*direction)(space, x, timesteps, out);
  };
  Sampled sampled(exec, model, toward, options.classifier_scale);
#else
  Sampled& sampled = model;
#endif
  gd::DrawOptions const drawing{options.count, options.size,  options.size, channels,
                                options.seed,  options.first, batch};
  auto const samples = gd::draw(exec, drawing, [&](gd::Images<Exec> const& x, gd::SeededNoise const& noise) {
    int const n = int(x.extent(0));
    auto const zeros = [&] { return gd::Images<Exec>("zeros", n, options.size, options.size, channels); };
    Noise start{zeros(), {0, 1}, noise};  // noise alone
    Progress progress = [](int, int, auto const&) {};
    if (editing) {
      auto const image = load_picture(options.init_image, n, options.size, channels);
      if (options.mask.empty()) {
        start = gd::noised_to_start(exec, plan, image, noise);
      } else {
        auto const mask = load_picture(options.mask, n, options.size, 1, true);
        progress = gd::Inpainting<Exec>(exec, plan, image, mask, {noise.seed, noise.first_sample});
      }
    } else if (options.to_seed) {
      gd::Images<Exec> const from("from", 1, options.size, options.size, channels),
          to = gd::Images<Exec>("to", 1, options.size, options.size, channels);
      gd::SeededNoise{options.seed, options.first}.start(exec, from);
      gd::SeededNoise{*options.to_seed, options.first}.start(exec, to);
      std::vector<double> fractions;
      for (int i = 0; i < n; ++i)
        fractions.push_back(double(noise.first_sample - options.first + i) / std::max(1, options.count - 1));
      auto const between = zeros();
      gd::slerp<Exec>(exec, from, to, fractions, between);
      start = Noise{between, {1, 0}, noise};
    } else if (!options.from.empty()) {
      std::vector<double> fractions;
      for (int i = 0; i < n; ++i)
        fractions.push_back(double(noise.first_sample - options.first + i) / std::max(1, options.count - 1));
      gd::ddim_interpolate(exec, plan, sampled, load_picture(options.from, 1, options.size, channels),
                           load_picture(options.to, 1, options.size, channels), fractions, x);
      return;
    }
    sample(exec, options, plan, sampled, x, start, progress);
    std::fprintf(stderr, "%llu of %d\n", (unsigned long long)(noise.first_sample - options.first + n),
                 options.count);
  });
  write(options, samples, label);
  write_profile(exec, profiler, options.out.string() + ".profile", "a picture", options.count, stdout);
  std::printf("see %s\n", options.out.c_str());
  return 0;
}

int main(int argc, char** argv) try {
  gd::Runtime const runtime(argc, argv);
  std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);
  Options options;
  cli::App app(std::string("Draws pictures with the network ") + preset_name + ".");
  app.add_option("--model", options.model, "checkpoint (.pt or safetensors), or the folder of a run")
      ->required();
  app.add_option("--weights", options.weights,
                 "which weights of it: model, ema_0.9999, ...; the first average if not said");
  app.add_option("--ema-width", options.width,
                 "of the folder of a run with --ema-widths: width of the average to compose")
      ->check(cli::Range(0.001, 0.28));
  app.add_option("--ema-step", options.step,
                 "the same: after this many updates of the run; the last save if not said")
      ->check(cli::NonNegativeNumber);
  app.add_option("--out", options.out, "PNG of all pictures")->capture_default_str();
  app.add_option("--singles", options.singles, "folder for a PNG of each");
  app.add_option("--count", options.count, "pictures")
      ->check(cli::Range(1, 1'000'000))
      ->capture_default_str();
  app.add_option("--first", options.first,
                 "number of the first picture: go on behind those of an earlier call");
  app.add_option("--columns", options.columns, "of the PNG of all pictures")->check(cli::Range(1, 10'000));
  app.add_option("--size", options.size,
                 "pixels per side; other sizes than the training's work where the network allows")
      ->check(cli::Range(1, 8192))
      ->capture_default_str();
  app.add_option("--batch", options.batch, "pictures at a time in memory; never changes them")
      ->check(cli::Range(1, 100'000));
  app.add_option("--sampler", options.sampler)
      ->check(cli::IsMember({"ddim", "ddpm", "plms", "dpm++2m", "dpm++2m-sde", "unipc", "heun", "euler"}))
      ->capture_default_str();
  app.add_option("--steps", options.steps, "how many, or a respacing such as ddim50 or 10,10,20")
      ->capture_default_str();
  app.add_option("--spacing", options.spacing,
                 "time, log-snr, karras or ratio; by default what suits the sampler")
      ->check(cli::IsMember({"default", "time", "log-snr", "karras", "ratio"}));
  app.add_option("--order", options.order, "of plms (1 to 4) or unipc (1 to 3)")->check(cli::Range(1, 4));
  app.add_option("--eta", options.eta, "of ddim: 0 is deterministic, 1 adds the most noise")
      ->check(cli::Range(0.0, 1.0));
  app.add_option("--churn", options.churn, "of heun and euler: noise added at each step")
      ->check(cli::NonNegativeNumber);
  app.add_flag("--no-clip", options.no_clip, "don't keep estimates of the picture between black and white");
  app.add_option("--label", options.label,
                 "class of the pictures: a number, or a name that the classifier has");
#if defined(GLYPHDIFF_GUIDED)
  app.add_option("--classifier", options.classifier,
                 "classifier of noisy pictures that leads to the class (train_classifier makes one)")
      ->required();
  app.add_option("--classifier-scale", options.classifier_scale, "how strongly")->capture_default_str();
#endif
  app.add_option("--guide", options.guide,
                 "autoguidance: an earlier or worse checkpoint of the same network");
  app.add_option("--guidance-scale", options.guidance_scale, "how far away from it; 1: not at all")
      ->capture_default_str();
  cli::Option* const init = app.add_option("--init-image", options.init_image,
                                           "start from this picture (SDEdit), or fill it in by --mask");
  app.add_option("--strength", options.strength, "how far to go from it: 1 forgets it")
      ->check(cli::Range(0.001, 1.0))
      ->capture_default_str();
  app.add_option("--mask", options.mask, "picture of what to draw anew (white) and what to keep (black)")
      ->needs(init);
  app.add_option("--repeats", options.repeats, "times that each step is taken with --mask; more fits better")
      ->check(cli::Range(1, 100))
      ->capture_default_str();
  cli::Option* const from = app.add_option("--from", options.from, "draw what lies between this picture ...");
  cli::Option* const to = app.add_option("--to", options.to, "... and this one");
  from->needs(to), to->needs(from);
  app.add_option("--to-seed", options.to_seed,
                 "draw what lies between the first pictures of --seed and of this seed");
  app.add_option("--npz", options.npz,
                 "NumPy file of all pictures (arr_0) and labels (arr_1), as the reference writes it");
  app.add_option("--seed", options.seed, "of everything random")->capture_default_str();
  app.add_flag("--profile", options.profile,
               "record the drawing: where its time goes, to OUT.profile.txt and OUT.profile.json");
  if (auto const status = app.parse(argc, argv)) return *status;
  return run(options);
} catch (std::exception const& error) {
  std::cerr << "sample: " << error.what() << "\n";
  return 2;
}
