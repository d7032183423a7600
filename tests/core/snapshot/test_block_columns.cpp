#include "snapshot/block_columns.h"

#include <catch2/catch_test_macros.hpp>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "tests/support/random.h"

using memtrace::snapshot::BlockColumns;

namespace {

using Blocks = std::vector<std::pair<std::uint32_t, std::uint64_t>>;

Blocks contents(const BlockColumns& columns) {
  Blocks blocks;
  for (std::size_t i = 0; i < columns.count(); ++i) blocks.emplace_back(columns.owner(i), columns.size(i));
  return blocks;
}

}  // namespace

TEST_CASE("owners and sizes of every width come back") {
  constexpr std::uint32_t kMost = std::numeric_limits<std::uint32_t>::max();
  for (const std::uint32_t largest : {0u, 1u, 255u, 256u, kMost >> 1, kMost}) {
    BlockColumns columns(largest);
    Blocks expected;
    for (int bits = 0; bits <= 64; ++bits) {
      const std::uint64_t size = bits == 64 ? ~std::uint64_t{0} : std::uint64_t{1} << bits;
      for (const std::uint64_t near : {size - 1, size, size + 1}) {
        const std::uint32_t owner = bits % 2 == 0 ? largest : 0;
        columns.append(owner, near);
        expected.emplace_back(owner, near);
      }
    }
    CHECK(contents(columns) == expected);
  }
}

TEST_CASE("columns make room for owners larger than foreseen, and keep what they have") {
  memtrace::test::Random random(1);
  BlockColumns columns;
  Blocks expected;
  for (std::uint64_t limit = 1; limit <= std::uint64_t{1} << 32; limit <<= 1) {
    for (int i = 0; i < 50; ++i) {
      const auto owner = static_cast<std::uint32_t>(random.below(limit));
      const std::uint64_t size = random.below(std::uint64_t{1} << random.below(40));
      columns.append(owner, size);
      expected.emplace_back(owner, size);
    }
  }
  CHECK(contents(columns) == expected);
}

TEST_CASE("owners are replaced in place, blocks of nobody left out") {
  constexpr std::uint32_t kNobody = std::numeric_limits<std::uint32_t>::max();
  memtrace::test::Random random(2);
  BlockColumns columns(1000);
  Blocks expected;
  const auto replaced = [](std::uint32_t owner) { return owner % 3 == 0 ? kNobody : owner / 3; };
  for (int i = 0; i < 5000; ++i) {
    const auto owner = static_cast<std::uint32_t>(random.below(1001));
    const std::uint64_t size = random.below(std::uint64_t{1} << random.below(40));
    columns.append(owner, size);
    if (replaced(owner) != kNobody) expected.emplace_back(replaced(owner), size);
  }
  columns.replace_owners(replaced, kNobody);
  CHECK(contents(columns) == expected);
  CHECK(columns.all_owners([](std::uint32_t owner) { return owner <= 333; }));
  CHECK_FALSE(columns.all_owners([](std::uint32_t owner) { return owner < 333; }));
}

TEST_CASE("small blocks of few owners take four bytes each") {
  BlockColumns columns(100'000);
  columns.reserve(1000);
  for (int i = 0; i < 1000; ++i) columns.append(100'000, (1 << 15) - 2);
  CHECK(columns.memory() == 4000);
}
