#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "snapshot/pattern.h"

using memtrace::snapshot::Pattern;

namespace {

struct Case {
  std::string_view pattern, name;
  bool matches;
};

constexpr Case kCases[] = {
#include "tests/core/snapshot/pattern_cases.inc"
};

bool naive_match(std::string_view pattern, std::string_view name) {
  if (pattern.empty()) return name.empty();
  if (pattern[0] == '*') {
    return naive_match(pattern.substr(1), name) || (!name.empty() && naive_match(pattern, name.substr(1)));
  }
  return !name.empty() && (pattern[0] == '?' || pattern[0] == name[0]) &&
         naive_match(pattern.substr(1), name.substr(1));
}

}  // namespace

TEST_CASE("patterns match as Python's fnmatch") {
  for (const Case& item : kCases) {
    INFO("pattern " << item.pattern << ", name " << item.name);
    CHECK(Pattern(item.pattern).matches(item.name) == item.matches);
  }
}

TEST_CASE("stars and question marks agree with the naive matcher") {
  std::mt19937 random(1);
  const auto draw = [&](std::string_view alphabet, std::size_t longest) {
    std::string text(random() % (longest + 1), ' ');
    for (char& c : text) c = alphabet[random() % alphabet.size()];
    return text;
  };
  for (int i = 0; i < 20000; ++i) {
    const std::string pattern = draw("ab?**", 7), name = draw("ab", 9);
    INFO("pattern " << pattern << ", name " << name);
    REQUIRE(Pattern(pattern).matches(name) == naive_match(pattern, name));
  }
}

TEST_CASE("bytes that are no text count as one character each") {
  CHECK(Pattern("??").matches("\x80\xFF"));
  CHECK(Pattern("\x80?").matches("\x80\xFF"));
  CHECK_FALSE(Pattern("\x80").matches("\x81"));
  CHECK_FALSE(
      Pattern("?").matches("\xC3"
                           "a"));
}

TEST_CASE("a pattern of many stars takes no exponential time") {
  std::string pattern;
  for (int i = 0; i < 200; ++i) pattern += "*a";
  CHECK_FALSE(Pattern(pattern + "b").matches(std::string(5000, 'a')));
}
