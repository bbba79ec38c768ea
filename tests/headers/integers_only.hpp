#pragma once

// std::to_string of a floating-point number asks the locale for its point, so the library calls it with
// integers alone; number_text.hpp writes the others.
#include <string>
#include <type_traits>

namespace std {

template <class T>
requires std::is_integral_v<T> std::string to_string_of_integer(T value) { return std::to_string(value); }

}  // namespace std

#define to_string to_string_of_integer
