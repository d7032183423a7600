#include "src/tracer/recent_records.h"

#include <catch2/catch_test_macros.hpp>
#include <map>
#include <memory>

#include "src/mem/fault.h"
#include "src/tracer/place.h"
#include "tests/support/fail_each.h"
#include "tests/support/random.h"

using namespace memtrace;

namespace {

// Asks for `count` places below `parents` round and round, as a loop does, and tells how many of the last round were not
// remembered.
std::size_t misses_of_loop(RecentRecords& recent, std::uint32_t count, std::uint32_t parents = 7) {
  std::size_t misses = 0;
  for (int round = 0; round < 100; ++round) {
    misses = 0;
    for (std::uint32_t i = 1; i <= count; ++i) {
      const std::uint64_t place = place_of(i % parents + 1, i);
      if (recent.find(place, 1) != kNone) continue;
      ++misses;
      recent.remember(place, 1, i);
    }
  }
  return misses;
}

}  // namespace

TEST_CASE("what is remembered is what was said last, of the same place and context") {
  const auto recent = std::make_unique<RecentRecords>();
  std::map<std::pair<std::uint64_t, ContextId>, RecordId> said;
  test::Random random(5);
  std::size_t known = 0;
  for (RecordId record = 1; record <= 200'000; ++record) {
    const auto parent = static_cast<NodeId>(1 + random.below(40));
    const std::uint64_t place = place_of(parent, static_cast<SiteId>(1 + random.below(400)));
    const auto context = static_cast<ContextId>(1 + random.below(2));
    const RecordId found = recent->find(place, context);
    if (found != kNone) {
      REQUIRE(found == said.at({place, context}));
      ++known;
    }
    recent->remember(place, context, record);
    said[{place, context}] = record;
    REQUIRE(recent->find(place, context) == record);
  }
  CHECK(known > 50'000);
  recent->forget();
  for (const auto& [asked, record] : said) REQUIRE(recent->find(asked.first, asked.second) == kNone);
}

TEST_CASE("a thread in many places gets the room for them") {
  const auto recent = std::make_unique<RecentRecords>();
  const std::size_t at_first = heap::allocated_bytes();
  CHECK(misses_of_loop(*recent, 500, 1) == 0);
  CHECK(heap::allocated_bytes() == at_first);
  CHECK(misses_of_loop(*recent, 6'000) < 3'000);
  CHECK(heap::allocated_bytes() > at_first);
  // More than there is ever room for.
  misses_of_loop(*recent, 200'000);
  CHECK(heap::allocated_bytes() - at_first < 300'000);
  recent->shrink();
  CHECK(heap::allocated_bytes() == at_first);
  misses_of_loop(*recent, 6'000);
  recent->forget();
  CHECK(heap::allocated_bytes() == at_first);
  CHECK(recent->find(place_of(2, 1), 1) == kNone);
}

TEST_CASE("without memory for more room, what there is serves on") {
  const auto recent = std::make_unique<RecentRecords>();
  {
    const test::Failing failing(0, true);
    CHECK(misses_of_loop(*recent, 6'000) > 3'000);
    CHECK(fault::failures.load() > 1);
    recent->remember(place_of(1, 1), 1, 77);
    CHECK(recent->find(place_of(1, 1), 1) == 77);
  }
  CHECK(misses_of_loop(*recent, 6'000) < 3'000);
}
