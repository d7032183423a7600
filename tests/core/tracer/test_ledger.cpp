#include "src/tracer/ledger.h"

#include <catch2/catch_test_macros.hpp>
#include <map>
#include <memory>

#include "tests/support/fail_each.h"
#include "tests/support/random.h"

using namespace memtrace;

TEST_CASE("a ledger sums the frees of each record") {
  const auto ledger = std::make_unique<Ledger>();
  std::map<RecordId, Amount> model;
  std::map<RecordId, Amount> temporary;
  test::Random random(5);
  for (int i = 0; i < 20'000; ++i) {
    const auto record = static_cast<RecordId>(1 + random.below(3000));
    const std::uint64_t bytes = random.below(1u << 20);
    const bool was_temporary = random.one_in(3);
    REQUIRE(ledger->freed(record, bytes, 1, was_temporary));
    model[record] = {model[record].count + 1, model[record].bytes + bytes};
    if (was_temporary) temporary[record] = {temporary[record].count + 1, temporary[record].bytes + bytes};
  }
  for (RecordId record = 1; record <= 3001; ++record) {
    const Amount found = ledger->freed_of(record);
    CHECK(found.count == model[record].count);
    CHECK(found.bytes == model[record].bytes);
    CHECK(ledger->temporary_of(record) == temporary[record]);
  }
}

TEST_CASE("a ledger knows what had been freed at the peak") {
  const auto ledger = std::make_unique<Ledger>();
  std::map<RecordId, Amount> model;
  std::map<RecordId, Amount> at_peak;
  std::uint32_t epoch = 1;
  test::Random random(6);
  for (int i = 0; i < 20'000; ++i) {
    if (random.one_in(100)) {
      ++epoch;
      at_peak = model;
    }
    const auto record = static_cast<RecordId>(1 + random.below(50));
    REQUIRE(ledger->freed(record, record, epoch, false));
    model[record] = {model[record].count + 1, model[record].bytes + record};
    const auto other = static_cast<RecordId>(1 + random.below(50));
    REQUIRE(ledger->freed_at_peak(other, epoch) == at_peak[other]);
  }
}

TEST_CASE("a free that a ledger has no memory for is not half in it") {
  const auto needed = test::fail_each([](std::int64_t n) {
    const auto ledger = std::make_unique<Ledger>();
    bool noted = false;
    {
      const test::Failing failing(n);
      noted = ledger->freed(9, 100, 1, false);
    }
    CHECK(noted == (fault::failures.load() == 0));
    CHECK(ledger->freed_of(9).bytes == (noted ? 100 : 0));
    REQUIRE(ledger->freed(9, 1, 1, false));
    CHECK(ledger->freed_of(9).bytes == (noted ? 101 : 1));
  });
  CHECK(needed > 0);
}
