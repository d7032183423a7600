// What the model tests do not reach: failing memory, size.
#include "src/table/address_table.h"

#include <catch2/catch_test_macros.hpp>
#include <cstdint>

#include "tests/support/fail_each.h"
#include "tests/support/random.h"

using namespace memtrace;

TEST_CASE("one address in two spaces is two blocks") {
  AddressTable table;
  Block replaced;
  REQUIRE(table.add(1, 8, 10, 100, replaced));
  REQUIRE(table.add(2, 8, 20, 200, replaced));
  CHECK_FALSE(replaced);
  CHECK(table.find(1, 8).record == 10);
  CHECK(table.take(2, 8).size == 200);
  CHECK_FALSE(table.find(2, 8));
  CHECK(table.find(1, 8).size == 100);
  CHECK_FALSE(table.find(3, 8));
}

TEST_CASE("memory follows the blocks that live at one time, not those that ever did") {
  constexpr std::uint64_t kLive = 3000;
  AddressTable table;
  Block replaced;
  std::uint64_t first = 1;
  std::uint64_t next = 1;
  const auto replace_all = [&] {
    for (std::uint64_t i = 0; i < kLive; ++i) {
      if (next - first == kLive) table.take(7, first++ * 24);
      REQUIRE(table.add(7, next++ * 24, 2, i, replaced));
      REQUIRE_FALSE(replaced);
    }
  };
  // Where the blocks meet is chance: the longest chains take a while to come up.
  for (int round = 0; round < 30; ++round) replace_all();
  const std::size_t before = table.resident_bytes();
  CHECK(before > kLive * 20);
  for (int round = 0; round < 100; ++round) replace_all();
  CHECK(table.resident_bytes() <= before * 2);
  std::uint64_t seen = 0;
  table.for_each([&](SpaceId, std::uint64_t, const Block&) { ++seen; });
  CHECK(seen == kLive);
}

TEST_CASE("a growth that fails changes nothing, and the next may succeed") {
  constexpr std::uint64_t kBlocks = 10'000;
  const std::int64_t needed = test::fail_each([](std::int64_t n) {
    AddressTable table;
    Block replaced;
    std::uint64_t added = 0;
    {
      const test::Failing failing(n);
      while (added < kBlocks && table.add(0, 8 + added * 16, 1, added, replaced)) ++added;
      if (added < kBlocks) CHECK_FALSE(table.find(0, 8 + added * 16));
    }
    for (std::uint64_t i = 0; i < added; ++i) REQUIRE(table.find(0, 8 + i * 16).size == i);
    std::uint64_t seen = 0;
    table.for_each([&](SpaceId, std::uint64_t, const Block&) { ++seen; });
    CHECK(seen == added);
    CHECK(table.add(0, 8 + added * 16, 1, added, replaced));
    CHECK(table.take(0, 8 + added * 16).size == added);
  });
  // Directories and chained buckets.
  CHECK(needed > 2);
}
