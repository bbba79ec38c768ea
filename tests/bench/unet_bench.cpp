// Time and memory of whole networks: a training step, a forward pass, and a forward pass of one image. One
// line of JSON per measurement; torch_bench.py does the same work in PyTorch, and compare.py puts the two
// side by side.
#include "bench.hpp"
#include "kernel_profile.hpp"

#include <glyphdiff/bfloat16.hpp>
#include <glyphdiff/optim/adamw.hpp>
#include <glyphdiff/presets.hpp>
#include <glyphdiff/unet.hpp>

#include <CLI/CLI.hpp>

#include <cstdio>
#include <exception>
#include <numeric>
#include <optional>

namespace {

using namespace glyphdiff;
using bench::Exec;

struct S32 {
  static constexpr char const* name = "S32";
  static constexpr int batch = 16;
  static constexpr UNetConfig config{.image_size = 32,
                                     .learned_sigma = true,
                                     .model_channels = 64,
                                     .channel_mult = {1, 2, 2},
                                     .attention_resolutions = {16, 8},
                                     .num_heads = 4};
};

struct M64 {
  static constexpr char const* name = "M64";
  static constexpr int batch = 8;
  static constexpr UNetConfig config{.image_size = 64,
                                     .learned_sigma = true,
                                     .model_channels = 64,
                                     .channel_mult = {1, 2, 3, 4},
                                     .attention_resolutions = {16, 8},
                                     .num_heads = 4};
};

struct L64 {
  static constexpr char const* name = "L64";
  static constexpr int batch = 4;
  static constexpr UNetConfig config{.image_size = 64,
                                     .learned_sigma = true,
                                     .model_channels = 128,
                                     .channel_mult = {1, 2, 3, 4},
                                     .attention_resolutions = {16, 8},
                                     .num_head_channels = 64,
                                     .resblock_updown = true};
};

constexpr bool on_host = kernels::runs_on_host<Exec>;

// The released models of 256 x 256 pixels, which a host measures forward only.
struct I256 : presets::IddpmLsun256 {
  static constexpr char const* name = "I256";
  static constexpr bool forward_only = true;
  static constexpr int batch = 1;
};

struct A256 : presets::Adm256 {
  static constexpr char const* name = "A256";
  static constexpr bool forward_only = true;
  static constexpr int batch = 1;
};

static_assert(parameter_count<S32> == 7'282'438);
static_assert(parameter_count<M64> == 23'036'038);
static_assert(parameter_count<L64> == 100'349'318);

/// Fills x on the host with value(i), i counting in C order.
template <class View, class Value>
void fill(Exec const& exec, View const& x, Value const& value) {
  auto const host = Kokkos::create_mirror_view(x);
  for (std::size_t i = 0; i < host.size(); ++i) host.data()[i] = value(i);
  Kokkos::deep_copy(exec, x, host);
  exec.fence();
}

/// Parameters of a network in mid-training as far as speed can tell: none of ADM's zero layers is zero.
template <class Net>
void fill_parameters(Exec const& exec, Net& net) {
  auto const host = Kokkos::create_mirror_view(net.parameters());
  std::uint32_t tensor = 0;
  for (ParameterInfo const& info : net.parameter_list()) {
    double scale = 0.1;
    if (info.shape.size() > 1) scale = 1 / std::sqrt(double(info.count) / double(info.shape[0]));
    double const centre = info.initialisation == Initialisation::one ? 1 : 0;
    for (std::int64_t i = 0; i < info.count; ++i)
      host(info.offset + i) = float(centre + scale * bench::test_value(tensor, std::uint32_t(i)));
    ++tensor;
  }
  Kokkos::deep_copy(exec, net.parameters(), host);
  exec.fence();
}

/// The network of a case with a batch of images, on a backend.
template <class Case, class Backend>
struct Model {
  using Net = UNet<Case, Exec, Backend>;
  static constexpr UNetConfig config = Case::config;

  Exec exec;
  Net net{exec};
  Images<Exec> x, out;
  std::vector<float> timesteps;

