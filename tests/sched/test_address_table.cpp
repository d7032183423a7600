#include "src/table/address_table.h"

#include <catch2/catch_test_macros.hpp>
#include <cstdint>
#include <map>
#include <vector>

#include "src/mem/fault.h"
#include "tests/sched/scheduled_atomic.h"
#include "tests/support/random.h"

using namespace memtrace;
using sched::ScheduledAtomic;

namespace {

using Table = BasicAddressTable<ScheduledAtomic>;

// As many as one chain of the first directory takes before the table grows.
constexpr std::uint64_t kChain = 6 * 3;

// Addresses that meet in one chain, of the first directory and of the next.
std::uint64_t address(std::uint64_t index) {
  static std::vector<std::uint64_t> found;
  for (std::uint64_t next = found.empty() ? 8 : found.back() + 16; found.size() <= index; next += 16)
    if ((hash64(&next, sizeof next) & 1023) == 5) found.push_back(next);
  return found[index];
}
std::uint64_t size_of(RecordId record) { return record * 10; }

void add(Table& table, std::uint64_t index, RecordId record, int& failures) {
  Block replaced;
  failures += !table.add(0, address(index), record, size_of(record), replaced);
}

// Two threads with four blocks each that come and go, and one that walks over the table.
void come_and_go(std::uint64_t seed, Table& table, std::uint64_t resident) {
  int failures = 0;
  for (std::uint64_t i = 0; i < resident; ++i) add(table, i, 1, failures);
  const auto owner = [&](std::uint64_t thread) {
    return [&, thread] {
      test::Random random(seed * 2 + thread);
      const std::uint64_t first = 100 + thread * 10;
      for (std::uint64_t i = 0; i < 4; ++i) add(table, first + i, static_cast<RecordId>(10 + i), failures);
      for (int i = 0; i < 4; ++i) {
        const std::uint64_t index = first + random.below(4);
        if (random.one_in(2)) failures += !table.take(0, address(index));
        add(table, index, static_cast<RecordId>(20 + random.below(20)), failures);
      }
    };
  };
  std::map<std::uint64_t, int> seen;
  bool whole = true;
  const auto walker = [&] {
    table.for_each([&](SpaceId, std::uint64_t at, const Block& block) {
      whole &= block.size == size_of(block.record);
      ++seen[at];
    });
  };
  sched::run(seed, {owner(0), owner(1), walker});
  REQUIRE(failures == 0);
  REQUIRE(whole);
  for (std::uint64_t i = 0; i < resident; ++i) REQUIRE(seen[address(i)] == 1);
  for (std::uint64_t thread = 0; thread < 2; ++thread)
    for (std::uint64_t i = 0; i < 4; ++i) REQUIRE(table.find(0, address(100 + thread * 10 + i)).record >= 10);
}

}  // namespace

TEST_CASE("threads that share a chain lose nothing, and a walk sees whole blocks") {
  sched::for_each_seed(sched::seeds(1500), [](std::uint64_t seed) {
    Table table;
    come_and_go(seed, table, 1);
  });
}

TEST_CASE("threads that add while the table grows lose nothing, and a walk sees whole blocks") {
  sched::for_each_seed(sched::seeds(1500), [](std::uint64_t seed) {
    Table table;
    come_and_go(seed, table, kChain - 3);
  });
}

TEST_CASE("two threads that take the same block, against the rules, take nothing twice") {
  sched::for_each_seed(sched::seeds(500), [](std::uint64_t seed) {
    Table table;
    int failures = 0;
    add(table, 0, 7, failures);
    int taken = 0;
    const auto body = [&] { taken += bool{table.take(0, address(0))}; };
    sched::run(seed, {body, body, [&] { add(table, 1, 8, failures); }});
    REQUIRE(taken + bool{table.find(0, address(0))} + bool{table.find(0, address(1))} == 2);
  });
}

TEST_CASE("where the table cannot grow a chain gets longer, and without memory nothing is lost") {
  sched::for_each_seed(sched::seeds(500), [](std::uint64_t seed) {
    Table table;
    int failures = 0;
    for (std::uint64_t i = 0; i < kChain - 1; ++i) add(table, i, 1, failures);
    REQUIRE(failures == 0);
    fault::arm(0, true);
    const auto body = [&](std::uint64_t thread) {
      return [&, thread] {
        for (std::uint64_t i = 0; i < 6; ++i) add(table, 100 + thread * 10 + i, 2, failures);
        failures += bool{table.find(0, address(90))};
      };
    };
    sched::run(seed, {body(0), body(1), body(2)});
    fault::disarm();
    REQUIRE(failures == 0);
    for (std::uint64_t i = 0; i < kChain - 1; ++i) REQUIRE(table.find(0, address(i)).record == 1);
    for (std::uint64_t thread = 0; thread < 3; ++thread)
      for (std::uint64_t i = 0; i < 6; ++i) REQUIRE(table.find(0, address(100 + thread * 10 + i)).record == 2);
  });
}
