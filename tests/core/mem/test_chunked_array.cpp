#include "src/mem/chunked_array.h"

#include <algorithm>
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <cstdint>
#include <vector>

#include "tests/support/fail_each.h"
#include "tests/support/scale.h"
#include "tests/support/threads.h"

using namespace memtrace;

namespace {

struct Element {
  std::uint64_t value;
  std::uint32_t check;
};
// 64 elements a chunk, 16 chunks: every limit is near.
using Small = ChunkedArray<Element, 6, 16>;
using SmallAppend = AppendArray<Element, 6, 16>;

}  // namespace

TEST_CASE("elements are there once ensured, zeroed, and never move") {
  Small array;
  CHECK_FALSE(array.has(0));
  CHECK(array.resident_bytes() == 0);
  REQUIRE(array.ensure(70));
  CHECK(array.has(64));
  CHECK(array.has(127));
  CHECK_FALSE(array.has(63));
  CHECK_FALSE(array.has(128));
  for (std::uint32_t i = 64; i < 128; ++i) CHECK(array[i].value == 0);
  Element* place = &array[70];
  place->value = 7;
  REQUIRE(array.ensure(0));
  REQUIRE(array.ensure(70));
  CHECK(&array[70] == place);
  CHECK(array[70].value == 7);
  CHECK(array.resident_bytes() >= os::page_size());
}

TEST_CASE("the limit is the last element") {
  Small array;
  CHECK(Small::kLimit == 1024);
  CHECK(array.ensure(1023));
  CHECK_FALSE(array.ensure(1024));
  CHECK_FALSE(array.ensure(~0u));
  CHECK_FALSE(array.has(1024));
  CHECK_FALSE(array.has(~0u));
}

TEST_CASE("appended ids count from 1 to the limit, and not beyond") {
  SmallAppend array;
  CHECK(array.end() == 1);
  for (std::uint32_t id = 1; id < 1024; ++id) REQUIRE(array.append() == id);
  CHECK(array.end() == 1024);
  CHECK(array.append() == 0);
  CHECK(array.end() == 1024);
}

TEST_CASE("a chunk that cannot be had costs nothing but the attempt") {
  const std::int64_t needed = test::fail_each([](std::int64_t n) {
    SmallAppend array;
    std::uint32_t got = 0;
    {
      const test::Failing failing(n);
      while (got < 200 && array.append() != 0) ++got;
    }
    if (got < 200) {
      REQUIRE(got == (n == 0 ? 0 : n * 64 - 1));
      CHECK_FALSE(array.has(got + 1));
    }
    REQUIRE(array.append() == got + 1);
    REQUIRE(array.end() == got + 2);
  });
  CHECK(needed == 4);
}

TEST_CASE("threads that append get each id once, and elements nobody else writes") {
  constexpr int kThreads = 3;
  using Large = AppendArray<Element, 8, 4096>;
  Large array;
  const std::uint32_t each = test::scaled(100'000u);
  std::vector<std::uint32_t> ids[kThreads];
  std::atomic<int> dirty{0};
  test::run_together(kThreads, [&](int thread) {
    for (std::uint32_t i = 0; i < each; ++i) {
      const std::uint32_t id = array.append();
      dirty += id == 0 || array[id].value != 0;
      array[id] = {id * 3u, static_cast<std::uint32_t>(thread)};
      ids[thread].push_back(id);
    }
  });
  CHECK(dirty == 0);
  CHECK(array.end() == each * kThreads + 1);
  std::vector<std::uint32_t> all;
  for (int thread = 0; thread < kThreads; ++thread) {
    for (const std::uint32_t id : ids[thread])
      if (array[id].value != id * 3u || array[id].check != static_cast<std::uint32_t>(thread))
        FAIL("element " << id << " is damaged");
    all.insert(all.end(), ids[thread].begin(), ids[thread].end());
  }
  std::sort(all.begin(), all.end());
  CHECK(std::adjacent_find(all.begin(), all.end()) == all.end());
}
