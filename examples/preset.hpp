// The network that a program is compiled for: GLYPHDIFF_PRESET names one of <glyphdiff/presets.hpp>.
#pragma once

#include <glyphdiff/presets.hpp>

#define GLYPHDIFF_TEXT_OF(name) #name
#define GLYPHDIFF_NAME_OF(name) GLYPHDIFF_TEXT_OF(name)

using NamedPreset = glyphdiff::presets::GLYPHDIFF_PRESET;
inline constexpr char const* preset_name = GLYPHDIFF_NAME_OF(GLYPHDIFF_PRESET);

#if defined(GLYPHDIFF_GRAY)
using ColouredPreset = glyphdiff::presets::Gray<NamedPreset>;
#else
using ColouredPreset = NamedPreset;
#endif
#if defined(GLYPHDIFF_RECOMPUTE)
using Preset = glyphdiff::presets::Recomputed<ColouredPreset>;
#else
using Preset = ColouredPreset;
#endif
