#include <glyphdiff/glyphdiff.hpp>

glyphdiff::Version version_seen_by_second();

int main() { return version_seen_by_second().major == glyphdiff::version.major ? 0 : 1; }
