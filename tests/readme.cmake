# The program in README.md is examples/minimal.cpp, which the build compiles.
file(READ "${ROOT}/README.md" readme)
file(READ "${ROOT}/examples/minimal.cpp" example)
string(FIND "${readme}" "```cpp\n${example}```" found)
if(found EQUAL -1)
  message(FATAL_ERROR "README.md: expected the text of examples/minimal.cpp between ```cpp and ```, found another one")
endif()
