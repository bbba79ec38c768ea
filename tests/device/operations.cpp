// Every operation on the default execution space beside the same one on the host, from the same memory. Where
// the default space is a device, this says how far its numbers are from the CPU's; on a machine without one,
// another space of the host takes the device's part. Nothing here lists kernels: a backend looks at what
// training and sampling launch, so an operation that is new is checked as soon as something uses it.
#include "../arrays.hpp"
#include "../small_networks.hpp"

#include <glyphdiff/bfloat16.hpp>
#include <glyphdiff/diffusion/discrete.hpp>
#include <glyphdiff/encoder_unet.hpp>
#include <glyphdiff/sampler/classifier_gradient.hpp>
#include <glyphdiff/sampler/ddpm.hpp>
#include <glyphdiff/sampler/dpm_solver.hpp>
#include <glyphdiff/sampler/guidance.hpp>
#include <glyphdiff/sampler/inpainting.hpp>
#include <glyphdiff/sampler/interpolation.hpp>
#include <glyphdiff/sampler/spacing.hpp>
#include <glyphdiff/schedule/linear.hpp>
#include <glyphdiff/train/classifier_trainer.hpp>
#include <glyphdiff/train/trainer.hpp>

#include <doctest/doctest.h>

#include <cstring>
#include <map>
#include <string>
#include <type_traits>
#include <vector>

namespace device_operations_tests {

using namespace glyphdiff;
using namespace glyphdiff::test;

namespace {

using Host = Kokkos::DefaultHostExecutionSpace;
#if defined(KOKKOS_ENABLE_SERIAL)
using Device = std::conditional_t<std::is_same_v<Kokkos::DefaultExecutionSpace, Host>, Kokkos::Serial,
                                  Kokkos::DefaultExecutionSpace>;
#else
using Device = Kokkos::DefaultExecutionSpace;
#endif
constexpr bool same_processor = kernels::runs_on_host<Device>;

/// What Kokkos has given out on the host since this began; one at a time.
class HostMemory {
 public:
  HostMemory() {
    blocks().clear();
    Kokkos::Tools::Experimental::set_allocate_data_callback(
        [](Kokkos::Tools::SpaceHandle space, char const*, void const* begin, std::uint64_t bytes) {
          // Kokkos counts what was asked for, and puts a header before it.
          if (std::strcmp(space.name, "Host") == 0) blocks()[address(begin)] = bytes + header;
        });
    Kokkos::Tools::Experimental::set_deallocate_data_callback(
        [](Kokkos::Tools::SpaceHandle, char const*, void const* begin, std::uint64_t) {
          blocks().erase(address(begin));
        });
  }
  ~HostMemory() {
    Kokkos::Tools::Experimental::set_allocate_data_callback(nullptr);
    Kokkos::Tools::Experimental::set_deallocate_data_callback(nullptr);
  }
  HostMemory(HostMemory const&) = delete;

  struct Block {
    std::uintptr_t begin = 0;
    std::size_t bytes = 0;
  };
  /// The block that has this address; of no bytes if none has.
  static Block find(std::uintptr_t at) {
    auto next = blocks().upper_bound(at);
    if (next == blocks().begin()) return {};
    --next;
    return at < next->first + next->second ? Block{next->first, next->second} : Block{};
  }
  static std::uintptr_t address(void const* p) { return reinterpret_cast<std::uintptr_t>(p); }

 private:
  static constexpr std::size_t header = sizeof(Kokkos::Impl::SharedAllocationHeader);
  static std::map<std::uintptr_t, std::size_t>& blocks() {
    static std::map<std::uintptr_t, std::size_t> all;
    return all;
  }
};

enum class Kind { floats, doubles, bfloat16s, bytes, scratch };

/// The largest difference by operation, relative to the largest number that the operation wrote.
struct Errors {
  double floats = 0, doubles = 0, bfloat16s = 0, bytes = 0;

  double& of(Kind kind) {
    return kind == Kind::floats      ? floats
           : kind == Kind::doubles   ? doubles
           : kind == Kind::bfloat16s ? bfloat16s
                                     : bytes;
  }
};
std::map<std::string, Errors> errors;

/// One launch on both: host memory that its arguments point to goes to the device first.
class Comparison {
 public:
  explicit Comparison(char const* name) : name_(name) {}