  Model(int batch, int pixels)
      : x("bench::x", batch, pixels, pixels, config.channels),
        out("bench::out", batch, pixels, pixels, config.out_channels()) {
    fill_parameters(exec, net);
    fill(exec, x, [](std::size_t i) { return bench::test_value(0xffff, std::uint32_t(i)); });
    for (int n = 0; n < batch; ++n) timesteps.push_back(float((61 * n + 7) % 1000));
  }

  /// Mean over the image's channels of (out - x)^2, and its gradient unless d_out is empty.
  double squared_error(Images<Exec> const& d_out) const {
    auto const a = x, b = out, d = d_out;
    int const rows = int(x.extent(1)), columns = int(x.extent(2)), channels = int(x.extent(3));
    int const out_channels = int(out.extent(3));
    float const scale = float(2.0 / double(x.size()));
    bool const with_gradient = d_out.size() > 0;
    Kokkos::View<double*, typename Exec::memory_space> const sums(
        Kokkos::view_alloc(Kokkos::WithoutInitializing, "bench::sums"), x.extent(0) * x.extent(1));
    kernels::for_each(
        "bench::loss", exec, std::int64_t(sums.extent(0)), KOKKOS_LAMBDA(std::int64_t item) {
          int const n = int(item / rows), h = int(item % rows);
          double sum = 0;
          for (int w = 0; w < columns; ++w)
            for (int c = 0; c < out_channels; ++c) {
              float const error = c < channels ? b(n, h, w, c) - a(n, h, w, c) : 0.0f;
              sum += double(error) * double(error);
              if (with_gradient) d(n, h, w, c) = scale * error;
            }
          sums(item) = sum;
        });
    auto const host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), sums);
    double total = 0;
    for (std::size_t i = 0; i < host.size(); ++i) total += host(i);
    return total / double(x.size());
  }
};

// What is timed is step(). losses() are numbers that torch_bench.py must get as well.

/// One image batch forward and back and an update of the parameters.
template <class Case, class Backend>
struct TrainStep : Model<Case, Backend> {
  using typename Model<Case, Backend>::Net;
  Arena<Exec> gradients{"bench::gradients", parameter_count<Case>};
  AdamW<Exec> adamw{parameter_count<Case>};
  Images<Exec> d_out{"bench::d_out", this->out.extent(0), this->out.extent(1), this->out.extent(2),
                     this->out.extent(3)};
  typename Net::Tape tape;
  std::vector<double> history;

  explicit TrainStep(int pixels) : Model<Case, Backend>(Case::batch, pixels) {}

  void step() {
    this->net.forward(this->exec, this->x, this->timesteps, {}, this->out, tape);
    history.push_back(this->squared_error(d_out));
    this->net.backward(this->exec, d_out, gradients, tape);
    adamw.update(this->exec, this->net.parameters(), gradients, 1e-4);
  }
  std::vector<double> losses() const { return history; }
};

/// One evaluation without gradients, as a sampler makes it.
template <class Case, class Backend>
struct Forward : Model<Case, Backend> {
  using typename Model<Case, Backend>::Net;
  typename Net::Evaluator evaluate{this->net};

  explicit Forward(int pixels, int batch = Case::batch) : Model<Case, Backend>(batch, pixels) {}

  void step() { evaluate(this->exec, this->x, this->timesteps, this->out); }
  std::vector<double> losses() const { return {this->squared_error({})}; }
};

template <class Case, class Backend>
struct ForwardSingle : Forward<Case, Backend> {
  explicit ForwardSingle(int pixels) : Forward<Case, Backend>(pixels, 1) {}
};

struct Options {
  std::vector<std::string> cases{"S32", "M64", "L64"}, modes{"train", "forward", "single"};
  int warmup = 2, repeats = 5, threads = 0, pixels = 0;
  bool profile = false;
  std::string precision = "float32";
};

std::string json_list(std::vector<double> const& values, char const* format) {
  std::string list;
  for (double value : values) {
    char text[32];
    std::snprintf(text, sizeof text, format, value);
    list += (list.empty() ? "" : ", ") + std::string(text);
  }
  return "[" + list + "]";
}

