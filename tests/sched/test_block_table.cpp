#include "src/table/block_table.h"

#include <catch2/catch_test_macros.hpp>
#include <cstdint>
#include <map>
#include <memory>

#include "tests/sched/scheduled_atomic.h"
#include "tests/support/random.h"

using namespace memtrace;
using sched::ScheduledAtomic;

namespace {

using Table = BasicBlockTable<ScheduledAtomic>;

// The first region that a walk comes to, at its beginning: the owners are not done yet when it gets there.
constexpr std::uint64_t kBase = 0;

// Three granules for each place, enough for any block.
const void* place(std::uint64_t index) { return reinterpret_cast<const void*>(kBase + index * 48); }

// A block's record tells its size, so that parts of two blocks show.
std::uint64_t size_of(RecordId record) {
  const std::uint64_t sizes[] = {record % 17, 20 + record, (1u << 28) + record, (5ull << 28) + record * 3};
  return sizes[record % 4];
}
bool is_whole(const Block& block) { return block.size == size_of(block.record); }

void add(Table& table, std::uint64_t index, RecordId record, int& failures) {
  failures += !table.add(place(index), record, size_of(record), [&](const Block&) { ++failures; });
}

}  // namespace

TEST_CASE("a walk beside the blocks' owners sees whole blocks, and all that stay") {
  sched::for_each_seed(sched::seeds(1500), [](std::uint64_t seed) {
    auto table = std::make_unique<Table>();
    int failures = 0;
    for (std::uint64_t i = 1; i < 12; i += 2) add(*table, i, static_cast<RecordId>(i), failures);
    const auto owner = [&](std::uint64_t first) {
      return [&, first] {
        test::Random random(seed * 2 + first);
        for (int i = 0; i < 6; ++i) {
          const std::uint64_t index = first + 4 * random.below(3);
          const auto record = static_cast<RecordId>(100 + random.below(40));
          if (!table->take(place(index)) || random.one_in(2)) add(*table, index, record, failures);
        }
      };
    };
    std::map<std::uint64_t, int> seen;
    bool whole = true;
    const auto walker = [&] {
      table->for_each([&](std::uint64_t address, const Block& block) {
        whole &= is_whole(block);
        ++seen[(address - kBase) / 48];
      });
    };
    sched::run(seed, {owner(0), owner(2), walker});
    REQUIRE(failures == 0);
    REQUIRE(whole);
    for (std::uint64_t i = 1; i < 12; i += 2) REQUIRE(seen[i] == 1);
    for (const auto& [index, times] : seen) REQUIRE(times == 1);
    REQUIRE(table->verify());
  });
}

TEST_CASE("a block that gets another record is seen with the one or the other") {
  sched::for_each_seed(sched::seeds(1500), [](std::uint64_t seed) {
    auto table = std::make_unique<Table>();
    const bool large = seed % 3 == 0;
    const std::uint64_t size = large ? (9ull << 28) + 7 : seed % 3 == 1 ? 100 : 16;
    REQUIRE(table->add(place(0), 1, size, [](const Block&) {}));
    int strange = 0;
    const auto reader = [&] {
      for (int i = 0; i < 4; ++i) {
        const Block block = table->find(place(0));
        strange += block.size != size || block.record < 1 || block.record > 4 || block.code != kNone;
      }
    };
    const auto owner = [&] {
      for (RecordId record = 2; record <= 4; ++record)
        strange += table->exchange_record(place(0), [&] { return record; }).record != record - 1;
    };
    sched::run(seed, {owner, reader, reader});
    REQUIRE(strange == 0);
    REQUIRE(table->find(place(0)).record == 4);
  });
}

TEST_CASE("threads that mark one code object agree, and its block stays in sight") {
  sched::for_each_seed(sched::seeds(2000), [](std::uint64_t seed) {
    auto table = std::make_unique<Table>();
    // A block of the trace, or a code object that is older than it; as a rule the code has one id.
    const bool traced = seed % 2 == 0;
    const CodeId other = seed % 5 == 0 ? 8 : 7;
    if (traced) REQUIRE(table->add(place(0), 5, 200, [](const Block&) {}));
    REQUIRE(table->add(place(1), 6, 10, [](const Block&) {}));
    int strange = 0;
    const auto marker = [&](CodeId code) {
      return [&, code] {
        strange += !table->mark_code(place(0), code);
        const CodeId marked = table->code_at(place(0));
        strange += marked != 7 && marked != other;
      };
    };
    const auto reader = [&] {
      const CodeId code = table->code_at(place(0));
      strange += code != kNone && code != 7 && code != other;
      const Block block = table->find(place(0));
      strange += traced ? block.record != 5 || block.size != 200 : block.record != kNone || block.size != 0;
      strange += table->find(place(1)).record != 6;
    };
    sched::run(seed, {marker(7), marker(other), reader});
    REQUIRE(strange == 0);
    const Block block = table->take(place(0));
    REQUIRE((block.code == 7 || block.code == other));
    REQUIRE(block.record == (traced ? 5u : kNone));
    REQUIRE(table->verify());
    REQUIRE(table->code_at(place(0)) == kNone);
  });
}

TEST_CASE("threads that touch a region first keep one another's blocks") {
  sched::for_each_seed(sched::seeds(1000), [](std::uint64_t seed) {
    auto table = std::make_unique<Table>();
    int failures = 0;
    const auto body = [&](std::uint64_t index) {
      return [&, index] {
        add(*table, index, static_cast<RecordId>(index + 1), failures);
        failures += table->find(place(index)).record != index + 1;
        // Another region of the same gigabytes.
        add(*table, index + (1 << 20), static_cast<RecordId>(index + 9), failures);
      };
    };
    sched::run(seed, {body(0), body(1), body(2)});
    REQUIRE(failures == 0);
    for (std::uint64_t index = 0; index < 3; ++index) {
      REQUIRE(table->find(place(index)).record == index + 1);
      REQUIRE(table->find(place(index + (1 << 20))).record == index + 9);
    }
  });
}
