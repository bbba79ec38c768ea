// Training, classifying and sampling with every kind of layer, for the execution space CUDA, so that every
// kernel of theirs is instantiated. Compiled to PTX and looked at by `run`; never executed.
#include <glyphdiff/glyphdiff.hpp>
#include <glyphdiff/train/classifier_trainer.hpp>
#include <glyphdiff/train/trained_part.hpp>

#include <type_traits>

using namespace glyphdiff;

static_assert(std::is_same_v<TransferHostSpace<Kokkos::Cuda>, Kokkos::CudaHostPinnedSpace>);
static_assert(std::is_same_v<TransferHostSpace<Kokkos::DefaultHostExecutionSpace>, Kokkos::HostSpace>);

using Exec = Kokkos::Cuda;

struct Blocks {  // strided convolutions, added embedding, dropout
  static constexpr UNetConfig config{.image_size = 16,
                                     .channels = 1,
                                     .learned_sigma = true,
                                     .model_channels = 16,
                                     .channel_mult = {1, 2},
                                     .res_blocks = 1,
                                     .attention_resolutions = {8},
                                     .scale_shift_norm = false,
                                     .dropout = 0.1,
                                     .classes = 3,
                                     .condition_channels = 2,
                                     .norm_groups = 8,
                                     .coordinate_channels = true};
};
struct Resampled {  // resampling blocks or none of their convolutions, folded pixels
  static constexpr UNetConfig config{.image_size = 16,
                                     .channels = 1,
                                     .model_channels = 16,
                                     .channel_mult = {1, 2},
                                     .res_blocks = 1,
                                     .resblock_updown = true,
                                     .norm_groups = 8,
                                     .space_to_depth = 2};
};
struct Classifier {
  static constexpr UNetConfig config{.image_size = 16,
                                     .channels = 1,
                                     .model_channels = 16,
                                     .channel_mult = {1, 2},
                                     .res_blocks = 1,
                                     .num_head_channels = 16,
                                     .norm_groups = 8};
  static constexpr int classes_out = 2;
  static constexpr Pool pool = Pool::attention;
};
struct Spatial : Classifier {
  static constexpr Pool pool = Pool::spatial;
};

using Process = Diffusion<CosineSchedule<1000>, Epsilon, LearnedRange>;
using Plain = ContinuousDiffusion<ContinuousCosine, V>;

template <class Backend>
void train(Exec const& exec, HostImages const& images, std::vector<int> const& labels) {
  using Net = UNet<Blocks, Exec, Backend>;
  using Other = UNet<Resampled, Exec, Backend>;
  Net net(exec);
  Trainer<Net, Process, RescaledMse, LossSecondMoment> trainer(
      exec, net, Process(), {.adamw = {.moments = MomentFormat::bfloat16}},
      make_trainable(exec, net, TrainedPart::low_rank));
  trainer.step(images, labels, images);
  Other other(exec);
  Trainer<Other, Plain>(exec, other, Plain(10), {}).step(images);
}
using Floats = kernels::DefaultBackend<Exec>;
using Half = kernels::PortableIn<bfloat16>;
template void train<Floats>(Exec const&, HostImages const&, std::vector<int> const&);
template void train<Half>(Exec const&, HostImages const&, std::vector<int> const&);

template <class Spec, class Backend>
void classify(Exec const& exec, HostImages const& images, std::vector<int> const& labels) {
  using Net = EncoderUNet<Spec, Exec, Backend>;
  Net net(exec);
  ClassifierTrainer<Net, Process> trainer(exec, net, Process(), {});
  trainer.step(images, labels);
  trainer.accuracy(images, labels, 1, 1);
}
template void classify<Classifier, Floats>(Exec const&, HostImages const&, std::vector<int> const&);
template void classify<Spatial, Floats>(Exec const&, HostImages const&, std::vector<int> const&);
template void classify<Classifier, Half>(Exec const&, HostImages const&, std::vector<int> const&);
template void classify<Spatial, Half>(Exec const&, HostImages const&, std::vector<int> const&);

void sample(Exec const& exec, UNet<Blocks, Exec>& net, EncoderUNet<Classifier, Exec>& classifier,
            Images<Exec> const& x) {
  Process const process;
  typename UNet<Blocks, Exec>::Evaluator model(net);
  ClassifierGradient<EncoderUNet<Classifier, Exec>> gradient(classifier);
  auto const call = [&](Exec const& e, Images<Exec> const& at, std::span<float const> t,
                        Images<Exec> const& out) { model(e, at, t, out); };
  auto const direction = [&](Exec const& e, Images<Exec> const& at, std::span<float const> t,
                             Images<Exec> const& out) { gradient(e, at, t, out); };
  ClassifierGuidance<Exec, decltype(call), decltype(direction)> guided(exec, call, direction, 2);
  Guidance<Exec, decltype(call), decltype(call)> free(exec, call, call, 2);
  ddpm_sample(exec, process, guided, x);
  ddim_sample(exec, process, free, x);
  heun_sample(exec, process, model, x, noised_to_start(exec, process, x));
  unipc_sample(exec, process, model, x);
  bits_per_dimension(exec, process, model, x, 0);
}
