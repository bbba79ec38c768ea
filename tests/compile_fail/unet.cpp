// A wrong configuration is refused, with its sentence, by the network that a user names.
#include <glyphdiff/unet.hpp>

struct Spec {
  static constexpr glyphdiff::UNetConfig config{
#if CASE == 1  // expects: UNetConfig: norm_groups must divide every level's width
      .norm_groups = 7,
#endif
  };
};

template class glyphdiff::UNet<Spec, Kokkos::Serial>;
