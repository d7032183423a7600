#include "src/intern/string_table.h"

#include <catch2/catch_test_macros.hpp>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/fail_each.h"
#include "tests/support/random.h"
#include "tests/support/threads.h"

using namespace memtrace;

namespace {

// Few different ones, of all sizes, with zero bytes and what is not UTF-8.
std::string random_text(test::Random& random) {
  std::string text(random.below(random.one_in(50) ? 5000 : 12), '\0');
  for (char& byte : text) byte = random.pick("ab\xff\0");
  return text;
}

}  // namespace

TEST_CASE("a text has one id, an id one text") {
  const auto table = std::make_unique<StringTable>();
  std::map<std::string, StringId> model;
  test::Random random(1);
  for (int i = 0; i < 20'000; ++i) {
    const std::string text = random_text(random);
    const StringId id = table->intern(text);
    REQUIRE(id != kNone);
    REQUIRE(model.try_emplace(text, id).first->second == id);
  }
  std::map<StringId, std::string> texts;
  for (const auto& [text, id] : model) {
    CHECK(table->get(id) == text);
    CHECK(texts.emplace(id, text).second);
  }
}

TEST_CASE("the empty text is a text") {
  const auto table = std::make_unique<StringTable>();
  const StringId empty = table->intern("");
  CHECK(empty != kNone);
  CHECK(table->intern("") == empty);
  CHECK(table->get(empty).empty());
}

TEST_CASE("a text that is too long is refused, and the next is not") {
  const auto table = std::make_unique<StringTable>();
  CHECK(table->intern(std::string(ByteArena::kChunkSize + 1, 'x')) == kNone);
  const std::string longest(ByteArena::kChunkSize, 'x');
  CHECK(table->get(table->intern(longest)) == longest);
}

TEST_CASE("a text for which there was no memory can be had later") {
  const auto needed = test::fail_each([](std::int64_t n) {
    const auto table = std::make_unique<StringTable>();
    StringId id = kNone;
    {
      const test::Failing failing(n);
      id = table->intern("text");
    }
    CHECK((id != kNone) == (fault::failures.load() == 0));
    const StringId again = table->intern("text");
    CHECK(table->get(again) == "text");
    CHECK(table->intern("text") == again);
  });
  CHECK(needed > 0);
}

TEST_CASE("threads that intern the same texts get ids of these texts") {
  const auto table = std::make_unique<StringTable>();
  constexpr int kThreads = 4;
  constexpr int kTexts = 3000;
  std::vector<std::vector<StringId>> ids(kThreads, std::vector<StringId>(kTexts));
  test::run_together(kThreads, [&](int thread) {
    for (int i = 0; i < kTexts; ++i) ids[thread][i] = table->intern(std::to_string(i));
  });
  for (int i = 0; i < kTexts; ++i)
    for (int thread = 0; thread < kThreads; ++thread) CHECK(table->get(ids[thread][i]) == std::to_string(i));
}
