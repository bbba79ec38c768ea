#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <glyphdiff/runtime.hpp>

int main(int argc, char** argv) {
  glyphdiff::Runtime runtime(argc, argv);
  return doctest::Context(argc, argv).run();
}
