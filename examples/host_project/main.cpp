// A program that has nothing to do with diffusion starts Kokkos in its own way and embeds a UNet: it predicts
// the noise in one image.
#include <glyphdiff/unet.hpp>

#include <cstdio>
#include <exception>

struct TinyLetters {
  static constexpr glyphdiff::UNetConfig config{.image_size = 32,
                                                .channels = 1,
                                                .model_channels = 16,
                                                .channel_mult = {1, 2},
                                                .res_blocks = 1,
                                                .norm_groups = 8};
};

int main(int argc, char** argv) try {
  Kokkos::ScopeGuard const kokkos(argc, argv);
  using Exec = Kokkos::DefaultExecutionSpace;

  Exec const exec;
  glyphdiff::UNet<TinyLetters, Exec> const net(exec, /*seed=*/1);
  glyphdiff::UNet<TinyLetters, Exec>::Evaluator denoise(net);

  glyphdiff::Images<Exec> const image("host::image", 1, 32, 32, 1),
      noise("host::noise", 1, 32, 32, 1);  // (N,H,W,C)
  float const timestep = 10;
  denoise(exec, image, {&timestep, 1}, noise);
  exec.fence();
  std::printf("%lld parameters, %zu pixels\n",
              static_cast<long long>(glyphdiff::parameter_count<TinyLetters>), noise.size());
} catch (std::exception const& error) {
  std::fprintf(stderr, "host_project: %s\n", error.what());
  return 2;
}
