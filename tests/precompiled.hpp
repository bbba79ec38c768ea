#pragma once

// What most test files include, compiled once (target_precompile_headers). Every file includes what it needs
// all the same.
#include <glyphdiff/glyphdiff.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <limits>
#include <map>
#include <memory>
#include <random>
#include <sstream>
#include <string>
#include <vector>
