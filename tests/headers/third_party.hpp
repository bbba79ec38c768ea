#pragma once

// What glyphdiff's headers include that is not glyphdiff's. What a host defines as macros must not reach
// these: that is between the host and them.
#include <Kokkos_Core.hpp>

#include <fcntl.h>
#include <limits.h>
#include <locale.h>
#include <stdarg.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <deque>
#include <exception>
#include <filesystem>
#include <fstream>
#include <functional>
#include <initializer_list>
#include <iostream>
#include <limits>
#include <map>
#include <memory>
#include <numbers>
#include <numeric>
#include <optional>
#include <random>
#include <set>
#include <span>
#include <sstream>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include <Random123/philox.h>
#if __has_include(<Eigen/SVD>)
#include <Eigen/Dense>
#include <Eigen/SVD>
#endif
#if __has_include(<nlohmann/json.hpp>)
#include <nlohmann/json.hpp>
#endif
#if __has_include(<xtensor/xtensor.hpp>)
#include <xtensor/xtensor.hpp>
#endif
#if __has_include(<pugixml.hpp>)
#include <pugixml.hpp>
#endif
#if __has_include(<zip.h>)
#include <zip.h>
#endif
#if __has_include(<ft2build.h>)
#include <ft2build.h>
#include FT_FREETYPE_H
#include FT_BBOX_H
#include FT_OUTLINE_H
#include FT_TRUETYPE_TABLES_H
#endif
#if __has_include(<librsvg/rsvg.h>)
#include <librsvg/rsvg.h>
#endif
