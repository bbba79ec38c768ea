#include "files.hpp"

#include <glyphdiff/checkpoint/pickle.hpp>
#include <glyphdiff/checkpoint/pickle_writer.hpp>

#include <doctest/doctest.h>

namespace checkpoint_pickle_tests {

using namespace glyphdiff;
using namespace std::string_literals;

namespace {

std::string const start = "\x80\x02";

std::string error(std::string const& bytes) {
  return files::message_of<Error>([&] { read_pickle(bytes, "p"); });
}
std::string error_after_start(std::string const& bytes) { return error(start + bytes); }

Pickle read(std::string const& bytes) { return read_pickle(start + bytes, "p"); }

std::string text(std::string const& value) {
  return PickleWriter().text(value).finish().substr(2, 5 + value.size());
}

/// A storage of `count` numbers with this key.
std::string storage(int count, std::string const& key = "0", std::string const& view = "") {
  return "(" + text("storage") + "ctorch\nFloatStorage\n" + text(key) + text("cpu") + "K" + char(count) +
         view + "tQ";
}

std::string tensor(std::string const& where, int offset, std::string const& shape,
                   std::string const& strides) {
  return "ctorch._utils\n_rebuild_tensor_v2\n(" + where + "K" + char(offset) + shape + strides +
         "\x89"
         "ccollections\nOrderedDict\n)RtR";
}

}  // namespace

TEST_CASE("plain values") {
  CHECK(read("N.").root->as<PickleNone>() != nullptr);
  CHECK(*read("\x88.").root->as<bool>());
  CHECK_FALSE(*read("\x89.").root->as<bool>());
  CHECK(*read("K\xff.").root->as<std::int64_t>() == 255);
  CHECK(*read("M\xff\xff.").root->as<std::int64_t>() == 65535);
  CHECK(*read("J\xff\xff\xff\xff.").root->as<std::int64_t>() == -1);
  CHECK(*read("\x8a\x00."s).root->as<std::int64_t>() == 0);
  CHECK(*read("\x8a\x02\xff\x7f.").root->as<std::int64_t>() == 32767);
  CHECK(*read("\x8a\x02\x00\xff."s).root->as<std::int64_t>() == 0xff00 - 0x10000);
  CHECK(*read("\x8a\x08\0\0\0\0\0\0\0\x80."s).root->as<std::int64_t>() == INT64_MIN);
  CHECK(*read("G\x3f\xf0\0\0\0\0\0\0."s).root->as<double>() == 1.0);
  CHECK(*read("U\x02"
              "ab.")
             .root->as<std::string>() == "ab");
  CHECK(*read("X\x02\0\0\0ab."s).root->as<std::string>() == "ab");
}

TEST_CASE("lists, tuples and dicts in order, and values that are shared") {
  Pickle const list = read(
      "](K\x01K\x02"
      "eK\x03"
      "a.");
  REQUIRE(list.root->items()->size() == 3);
  CHECK(*(*list.root->items())[2]->as<std::int64_t>() == 3);
  Pickle const tuple = read("(K\x01)K\x02\x85K\x03K\x04\x86t.");
  REQUIRE(tuple.root->items()->size() == 4);
  CHECK((*tuple.root->items())[1]->items()->empty());
  Pickle const dict = read(
      "}(U\x01zK\x01U\x01"
      "aK\x02uK\x07Ns.");
  auto const& pairs = dict.root->as<PickleDict>()->pairs;
  REQUIRE(pairs.size() == 3);
  CHECK(*pairs[0].first->as<std::string>() == "z");
  CHECK(*dict.root->find("a")->as<std::int64_t>() == 2);
  Pickle const shared = read("](K\x05q\x01h\x01r\x02\x01\0\0j\x02\x01\0\0e."s);
  CHECK((*shared.root->items())[0] == (*shared.root->items())[2]);
}

TEST_CASE("an OrderedDict may be empty, filled, or given pairs, and have attributes") {
  CHECK(read("ccollections\nOrderedDict\n)R.").root->as<PickleDict>()->pairs.empty());
  Pickle const filled = read(
      "ccollections\nOrderedDict\n)RU\x01"
      "aK\x01s}U\x09_metadataK\x01sb.");
  CHECK(filled.root->as<PickleDict>()->pairs.size() == 1);
  Pickle const pairs = read(
      "ccollections\nOrderedDict\n](](U\x01"
      "aK\x01"
      "e](U\x01"
      "bK\x02"
      "ee\x85R.");
  CHECK(*pairs.root->find("b")->as<std::int64_t>() == 2);
}

TEST_CASE("tensors and Parameters, in parts of storages too") {
  Pickle const p = read(tensor(storage(6), 1, "K\x02K\x02\x86", "K\x03K\x01\x86") + ".");
  auto const* const t = p.root->as<PickleTensor>();
  REQUIRE(t != nullptr);
  CHECK(t->storage.key == "0");
  CHECK(t->storage.dtype == "F32");
  CHECK(t->storage.count == 6);
  CHECK(t->offset == 1);
  CHECK(t->shape == std::vector<std::int64_t>{2, 2});
  CHECK(t->strides == std::vector<std::int64_t>{3, 1});

  std::string const plain = tensor(storage(6), 0, ")", ")");
  CHECK(read("ctorch._utils\n_rebuild_parameter\n(" + plain + "\x88)tR.").root->as<PickleTensor>() !=
        nullptr);

  // A part of numbers 2 to 4, of which the tensor's begins at the second one.
  std::string const part = storage(6, "0", "(U\x01vK\x02K\x03t");
  CHECK(read(tensor(part, 1, "K\x02\x85", "K\x01\x85") + ".").root->as<PickleTensor>()->offset == 3);
  CHECK(error_after_start(tensor(part, 2, "K\x02\x85", "K\x01\x85") + ".")
            .starts_with("p: expected a tensor within its storage of 3 numbers, found one beyond it"));
  CHECK(error_after_start(tensor(storage(6, "0", "(U\x01vK\x04K\x03t"), 0, ")", ")") + ".") != "no error");
  CHECK(read(tensor(storage(6, "0", "N"), 5, ")", ")") + ".").root->as<PickleTensor>()->offset == 5);
}

TEST_CASE("tensors beyond their storages are refused") {
  auto const refused = [&](int offset, std::string const& shape, std::string const& strides) {
    return error_after_start(tensor(storage(6), offset, shape, strides) + ".");
  };
  CHECK(refused(0, "K\x06\x85", "K\x01\x85") == "no error");
  CHECK(refused(1, "K\x06\x85", "K\x01\x85") != "no error");
  CHECK(refused(6, ")", ")") != "no error");
  CHECK(refused(6, "K\x00\x85"s, "K\x01\x85") == "no error");
  CHECK(refused(0, "K\x02\x85", "K\x06\x85") != "no error");
  CHECK(refused(0, "J\xff\xff\xff\xff\x85", "K\x01\x85") != "no error");
  CHECK(refused(0, "K\x02\x85", "J\xff\xff\xff\xff\x85") != "no error");
  CHECK(refused(0, "K\x02\x85", ")") != "no error");
  std::string const large = "\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f";
  CHECK(refused(0, large + large + "\x86", "K\x01K\x01\x86") != "no error");
  CHECK(refused(0, large + large + "\x86", "K\x00K\x00\x86"s) != "no error");
  CHECK(refused(0, large + "\x85", "K\x00\x85"s) != "no error");
  CHECK(refused(0, "K\x02\x85", large + "\x85") != "no error");
}

TEST_CASE("what could run code is refused by name and place") {
  CHECK(error_after_start("cos\nsystem\n(U\x02lstR.") ==
        "p: expected what files of tensors hold, found the global \"os system\" at byte 2 of the pickle");
  CHECK(error_after_start("cbuiltins\neval\n.") != "no error");
  CHECK(error_after_start("ctorch._utils\n_rebuild_tensor\n.") != "no error");
  CHECK(error_after_start("c\n\n.") != "no error");
  CHECK(error_after_start("cos") != "no error");
  CHECK(
      error_after_start("U\x02lsi") ==
      "p: expected an opcode that files of tensors hold, found the opcode 0x69 (i) at byte 6 of the pickle");
  for (int opcode = 0; opcode < 256; ++opcode)
    if (std::string("(NJKMGUTX}])taesuqrhjcQRb.\x80\x88\x89\x8a\x85\x86\x87").find(char(opcode)) ==
        std::string::npos) {
      CAPTURE(opcode);
      CHECK(error_after_start("N" + std::string(1, char(opcode)) + std::string(20, '\0'))
                .find("an opcode that files of tensors hold") != std::string::npos);
    }
  CHECK(error("\x80\x04K\x01.") != "no error");
  CHECK(error("K\x01.") != "no error");
  CHECK(error("") != "no error");
}

TEST_CASE("a stack that doesn't hold what an opcode needs is refused") {
  for (char const* const bytes : {".",
                                  "(.",
                                  "K\x01K\x01.",
                                  "t.",
                                  "a.",
                                  "]a.",
                                  "e.",
                                  "](.",
                                  "K\x01K\x01"
                                  "a.",
                                  "K\x01(K\x01"
                                  "e.",
                                  "}(K\x01u.",
                                  "]K\x01K\x01s.",
                                  "}K\x01s.",
                                  "\x85.",
                                  "K\x01\x86.",
                                  "(K\x01\x86.",
                                  "q\x01.",
                                  "h\x01.",
                                  "Q.",
                                  "K\x01Q.",
                                  ")Q.",
                                  "R.",
                                  ")R.",
                                  "K\x01)R.",
                                  "ccollections\nOrderedDict\nK\x01R.",
                                  "ccollections\nOrderedDict\nK\x01\x85R.",
                                  "b.",
                                  "}b.",
                                  "]}b.",
                                  "ctorch._utils\n_rebuild_parameter\n)R.",
                                  "ctorch._utils\n_rebuild_tensor_v2\n)R.",
                                  "ctorch\nFloatStorage\n)R."}) {
    CAPTURE(bytes);
    CHECK(error_after_start(bytes) != "no error");
  }
}

TEST_CASE("values that contain themselves, are too deep or have a key twice are refused") {
  CHECK(error_after_start("]q\x01h\x01"
                          "a.") == "p: expected values in a tree, found one that contains itself");
  CHECK(error_after_start("}q\x01U\x01"
                          "a](h\x01"
                          "es.") != "no error");
  std::string deep = "]", closing;
  for (int i = 0; i < 64; ++i) deep += "]", closing += "a";
  CHECK(error_after_start(deep + closing + ".") == "no error");
  CHECK(error_after_start("]" + deep + closing + "a.") ==
        "p: expected at most 64 levels of values, found more");
  CHECK(error_after_start(std::string(100'000, ']') + std::string(99'999, 'a') + ".") != "no error");
  CHECK(error_after_start("}(U\x01"
                          "aK\x01U\x01"
                          "aK\x02u.") == "p: expected every key of a dict once, found a twice");
  CHECK(error_after_start("}(K\x01K\x01\x88K\x02u.") != "no error");
  CHECK(error_after_start("}(]K\x01u.") != "no error");
}

