#pragma once

/// JSON for checkpoints. What reads and writes it are templates on nlohmann::json, whose instances are in the
/// library glyphdiff::prebuilt_checkpoint; what links that one compiles no JSON.
#if defined(GLYPHDIFF_PREBUILT_CHECKPOINT)
#include <nlohmann/json_fwd.hpp>
#define GLYPHDIFF_DECLARE_JSON_FUNCTION(...) extern template decltype(__VA_ARGS__) __VA_ARGS__;
#define GLYPHDIFF_DECLARE_JSON(LIST) LIST(GLYPHDIFF_DECLARE_JSON_FUNCTION, nlohmann::json)
#else
#include <nlohmann/json.hpp>
#define GLYPHDIFF_DECLARE_JSON(LIST)
#endif
