#include <glyphdiff/glyphdiff.hpp>

glyphdiff::Version version_seen_by_second();
glyphdiff::Version version_seen_by_second() { return glyphdiff::version; }
