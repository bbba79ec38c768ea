#include <glyphdiff/io/html.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <vector>

namespace io_html_tests {

using namespace glyphdiff;

TEST_CASE("pictures in pages, text in HTML") {
  auto const text = [](std::string const& bytes) {
    return base64(std::vector<std::uint8_t>(bytes.begin(), bytes.end()));
  };
  CHECK(text("") == "");
  CHECK(text("f") == "Zg==");
  CHECK(text("fo") == "Zm8=");
  CHECK(text("foob") == "Zm9vYg==");
  CHECK(text("foobar") == "Zm9vYmFy");
  CHECK(html_text("a<b>&\"") == "a&lt;b&gt;&amp;&quot;");
  std::string const picture = html_picture(Image(2, 3, 1), "a \"letter\"");
  CHECK(picture.starts_with("<img alt=\"a &quot;letter&quot;\" src=\"data:image/png;base64,iVBORw0KGgo"));
  CHECK(picture.ends_with("\">"));
}

}  // namespace io_html_tests