  /// Whatever in it looks like an address of such memory is one.
  template <class T>
  void look_at(T const& argument) {
    static_assert(std::is_trivially_copyable_v<T>);
    look_at(reinterpret_cast<char const*>(&argument), sizeof(T));
    note_kinds(argument);
  }

  /// What an operation leaves in its scratch memory is its own affair.
  void note_scratch(float const* scratch) {
    kinds_.insert_or_assign(HostMemory::address(scratch), Kind::scratch);
  }

  void to_device() {
    std::size_t bytes = 0;
    for (auto& [begin, mirror] : mirrors_) {
      mirror.place = bytes;
      bytes += (mirror.block.bytes + 255) / 256 * 256;
    }
    memory_ = Memory(Kokkos::view_alloc(Kokkos::WithoutInitializing, "mirrors"), bytes);
    for (auto& [begin, mirror] : mirrors_) {
      auto const* const from = reinterpret_cast<char const*>(begin);
      mirror.before.assign(from, from + mirror.block.bytes);
      Kokkos::deep_copy(part(mirror), Unmanaged(mirror.before.data(), mirror.before.size()));
    }
  }

  /// The argument with the device's addresses.
  template <class T>
  T translated(T argument) const {
    translate(reinterpret_cast<char*>(&argument), sizeof(T));
    return argument;
  }

  /// Once both have run: what either has changed is compared.
  void compare() {
    for (auto const& [begin, mirror] : mirrors_) {
      std::vector<char> found(mirror.block.bytes);
      Kokkos::deep_copy(Unmanaged(found.data(), found.size()), part(mirror));
      auto first = kinds_.lower_bound(begin);
      for (; first != kinds_.end() && first->first < begin + mirror.block.bytes; ++first) {
        auto const next = std::next(first);
        std::uintptr_t end = begin + mirror.block.bytes;
        if (next != kinds_.end() && next->first < end) end = next->first;
        if (first->second == Kind::scratch) continue;
        std::size_t const at = first->first - begin;
        compare_run(first->second, mirror.before.data() + at, reinterpret_cast<char const*>(first->first),
                    found.data() + at, end - first->first);
      }
    }
  }

 private:
  using Memory = Kokkos::View<char*, Kokkos::LayoutRight, typename Device::memory_space>;
  using Unmanaged = Kokkos::View<char*, Kokkos::LayoutRight, Kokkos::HostSpace, Kokkos::MemoryUnmanaged>;
  struct Mirror {
    HostMemory::Block block;
    std::size_t place;
    std::vector<char> before;
  };

  using Part =
      Kokkos::View<char*, Kokkos::LayoutRight, typename Device::memory_space, Kokkos::MemoryUnmanaged>;
  Part part(Mirror const& mirror) const { return Part(memory_.data() + mirror.place, mirror.block.bytes); }

  void look_at(char const* argument, std::size_t bytes) {
    for (std::size_t i = 0; i + sizeof(std::uintptr_t) <= bytes; i += sizeof(std::uintptr_t)) {
      std::uintptr_t word;
      std::memcpy(&word, argument + i, sizeof(word));
      if (auto const block = HostMemory::find(word); block.bytes > 0) {
        mirrors_.try_emplace(block.begin, Mirror{block, 0, {}});
        kinds_.try_emplace(word, Kind::floats);
      }
    }
  }
  void translate(char* argument, std::size_t bytes) const {
    for (std::size_t i = 0; i + sizeof(std::uintptr_t) <= bytes; i += sizeof(std::uintptr_t)) {
      std::uintptr_t word;
      std::memcpy(&word, argument + i, sizeof(word));
      auto const block = HostMemory::find(word);
      if (block.bytes == 0) continue;
      word = HostMemory::address(memory_.data()) + mirrors_.at(block.begin).place + (word - block.begin);
      std::memcpy(argument + i, &word, sizeof(word));
    }
  }

