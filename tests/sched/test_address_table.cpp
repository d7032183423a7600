#include "src/table/address_table.h"

#include <catch2/catch_test_macros.hpp>
#include <cstdint>
#include <map>

#include "src/mem/fault.h"
#include "tests/sched/scheduled_atomic.h"
#include "tests/support/random.h"

using namespace memtrace;
using sched::ScheduledAtomic;

namespace {

using Table = BasicAddressTable<ScheduledAtomic>;

constexpr std::uint64_t kFull = 128 / 4 * 3;

const void* address(std::uint64_t index) { return reinterpret_cast<const void*>(0x1008 + index * 24); }
std::uint64_t size_of(RecordId record) { return record * 10; }

void add(Table& table, std::uint64_t index, RecordId record, int& failures) {
  Block replaced;
  failures += !table.add(0, address(index), record, size_of(record), replaced);
}

}  // namespace

TEST_CASE("threads that add while the table grows lose nothing, and a walk sees whole blocks") {
  sched::for_each_seed(sched::seeds(1500), [](std::uint64_t seed) {
    Table table;
    int failures = 0;
    for (std::uint64_t i = 0; i < kFull - 3; ++i) add(table, i, 1, failures);
    const auto owner = [&](std::uint64_t thread) {
      return [&, thread] {
        test::Random random(seed * 2 + thread);
        for (std::uint64_t i = 0; i < 4; ++i)
          add(table, 1000 + thread * 100 + i, static_cast<RecordId>(10 + i), failures);
        for (int i = 0; i < 4; ++i) {
          const std::uint64_t index = 1000 + thread * 100 + random.below(4);
          if (random.one_in(2)) failures += !table.take(0, address(index));
          add(table, index, static_cast<RecordId>(20 + random.below(20)), failures);
        }
      };
    };
    std::map<std::uint64_t, int> seen;
    bool whole = true;
    const auto walker = [&] {
      table.for_each([&](std::uint16_t, std::uint64_t at, const Block& block) {
        whole &= block.size == size_of(block.record);
        ++seen[(at - 0x1008) / 24];
      });
    };
    sched::run(seed, {owner(0), owner(1), walker});
    REQUIRE(failures == 0);
    REQUIRE(whole);
    for (std::uint64_t i = 0; i < kFull - 3; ++i) REQUIRE(seen[i] == 1);
    for (std::uint64_t thread = 0; thread < 2; ++thread)
      for (std::uint64_t i = 0; i < 4; ++i) REQUIRE(table.find(0, address(1000 + thread * 100 + i)).record >= 10);
  });
}

TEST_CASE("a table that cannot grow takes no more, and a look-up still ends") {
  sched::for_each_seed(sched::seeds(500), [](std::uint64_t seed) {
    Table table;
    int failures = 0;
    for (std::uint64_t i = 0; i < kFull - 1; ++i) add(table, i, 1, failures);
    REQUIRE(failures == 0);
    fault::arm(0, true);
    int refused = 0;
    const auto body = [&](std::uint64_t thread) {
      return [&, thread] {
        for (std::uint64_t i = 0; i < 12; ++i) add(table, 1000 + thread * 100 + i, 2, refused);
        failures += bool{table.find(0, address(5000))};
      };
    };
    sched::run(seed, {body(0), body(1), body(2)});
    fault::disarm();
    REQUIRE(failures == 0);
    REQUIRE(refused >= 33);
    REQUIRE(refused <= 35);
    for (std::uint64_t i = 0; i < kFull - 1; ++i) REQUIRE(table.find(0, address(i)).record == 1);
  });
}
