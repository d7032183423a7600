#include "src/table/reached_objects.h"

#include <catch2/catch_test_macros.hpp>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "tests/support/random.h"

using memtrace::ReachedObjects;

namespace {

const void* address(std::uint64_t number) { return reinterpret_cast<const void*>(0x7f0000000000 + number * 16); }

}  // namespace

TEST_CASE("objects are numbered as they are met") {
  ReachedObjects reached;
  CHECK(reached.find(address(1)) == 0);
  CHECK(reached.last() == 0);
  CHECK(reached.meet(address(7)) == 1);
  CHECK(reached.meet(address(3)) == 2);
  CHECK(reached.meet(address(7)) == 1);
  CHECK(reached.find(address(3)) == 2);
  CHECK(reached.find(address(4)) == 0);
  CHECK(reached.last() == 2);
  CHECK(reached.address(2) == address(3));
}

TEST_CASE("references are counted, looks are not") {
  ReachedObjects reached;
  reached.meet(address(1));
  CHECK(reached.references(1) == 0);
  reached.meet_by_reference(address(1));
  reached.meet_by_reference(address(1));
  reached.meet(address(1));
  CHECK(reached.references(1) == 2);
  CHECK(reached.parent(1) == 0);
  reached.set_parent(1, 0x80000005);
  CHECK(reached.parent(1) == 0x80000005);
}

TEST_CASE("what was met stays as the table grows") {
  memtrace::test::Random random(20);
  ReachedObjects reached;
  std::unordered_map<const void*, std::uint32_t> numbers;
  std::vector<std::uint32_t> references{0};
  for (int i = 0; i < 200'000; ++i) {
    // Side by side, as small objects lie, and far from one another.
    const bool is_near = random.one_in(2);
    const void* const object = address(is_near ? random.below(30'000) : random.below(1u << 30));
    const auto [expected, is_new] = numbers.emplace(object, static_cast<std::uint32_t>(numbers.size() + 1));
    if (is_new) references.push_back(0);
    const bool by_reference = !random.one_in(3);
    const std::uint32_t number = by_reference ? reached.meet_by_reference(object) : reached.meet(object);
    if (by_reference) ++references[expected->second];
    REQUIRE(number == expected->second);
    if (is_new) reached.set_parent(number, number / 2);
  }
  REQUIRE(reached.last() == numbers.size());
  for (const auto& [object, number] : numbers) {
    REQUIRE(reached.find(object) == number);
    REQUIRE(reached.address(number) == object);
    REQUIRE(reached.references(number) == references[number]);
    REQUIRE(reached.parent(number) == number / 2);
  }
  CHECK(reached.find(address(1ull << 31)) == 0);
}
