#include "src/mem/mapped.h"

#include <catch2/catch_test_macros.hpp>
#include <cstdint>

#include "tests/support/fail_each.h"

using namespace memtrace;

namespace {

struct Sparse {
  explicit Sparse(int* alive) noexcept : alive_(alive) { ++*alive_; }
  ~Sparse() { --*alive_; }
  int* alive_;
  char room[1 << 20];
};

}  // namespace

TEST_CASE("a mapped object commits only what it touches") {
  int alive = 0;
  Sparse* object = make_mapped<Sparse>(&alive);
  REQUIRE(object != nullptr);
  CHECK(alive == 1);
  CHECK(mapped_bytes<Sparse>() >= sizeof(Sparse));
  CHECK(mapped_bytes<Sparse>() % os::page_size() == 0);
  CHECK(os::resident_bytes(object, mapped_bytes<Sparse>()) <= 2 * os::page_size());
  object->room[sizeof object->room - 1] = 1;
  CHECK(object->room[1 << 19] == 0);
  destroy_mapped(object);
  CHECK(alive == 0);
  destroy_mapped<Sparse>(nullptr);
}

TEST_CASE("a mapped object that cannot be had is never constructed") {
  int alive = 0;
  const test::Failing failing(0);
  CHECK(make_mapped<Sparse>(&alive) == nullptr);
  CHECK(alive == 0);
}
