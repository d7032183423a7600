#include "src/mem/fault.h"

#include <catch2/catch_test_macros.hpp>
#include <string>

#include "tests/support/fail_each.h"

using namespace memtrace;

namespace {

// The next eight answers: '.' for success.
std::string outcome() {
  std::string text;
  for (int i = 0; i < 8; ++i) text += fault::should_fail() ? 'F' : '.';
  return text;
}

}  // namespace

TEST_CASE("nothing fails unless asked for") {
  fault::disarm();
  CHECK(outcome() == "........");
}

TEST_CASE("one allocation fails, the one that was asked for") {
  for (const auto& [after, expected] : {std::pair{0, "F......."}, std::pair{3, "...F...."}, std::pair{8, "........"}}) {
    const test::Failing failing(after, false);
    CHECK(outcome() == expected);
  }
}

TEST_CASE("a failure that stays fails all that follow, and is counted") {
  {
    const test::Failing failing(5, true);
    CHECK(outcome() == ".....FFF");
    CHECK(outcome() == "FFFFFFFF");
    CHECK(fault::failures.load() == 11);
  }
  CHECK(outcome() == "........");
}

TEST_CASE("fail_each walks up to the first number that is too large to fail") {
  std::string seen;
  const auto needed = test::fail_each([&](std::int64_t n) {
    const test::Failing failing(n);
    for (int i = 0; i < 3; ++i) seen += fault::should_fail() ? 'F' : '.';
    seen += ' ';
  });
  CHECK(needed == 3);
  CHECK(seen == "FFF .FF ..F ... ");
}
