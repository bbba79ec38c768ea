#pragma once

// CMakeLists.txt reads the version from here.
#define GLYPHDIFF_VERSION_MAJOR 0
#define GLYPHDIFF_VERSION_MINOR 1
#define GLYPHDIFF_VERSION_PATCH 0

namespace glyphdiff {

struct Version {
  int major, minor, patch;
};

inline constexpr Version version{GLYPHDIFF_VERSION_MAJOR, GLYPHDIFF_VERSION_MINOR, GLYPHDIFF_VERSION_PATCH};

}  // namespace glyphdiff
