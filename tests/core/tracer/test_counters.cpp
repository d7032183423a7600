#include "src/tracer/counters.h"

#include <catch2/catch_test_macros.hpp>
#include <map>
#include <memory>
#include <vector>

#include "tests/support/random.h"

using namespace memtrace;

TEST_CASE("live, at the peak and in total are what a log of all events says") {
  const auto counters = std::make_unique<Counters>();
  constexpr RecordId kRecords = 20;
  for (RecordId record = 1; record < kRecords; ++record) REQUIRE(counters->ensure(record));
  std::map<RecordId, Amount> live;
  std::map<RecordId, Amount> at_peak;
  std::map<RecordId, Amount> total;
  std::vector<std::pair<RecordId, std::uint64_t>> blocks;
  std::uint64_t bytes = 0;
  std::uint64_t peak = 0;
  std::uint32_t epoch = 1;
  test::Random random(11);
  for (int i = 0; i < 50'000; ++i) {
    // Grows and shrinks in turn.
    if (blocks.empty() || random.below(1000) < (i / 2000 % 2 == 0 ? 600 : 400)) {
      const auto record = static_cast<RecordId>(1 + random.below(kRecords - 1));
      const std::uint64_t size = random.below(1000);
      counters->allocated(record, size, epoch);
      blocks.emplace_back(record, size);
      live[record] = {live[record].count + 1, live[record].bytes + size};
      total[record] = {total[record].count + 1, total[record].bytes + size};
      bytes += size;
      if (bytes > peak) {
        peak = bytes;
        at_peak = live;
        ++epoch;
      }
    } else {
      std::swap(blocks[random.below(blocks.size())], blocks.back());
      const auto [record, size] = blocks.back();
      blocks.pop_back();
      counters->freed(record, size, epoch, [] { return false; });
      live[record] = {live[record].count - 1, live[record].bytes - size};
      bytes -= size;
    }
    if (i % 100 != 0) continue;
    for (RecordId record = 1; record < kRecords; ++record) {
      REQUIRE(counters->live(record) == live[record]);
      REQUIRE(counters->at_peak(record, epoch) == at_peak[record]);
      REQUIRE(counters->total(record) == total[record]);
    }
  }
}

TEST_CASE("after an epoch that wrapped, what was saved before does not count") {
  const auto counters = std::make_unique<Counters>();
  REQUIRE(counters->ensure(1));
  counters->allocated(1, 10, 0xffff'ffff);
  counters->forget_epochs(2);
  CHECK(counters->at_peak(1, 1).bytes == 10);
  counters->allocated(1, 5, 1);
  CHECK(counters->at_peak(1, 1).bytes == 10);
  CHECK(counters->live(1).bytes == 15);
}

TEST_CASE("a record that has no counters yet says so") {
  const auto counters = std::make_unique<Counters>();
  CHECK_FALSE(counters->has(1));
  CHECK_FALSE(counters->has(kThreadRecords + 1));
  REQUIRE(counters->ensure(kThreadRecords + 1));
  CHECK(counters->has(kThreadRecords + 1));
  CHECK_FALSE(counters->has(1));
  CHECK_FALSE(counters->ensure(kRecordLimit));
}