  template <class T>
  void note_kinds(T* const& pointer) {
    using Value = std::remove_const_t<T>;
    Kind const kind = std::is_same_v<Value, float>    ? Kind::floats
                      : std::is_same_v<Value, double> ? Kind::doubles
                      : std::is_same_v<Value, bfloat16> || std::is_same_v<Value, std::uint16_t>
                          ? Kind::bfloat16s
                      : std::is_same_v<Value, kernels::UpdateOutcome> ? Kind::doubles
                                                                      : Kind::bytes;
    if (auto const at = kinds_.find(HostMemory::address(pointer)); at != kinds_.end()) at->second = kind;
    if (std::is_same_v<Value, kernels::UpdateOutcome>)  // a double, and eight bytes
      if (auto const at = HostMemory::address(pointer); HostMemory::find(at).bytes > 0) {
        kinds_.insert_or_assign(at + offsetof(kernels::UpdateOutcome, gradient_scale), Kind::floats);
        kinds_.insert_or_assign(at + offsetof(kernels::UpdateOutcome, not_finite), Kind::bytes);
        kinds_.try_emplace(at + sizeof(kernels::UpdateOutcome), Kind::bytes);
      }
  }
  template <class T>
  void note_kinds(kernels::ChannelsOf<T*> const& x) {
    note_kinds(x.first), note_kinds(x.second);
  }
  template <class T>
  void note_kinds(kernels::GradientSinkOf<T*> const& x) {
    note_kinds(x.data);
  }
  template <class T>
  void note_kinds(kernels::ChannelsGradientOf<T*> const& x) {
    note_kinds(x.first.data), note_kinds(x.second.data);
  }
  template <class T>
  void note_kinds(T const&) {}

  template <class Word, class ToDouble>
  double error(char const* before, char const* expected, char const* found, std::size_t bytes,
               ToDouble const& to_double) const {
    double largest = 1e-30, difference = 0;
    constexpr std::size_t run = 1024;
    for (std::size_t i = 0; i + sizeof(Word) <= bytes; i += sizeof(Word)) {
      while (i % run == 0 && i + run <= bytes && std::memcmp(before + i, expected + i, run) == 0 &&
             std::memcmp(before + i, found + i, run) == 0)
        i += run;
      if (i + sizeof(Word) > bytes) break;
      if (std::memcmp(before + i, expected + i, sizeof(Word)) == 0 &&
          std::memcmp(before + i, found + i, sizeof(Word)) == 0)
        continue;
      Word a, b;
      std::memcpy(&a, expected + i, sizeof(Word));
      std::memcpy(&b, found + i, sizeof(Word));
      double const x = to_double(a), y = to_double(b), d = std::abs(x - y);
      largest = std::max(largest, std::abs(x));
      // Written so that what is not a number counts as infinitely far, unless both are the same bits.
      if (std::memcmp(&a, &b, sizeof(Word)) != 0 && !(d <= difference))
        difference = d == d ? d : std::numeric_limits<double>::infinity();
    }
    return difference / largest;
  }

  void compare_run(Kind kind, char const* before, char const* expected, char const* found,
                   std::size_t bytes) const {
    auto const same = [](auto x) { return double(x); };
    double const e = kind == Kind::floats    ? error<float>(before, expected, found, bytes, same)
                     : kind == Kind::doubles ? error<double>(before, expected, found, bytes, same)
                     : kind == Kind::bfloat16s
                         ? error<std::uint16_t>(before, expected, found, bytes,
                                                [](std::uint16_t x) { return double(bfloat16_to_float(x)); })
                         : error<unsigned char>(before, expected, found, bytes, same);
    double& worst = errors[name_].of(kind);
    worst = std::max(worst, e);
  }

  char const* name_;
  std::map<std::uintptr_t, Mirror> mirrors_;
  std::map<std::uintptr_t, Kind> kinds_;  // of what lies from here to the next one
  Memory memory_;
};

/// Runs each operation on the device, then on the host, which goes on with the host's numbers.
template <class Inner, class OnDevice = Inner>
struct Beside : Inner {
  template <class Exec>
  using Context = typename Inner::template Context<Exec>;

