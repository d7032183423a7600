// What the model tests do not reach: limits, failing memory, size.
#include "src/table/address_table.h"

#include <catch2/catch_test_macros.hpp>
#include <cstdint>

#include "tests/support/fail_each.h"

using namespace memtrace;

namespace {

const void* at(std::uint64_t address) { return reinterpret_cast<const void*>(address); }

}  // namespace

TEST_CASE("addresses of 48 bits are covered, at any alignment") {
  CHECK(AddressTable::covers(at(1)));
  CHECK(AddressTable::covers(at((std::uint64_t{1} << 48) - 1)));
  CHECK_FALSE(AddressTable::covers(at(std::uint64_t{1} << 48)));
  CHECK_FALSE(AddressTable::covers(at(~std::uint64_t{0})));
}

TEST_CASE("one address in two domains is two blocks") {
  AddressTable table;
  Block replaced;
  REQUIRE(table.add(1, at(8), 10, 100, replaced));
  REQUIRE(table.add(2, at(8), 20, 200, replaced));
  CHECK_FALSE(replaced);
  CHECK(table.find(1, at(8)).record == 10);
  CHECK(table.take(2, at(8)).size == 200);
  CHECK_FALSE(table.find(2, at(8)));
  CHECK(table.find(1, at(8)).size == 100);
  CHECK_FALSE(table.find(3, at(8)));
}

TEST_CASE("memory grows with the addresses, not with the events") {
  AddressTable table;
  Block replaced;
  for (std::uint64_t i = 0; i < 1000; ++i) REQUIRE(table.add(0, at(8 + i * 16), 1, i, replaced));
  const auto use_all = [&](std::uint64_t round) {
    for (std::uint64_t i = 0; i < 1000; ++i) {
      table.take(0, at(8 + i * 16));
      REQUIRE(table.add(0, at(8 + i * 16), 2, round, replaced));
    }
  };
  use_all(0);
  const std::size_t before = table.resident_bytes();
  CHECK(before > 0);
  for (std::uint64_t round = 1; round < 50; ++round) use_all(round);
  CHECK(table.resident_bytes() == before);
}

TEST_CASE("a growth that fails changes nothing, and the next may succeed") {
  const std::int64_t needed = test::fail_each([](std::int64_t n) {
    AddressTable table;
    Block replaced;
    std::uint64_t added = 0;
    {
      const test::Failing failing(n);
      while (added < 500 && table.add(0, at(8 + added * 16), 1, added, replaced)) ++added;
      if (added < 500) CHECK_FALSE(table.find(0, at(8 + added * 16)));
    }
    for (std::uint64_t i = 0; i < added; ++i) REQUIRE(table.find(0, at(8 + i * 16)).size == i);
    std::uint64_t seen = 0;
    table.for_each([&](std::uint16_t, std::uint64_t, const Block&) { ++seen; });
    CHECK(seen == added);
    CHECK(table.add(0, at(8 + added * 16), 1, added, replaced));
    CHECK(table.take(0, at(8 + added * 16)).size == added);
  });
  CHECK(needed == 3);
}
