#include "src/base/wtf8.h"

#include <catch2/catch_test_macros.hpp>
#include <string>

using namespace memtrace;

namespace {

std::string encoded(std::uint32_t character) {
  char bytes[kLongestWtf8];
  const std::size_t length = encode_wtf8(character, bytes);
  REQUIRE(length == wtf8_length(character));
  const std::string text(bytes, length);
  const CodePoint decoded = decode_one(text + "a");
  CHECK(decoded.value == character);
  CHECK(decoded.length == length);
  return text;
}

}  // namespace

TEST_CASE("characters of each length") {
  CHECK(encoded(0) == std::string(1, '\0'));
  CHECK(encoded(0x7f) == "\x7f");
  CHECK(encoded(0x80) == "\xc2\x80");
  CHECK(encoded(0x7ff) == "\xdf\xbf");
  CHECK(encoded(0x800) == "\xe0\xa0\x80");
  CHECK(encoded(0xdc80) == "\xed\xb2\x80");
  CHECK(encoded(0xffff) == "\xef\xbf\xbf");
  CHECK(encoded(0x10000) == "\xf0\x90\x80\x80");
  CHECK(encoded(0x10ffff) == "\xf4\x8f\xbf\xbf");
}

TEST_CASE("text is WTF-8 or not") {
  for (const std::string_view good : {"", "a", "caf\xC3\xA9", "\xE2\x82\xAC", "\xF4\x8F\xBF\xBF", "\xED\xA0\x80"})
    CHECK(is_wtf8(good));
  for (const std::string_view bad : {"\x80", "\xC3", "\xC0\x80", "\xC1\xBF", "\xE0\x80\x80", "\xE2\x82",
                                     "\xF0\x80\x80\x80", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "a\xFE"})
    CHECK_FALSE(is_wtf8(bad));
}
