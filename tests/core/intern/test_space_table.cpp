#include "src/intern/space_table.h"

#include <catch2/catch_test_macros.hpp>
#include <set>

using namespace memtrace;

TEST_CASE("Python's blocks are in space 0, and each other domain and upper part of an address in one of its own") {
  SpaceTable table;
  CHECK(table.find(0, 0x7fff'ffff'ffff) == SpaceId{0});
  CHECK(table.intern(0, 8) == SpaceId{0});
  CHECK_FALSE(table.find(389047, 8));
  std::set<SpaceId> spaces{0};
  for (const Domain domain : {1u, 389047u, ~0u})
    for (const std::uint64_t upper : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{0xffff}}) {
      const auto space = table.intern(domain, upper << 48 | 8);
      REQUIRE(space);
      CHECK(spaces.insert(*space).second);
      CHECK(table.find(domain, upper << 48 | 4096) == space);
      CHECK(table.intern(domain, upper << 48) == space);
    }
  CHECK(table.intern(0, std::uint64_t{1} << 48) != SpaceId{0});
}

TEST_CASE("spaces run out after 65,535, and those that there are stay") {
  SpaceTable table;
  for (Domain domain = 1; domain <= SpaceTable::kMaxSpaces; ++domain) REQUIRE(table.intern(domain, 0));
  CHECK_FALSE(table.intern(SpaceTable::kMaxSpaces + 1, 0));
  CHECK(table.intern(SpaceTable::kMaxSpaces, 0));
  CHECK(table.intern(0, 0) == SpaceId{0});
}
