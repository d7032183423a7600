// What the model tests do not reach: coverage, failing memory, size.
#include "src/table/block_table.h"

#include <catch2/catch_test_macros.hpp>
#include <cstdint>
#include <memory>

#include "tests/support/fail_each.h"

using namespace memtrace;

namespace {

const void* at(std::uint64_t address) { return reinterpret_cast<const void*>(address); }
constexpr auto kNothingThere = [](const Block&) { FAIL("nothing was there"); };

}  // namespace

TEST_CASE("addresses of 48 bits are covered where they are aligned to 16 bytes") {
  CHECK(BlockTable::covers(at(0x7fff'ffff'fff0)));
  CHECK(BlockTable::covers(at((std::uint64_t{1} << 48) - 16)));
  CHECK_FALSE(BlockTable::covers(at(0x7fff'ffff'fff8)));
  CHECK_FALSE(BlockTable::covers(at(0x7fff'ffff'fff1)));
  CHECK_FALSE(BlockTable::covers(at(std::uint64_t{1} << 48)));
}

TEST_CASE("what was never entered is not there, and asking takes no memory") {
  const auto table = std::make_unique<BlockTable>();
  CHECK_FALSE(table->find(at(0x1000)));
  CHECK_FALSE(table->take(at(0x1000)));
  CHECK(table->code_at(at(0x1000)) == kNone);
  CHECK_FALSE(table->exchange_record(at(0x1000), [] { return RecordId{1}; }));
  CHECK(table->resident_bytes() == 0);
  CHECK(table->verify());
}

TEST_CASE("four bytes of slots serve sixteen of address space, by the page") {
  const auto table = std::make_unique<BlockTable>();
  for (std::uint64_t i = 0; i < 4096; ++i) REQUIRE(table->add(at(0x7f00'0000'0000 + i * 64), 1, 64, kNothingThere));
  CHECK(table->resident_bytes() <= 4096 * 64 / 4 + 2 * os::page_size());
}

TEST_CASE("a region that cannot be had changes nothing, and the next attempt may succeed") {
  for (const bool mark : {false, true}) {
    const std::int64_t needed = test::fail_each([mark](std::int64_t n) {
      const auto table = std::make_unique<BlockTable>();
      const auto enter = [&] {
        return mark ? table->mark_code(at(0x5000), 7) : table->add(at(0x5000), 7, 100, [](const Block&) {});
      };
      bool entered = false;
      {
        const test::Failing failing(n);
        entered = enter();
      }
      CHECK(entered == (fault::failures.load() == 0));
      CHECK(bool{table->find(at(0x5000))} == entered);
      CHECK(table->verify());
      CHECK(enter());
      const Block block = table->take(at(0x5000));
      CHECK((mark ? block.code : block.record) == 7);
    });
    CHECK(needed == 2);
  }
}

TEST_CASE("an empty block is not taken for a code object") {
  CHECK_FALSE(Block{});
  CHECK(Block{.record = 1});
  CHECK(Block{.code = 1});
}
