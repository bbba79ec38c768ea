#pragma once

namespace glyphdiff {

/// Training objectives. `squared_error`: the mean squared error of the prediction, to which a learned
/// variance adds the variational bound with the predicted mean detached; otherwise the bound alone, mean and
/// variance. The bound, in bits per dimension, is multiplied by bound_scale(T).

/// The simple loss (Ho et al. 2020, equation 14); with a learned variance L_hybrid of one term of the bound.
struct Mse {
  static constexpr bool squared_error = true;
  static double bound_scale(int) { return 1; }
};

/// The bound scaled so that its weight doesn't depend on T: L_hybrid of Nichol & Dhariwal 2021 (section 3.1),
/// in which the whole bound, T terms, weighs 0.001.
struct RescaledMse {
  static constexpr bool squared_error = true;
  static double bound_scale(int steps) { return steps / 1000.0; }
};

/// One term of the variational bound.
struct Kl {
  static constexpr bool squared_error = false;
  static double bound_scale(int) { return 1; }
};

/// An estimate of the whole bound: L_vlb of Nichol & Dhariwal 2021.
struct RescaledKl {
  static constexpr bool squared_error = false;
  static double bound_scale(int steps) { return steps; }
};

/// Whether a type is one of these.
template <class Objective>
inline constexpr bool is_objective = false;
template <>
inline constexpr bool is_objective<Mse> = true;
template <>
inline constexpr bool is_objective<RescaledMse> = true;
template <>
inline constexpr bool is_objective<Kl> = true;
template <>
inline constexpr bool is_objective<RescaledKl> = true;

/// What takes an objective asks for ValidObjective<Objective>::value, which doesn't compile for another type.
template <class Objective>
struct ValidObjective {
  static_assert(
      is_objective<Objective>,
      "Objective: one of Mse, RescaledMse, Kl and RescaledKl, since a loss of another type's own would not "
      "be called");
  static constexpr bool value = is_objective<Objective>;
};

}  // namespace glyphdiff