  template <class Exec, class Op, class... Pointers>
  static void launch(Exec const& exec, Context<Exec>& context, Op const& op, float* scratch,
                     Pointers... pointers) {
    static_assert(std::is_same_v<Exec, Host>);
    Device const device;
    typename OnDevice::template Context<Device> device_context;
    Comparison comparison(Op::name);
    comparison.look_at(op);
    (comparison.look_at(pointers), ...);
    if (Inner::scratch(exec, context, op) > 0) comparison.note_scratch(scratch);
    comparison.to_device();
    Arena<Device> const device_scratch("scratch", OnDevice::scratch(device, device_context, op));
    OnDevice::launch(device, device_context, comparison.translated(op), device_scratch.data(),
                     comparison.translated(pointers)...);
    device.fence();
    Inner::launch(exec, context, op, scratch, pointers...);
    exec.fence();
    comparison.compare();
  }
};

/// Takes the wrong sign in one operation.
struct Wrong : kernels::Portable {
  template <class Exec, class Op, class... Pointers>
  static void launch(Exec const& exec, Context<Exec>& context, Op op, float* scratch, Pointers... pointers) {
    if constexpr (std::is_same_v<Op, kernels::Guide>) op.scale = -op.scale;
    kernels::Portable::launch(exec, context, op, scratch, pointers...);
  }
};

/// What EveryLayer and classifiers have not as well: folded pixels, coordinates, means between the levels,
/// and embeddings that are added.
struct OtherLayers {
  static constexpr UNetConfig config = [] {
    UNetConfig c = EveryLayer::config;
    c.image_size = 16;
    c.space_to_depth = 2;
    c.coordinate_channels = true;
    c.scale_shift_norm = false;
    c.conv_resample = false;
    return c;
  }();
};
struct Learned {
  static constexpr UNetConfig config = [] {
    UNetConfig c = OneLevel::config;
    c.learned_sigma = true;
    return c;
  }();
};
struct SpatialClassifier {
  static constexpr UNetConfig config = [] {
    UNetConfig c = SmallClassifier::config;
    c.resblock_updown = true;
    return c;
  }();
  static constexpr int classes_out = 3;
  static constexpr Pool pool = Pool::spatial;
};

using Process = Diffusion<LinearSchedule<1000>, Epsilon, LearnedRange>;
constexpr int batch = 3;
std::vector<int> const labels{0, 2, 1};

HostImages pictures(unsigned seed, int size) {
  HostImages const result("pictures", batch, size, size, 1);
  auto const numbers = values(result.size(), seed);
  std::copy(numbers.begin(), numbers.end(), result.data());
  return result;
}

TrainOptions options(MomentFormat moments) {
  TrainOptions o{.batch = batch, .microbatch = 2, .learning_rate = {.peak = 1e-2}, .clip_norm = 0.1};
  o.ema_rates = {0.5, 0.6, 0.7, 0.8, 0.9};
  o.adamw.moments = moments;
  return o;
}

template <class Net>
void fill(Net& net) {
  Kokkos::deep_copy(net.parameters(), to_space<Host>(values(net.parameters().size(), 3, 0.2f)));
}

template <class Spec, class Backend>
void train(MomentFormat moments, bool low_rank = false) {
  using Net = UNet<Spec, Host, Backend>;
  constexpr int size = Spec::config.image_size;
  Host const exec;
  Net net(exec, 1);
  fill(net);
  using Trained = Trainable<Net>;
  ParameterSelection matrices(net.parameter_list(), Trained::is_matrix);
  Trainer<Net, Process> trainer(
      exec, net, Process(), options(moments),
      low_rank ? Trained(exec, net, std::move(matrices), 2, 7) : Trained(exec, net));
  for (unsigned step = 0; step < 2; ++step)
    trainer.step(pictures(step, size), labels, pictures(10 + step, size));
}

template <class Spec, class Backend>
void classify() {
  using Net = EncoderUNet<Spec, Host, Backend>;
  Host const exec;
  Net net(exec, 1);
  ClassifierTrainer<Net, Process> trainer(exec, net, Process(), {.batch = batch, .microbatch = 2});
  for (unsigned step = 0; step < 2; ++step) trainer.step(pictures(step, 8), labels);
}

/// Sums are cut in the same places on every space, but the order within a piece and what is fused differ: a
/// few roundings of the largest number. On the same
/// processor, what is fused may differ.
void check_errors() {
  for (auto& [name, e] : errors) {
    CAPTURE(name);
    if (!same_processor)
      MESSAGE(name << ": floats " << e.floats << ", doubles " << e.doubles << ", bfloat16 " << e.bfloat16s);
    CHECK(e.floats <= (same_processor ? 1e-6 : 2e-5));
    CHECK(e.doubles <= (same_processor ? 1e-6 : 2e-5));
    CHECK(e.bfloat16s <= (same_processor ? 0 : 0x1p-7));
    CHECK(e.bytes == 0);
  }
}

void check_names(std::vector<char const*> const& expected) {
  for (std::string const name : expected) {
    CAPTURE(name);
    CHECK(errors.count(name) == 1);
  }
}

}  // namespace

TEST_CASE("operations of training give on the device what they give on the host") {
  HostMemory const memory;
  errors.clear();
  using Floats = Beside<kernels::Portable>;
  train<OtherLayers, Floats>(MomentFormat::float32);
  train<OtherLayers, Floats>(MomentFormat::bfloat16, true);
  classify<SmallClassifier, Floats>();
  classify<SpatialClassifier, Floats>();
  check_names({"add",
               "add_column_sums",
               "add_per_image",
               "attention::backward",
               "attention::forward",
               "concatenate_channels",
               "conv2d::backward_data",
               "conv2d::backward_weight",
               "conv2d::forward",
               "copy_rows",
               "cross_entropy",
               "depth_to_space",
               "diffusion::combine",
               "dropout",
               "group_norm::backward",
               "group_norm::forward",
               "group_norm::statistics",
               "label_embedding::backward",
               "label_embedding::forward",
               "loss::sum",
               "matmul",
               "mean_per_image",
               "mean_per_image::backward",
               "optimizer::adamw",
               "optimizer::adamw_bfloat16",
               "optimizer::ema",
               "optimizer::outcome",
               "optimizer::sum_of_squares",
               "pack_weights",
               "random::fill",
               "random::normal",
               "relu::backward",
               "relu::forward",
               "silu::backward",
               "silu::forward",
               "space_to_depth",
               "spread_blocks",
               "sum_blocks",
               "sum_per_image",
               "timestep_embedding",
               "tokens::backward",
               "tokens::forward",
               "tokens::positions",
               "upsample"});
  check_errors();
}

TEST_CASE("and those of training in bfloat16") {
  HostMemory const memory;
  errors.clear();
  train<EveryLayer, Beside<kernels::PortableIn<bfloat16>>>(MomentFormat::float32);
  check_names({"conv2d::backward_weight", "attention::backward", "group_norm::backward", "pack_weights"});
  check_errors();
}

namespace {

template <class Backend>
void sample() {
  using Net = UNet<Learned, Host, Backend>;
  using Judge = EncoderUNet<SmallClassifier, Host, Backend>;
  Host const exec;
  Net net(exec, 1);
  fill(net);
  Judge const judge(exec, 1);
  using Model = typename Net::Evaluator;
  Model model(net);
  ClassifierGradient<Judge> direction(judge);
  direction.set_labels(labels);
  Guidance<Host, Model, Model> guided(exec, Model(net), Model(net), 2);
  ClassifierGuidance<Host, Model, ClassifierGradient<Judge>> steered(exec, Model(net), std::move(direction),
                                                                     2);
  Images<Host> const x("x", batch, 8, 8, 1), known("known", batch, 8, 8, 1), mask("mask", batch, 8, 8, 1);
  auto const few = Process().respaced("4");
  ddpm_sample(exec, few, guided, x, SeededNoise{1});
  dpm_solver_sample(exec, few, model, x, SeededNoise{1});
  ddim_sample(exec, few, steered, x, SeededNoise{1});
  Inpainting<Host, NoProgress, Backend> fill_in(exec, few, known, mask, {1});
  ddim_sample(exec, few, model, x, noised_to_start(exec, few, known, SeededNoise{1}), {}, fill_in);
  std::vector<double> const fractions{0.25, 0.5, 0.75};
  ddim_interpolate(exec, few, model, known, known, fractions, x);
}

}  // namespace

TEST_CASE("and those of sampling, guidance and editing") {
  HostMemory const memory;
  errors.clear();
  sample<Beside<kernels::Portable>>();
  check_names({"random::normal", "sampler::ancestral", "sampler::blend", "sampler::estimate",
               "sampler::finite", "sampler::guide", "sampler::keep_where", "sampler::sum"});
  check_errors();
}

TEST_CASE("what a device gets wrong is found") {
  HostMemory const memory;
  errors.clear();
  using Net = UNet<Learned, Host, Beside<kernels::Portable, Wrong>>;
  Host const exec;
  Net net(exec, 1), weak(exec, 2);
  fill(net);
  using Model = Net::Evaluator;
  Guidance<Host, Model, Model> guided(exec, Model(net), Model(weak), 2);
  Images<Host> const x("x", batch, 8, 8, 1);
  ddpm_sample(exec, Process().respaced("2"), guided, x, SeededNoise{1});
  for (auto& [name, e] : errors) {
    CAPTURE(name);
    CHECK((e.floats > 1e-3) == (name == "sampler::guide"));
  }
}

}  // namespace device_operations_tests
