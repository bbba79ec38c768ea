#include "golden.hpp"

#include <doctest/doctest.h>
#include <xtensor/xnpy.hpp>

template <class T>
golden::Array<T> golden::array(std::string const& name) {
  auto const loaded = xt::load_npy<T>(path(name + ".npy"));
  return {{loaded.shape().begin(), loaded.shape().end()}, {loaded.begin(), loaded.end()}};
}
template golden::Array<float> golden::array(std::string const&);
template golden::Array<double> golden::array(std::string const&);
template golden::Array<std::int64_t> golden::array(std::string const&);

TEST_CASE("the golden models are whole") {
  struct {
    char const* name;
    std::int64_t parameters;
    double sum, sum_of_squares;
  } const expected[] = {{"adm_tiny", 828358, 1530.8680360865262, 3137.8475278368574},
                        {"iddpm_tiny", 1134214, 1618.0577496620615, 3336.6759647165286},
                        {"cond_tiny", 999649, 1919.5580364840982, 7423.139491443698}};
  for (auto const& e : expected) {
    CAPTURE(e.name);
    golden::Model const model(e.name);
    CHECK(model.parameter_count() == e.parameters);
    CHECK(model.config()["parameters"] == e.parameters);
    std::int64_t end = 0;
    for (auto const& t : model.tensors()) {
      CHECK(t.offset == end);
      end = t.offset + t.size;
    }
    auto const values = model.parameters();
    double sum = 0, squares = 0;
    for (float const x : values) sum += x, squares += double(x) * x;
    CHECK(golden::near(sum, e.sum, 1e-12));
    CHECK(golden::near(squares, e.sum_of_squares, 1e-12));
    // The parameters after ten updates with a learning rate of 1e-3 aren't far; nothing else is as near.
    CHECK(model.difference("train_final_ema", values) < 0.2);
    CHECK(model.difference("backward_dparams", values) > 1);
  }
}

TEST_CASE("channels last and back") {
  auto const x = golden::Model("adm_tiny").array("forward_x");
  auto const images = golden::nchw_to_nhwc(x);
  CHECK(images.extent(0) == 2);
  CHECK(images.extent(3) == 3);
  CHECK(images(1, 2, 4, 2) == x.values[((1 * 3 + 2) * 16 + 2) * 16 + 4]);
  CHECK(golden::nhwc_to_nchw(images).values == x.values);
  CHECK(golden::relative_difference(golden::nhwc_to_nchw(images), x) == 0);
}