template <class Case, class Work>
void measure(char const* mode, Options const& options) {
  bench::forget_peak();
  std::int64_t const before = bench::resident_bytes("VmRSS");
  Work work(options.pixels > 0 ? options.pixels : Case::config.image_size);
  for (int i = 0; i < options.warmup; ++i) work.step();
  std::optional<bench::KernelProfile> profile;
  if (options.profile) profile.emplace();
  std::vector<double> times;
  for (int i = 0; i < options.repeats; ++i) times.push_back(bench::seconds(work.exec, [&] { work.step(); }));
  if (profile) {
    std::fprintf(stderr, "\n%s %s\n", Case::name, mode);
    profile->print(stderr, options.repeats, std::accumulate(times.begin(), times.end(), 0.0));
    profile.reset();
  }
  std::printf(
      "{\"program\": \"glyphdiff\", \"build\": \"%s\", \"precision\": \"%s\", \"case\": \"%s\", \"mode\": "
      "\"%s\", \"layout\": "
      "\"nhwc\", \"batch\": %d, \"pixels\": %d, "
      "\"threads\": %d, \"parameters\": %lld, \"seconds\": %.6f, \"all_seconds\": %s, "
      "\"peak_bytes\": %lld, \"bytes_before\": %lld, \"losses\": %s}\n",
      bench::build().c_str(), options.precision.c_str(), Case::name, mode, int(work.x.extent(0)),
      int(work.x.extent(1)), int(work.exec.concurrency()), static_cast<long long>(parameter_count<Case>),
      bench::median(times), json_list(times, "%.6f").c_str(),
      static_cast<long long>(bench::resident_bytes("VmHWM")), static_cast<long long>(before),
      json_list(work.losses(), "%.9g").c_str());
  std::fflush(stdout);
}

template <class Case, class Backend>
void measure_on(Options const& options) {
  for (std::string const& mode : options.modes) {
    if constexpr (!on_host || !requires { Case::forward_only; })
      if (mode == "train") measure<Case, TrainStep<Case, Backend>>("train", options);
    if (mode == "forward") measure<Case, Forward<Case, Backend>>("forward", options);
    if (mode == "single") measure<Case, ForwardSingle<Case, Backend>>("single", options);
  }
}

template <class Case>
void measure_case(Options const& options) {
  if (std::find(options.cases.begin(), options.cases.end(), Case::name) == options.cases.end()) return;
  if (options.precision == "float32") measure_on<Case, kernels::DefaultBackend<Exec>>(options);
  // On the host it would be the slow one, and half of the compiling.
  if constexpr (!on_host)
    if (options.precision == "bfloat16") measure_on<Case, kernels::PortableIn<bfloat16>>(options);
}

}  // namespace

int main(int argc, char** argv) try {
  Options options;
  CLI::App app("Times whole networks and prints one line of JSON per measurement.");
  app.add_option("--cases", options.cases, "which networks, separated by commas; I256 and A256 forward only")
      ->delimiter(',')
      ->check(CLI::IsMember({"S32", "M64", "L64", "I256", "A256"}))
      ->capture_default_str();
  app.add_option("--modes", options.modes, "train: a training step; forward: a batch; single: one image")
      ->delimiter(',')
      ->check(CLI::IsMember({"train", "forward", "single"}))
      ->capture_default_str();
  app.add_option("--repeats", options.repeats, "timed steps; the median counts")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  app.add_option("--warmup", options.warmup, "steps before them")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--threads", options.threads, "threads, 0: one per core")->check(CLI::Range(0, 4096));
  app.add_option("--pixels", options.pixels, "image size, 0: the network's own")->check(CLI::Range(0, 4096));
  app.add_option("--precision", options.precision, "of activations, and of the weights that products read")
      ->check(CLI::IsMember(on_host ? std::vector<std::string>{"float32"}
                                    : std::vector<std::string>{"float32", "bfloat16"}))
      ->capture_default_str();
  app.add_flag("--profile", options.profile, "print the time of every kernel to standard error");
  CLI11_PARSE(app, argc, argv);

  bench::Session const session(options.threads);
  measure_case<S32>(options);
  measure_case<M64>(options);
  measure_case<L64>(options);
  measure_case<I256>(options);
  measure_case<A256>(options);
} catch (std::exception const& error) {
  std::fprintf(stderr, "unet_bench: %s\n", error.what());
  return 2;
}