TEST_CASE("a small pickle can't become a large one") {
  // Thirty-two lists, each of the one before a thousand times.
  std::string bomb = "]q";
  bomb += char(0);
  for (int level = 1; level < 32; ++level) {
    bomb += "](";
    for (int i = 0; i < 1000; ++i) bomb += std::string("h") + char(level - 1);
    bomb += std::string("eq") + char(level);
  }
  bomb = "(" + bomb + "t.";
  CHECK(error_after_start(bomb) == "no error");  // thirty-two values, visited once each

  // Thirty thousand copies of a list of pairs.
  std::string copies = "](";
  for (int i = 0; i < 1000; ++i) copies += std::string("M") + char(i & 255) + char(i >> 8) + "N\x86";
  copies += "e\x85q\x01(";
  for (int i = 0; i < 30'000; ++i) copies += "ccollections\nOrderedDict\nh\x01R";
  CHECK(error_after_start(copies + "t\x86.").find("at most 1000000 pairs") != std::string::npos);

  CHECK(error_after_start("]" + std::string(1'000'001, ')') + ".").find("at most 1000000 values") !=
        std::string::npos);
  CHECK(error_after_start("X\xff\xff\xff\xff"
                          "a.") ==
        "p: expected 4294967295 more bytes of the pickle at byte 7, found 2; the file is cut short");
  CHECK(error_after_start(tensor(storage(6, std::string(300, 'k')), 0, ")", ")") + ".") != "no error");
}

TEST_CASE("a pickle cut short or changed anywhere is an Error or another pickle") {
  std::string bytes = PickleWriter()
                          .begin_ordered_dict()
                          .text("in.weight")
                          .tensor("0", {2, 3})
                          .text("options")
                          .begin_dict()
                          .text("lr")
                          .real(1e-4)
                          .integer(7)
                          .begin_list()
                          .none()
                          .boolean(true)
                          .end_list()
                          .end_dict()
                          .end_ordered_dict()
                          .finish();
  CHECK(error(bytes) == "no error");
  for (std::size_t length = 0; length < bytes.size(); ++length)
    CHECK(error(bytes.substr(0, length)) != "no error");
  int refused = 0;
  for (std::size_t at = 0; at < bytes.size(); ++at)
    for (int change = 1; change < 256; ++change) {
      std::string changed = bytes;
      changed[at] = char(changed[at] ^ change);
      refused += error(changed) != "no error";
    }
  CHECK(refused > 10'000);
}

}  // namespace checkpoint_pickle_tests
