#include "src/mem/heap.h"

#include <catch2/catch_test_macros.hpp>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

#include "tests/support/fail_each.h"
#include "tests/support/random.h"
#include "tests/support/scale.h"
#include "tests/support/threads.h"

using namespace memtrace;

namespace {

struct Counted {
  explicit Counted(int* alive) : alive_(alive) { ++*alive_; }
  ~Counted() { --*alive_; }
  int* alive_;
};

}  // namespace

TEST_CASE("allocated_bytes follows what is allocated") {
  const std::size_t before = heap::allocated_bytes();
  void* block = heap::allocate(1000);
  REQUIRE(block != nullptr);
  std::memset(block, 1, 1000);
  CHECK(heap::allocated_bytes() >= before + 1000);
  heap::release(block);
  CHECK(heap::allocated_bytes() == before);
  heap::release(nullptr);
  CHECK(heap::allocated_bytes() == before);
}

TEST_CASE("make and destroy run constructor and destructor") {
  int alive = 0;
  Counted* object = heap::make<Counted>(&alive);
  REQUIRE(object != nullptr);
  CHECK(alive == 1);
  heap::destroy(object);
  CHECK(alive == 0);
  heap::destroy<Counted>(nullptr);

  const test::Failing failing(0);
  CHECK(heap::make<Counted>(&alive) == nullptr);
  CHECK(alive == 0);
}

TEST_CASE("a buffer keeps what it is told to keep, and is zero beyond") {
  heap::Buffer<std::uint32_t> buffer;
  CHECK(buffer.capacity() == 0);
  std::vector<std::uint32_t> model;
  test::Random random(1);
  for (std::size_t size = 1; size < 5000; size += 1 + random.below(40)) {
    const std::size_t before = buffer.capacity();
    REQUIRE(buffer.reserve(size, model.size()));
    REQUIRE(buffer.capacity() >= size);
    for (std::size_t i = before; i < buffer.capacity(); ++i) REQUIRE(buffer[i] == 0);
    for (std::size_t i = 0; i < model.size(); ++i) REQUIRE(buffer[i] == model[i]);
    while (model.size() < size) {
      model.push_back(static_cast<std::uint32_t>(random.next()));
      buffer[model.size() - 1] = model.back();
    }
  }
}

TEST_CASE("a buffer that cannot grow stays as it was") {
  heap::Buffer<int> buffer;
  REQUIRE(buffer.reserve(10, 0));
  for (int i = 0; i < 10; ++i) buffer[static_cast<std::size_t>(i)] = i;
  const std::size_t capacity = buffer.capacity();
  const int* data = buffer.data();
  {
    const test::Failing failing(0);
    CHECK_FALSE(buffer.reserve(capacity + 1, 10));
    CHECK(buffer.reserve(capacity, 10));
  }
  CHECK_FALSE(buffer.reserve(std::numeric_limits<std::size_t>::max() / sizeof(int) + 2, 10));
  CHECK(buffer.capacity() == capacity);
  CHECK(buffer.data() == data);
  for (int i = 0; i < 10; ++i) CHECK(buffer[static_cast<std::size_t>(i)] == i);
  CHECK(buffer.reserve(capacity + 1, 10));
  for (int i = 0; i < 10; ++i) CHECK(buffer[static_cast<std::size_t>(i)] == i);
}

TEST_CASE("threads that allocate and free one another's blocks find them intact") {
  constexpr int kThreads = 3;
  constexpr std::size_t kSlots = 64;
  const int rounds = test::scaled(20'000);
  struct Payload {
    std::uint64_t size;
    std::uint64_t check;
  };
  const std::size_t before = heap::allocated_bytes();
  std::vector<std::atomic<Payload*>> slots(kSlots);
  std::atomic<int> damaged{0};
  const auto discard = [&](Payload* payload) {
    if (payload == nullptr) return;
    const auto* bytes = reinterpret_cast<const unsigned char*>(payload + 1);
    for (std::uint64_t i = 0; i < payload->size; ++i)
      damaged += bytes[i] != static_cast<unsigned char>(payload->check + i);
    heap::release(payload);
  };
  test::run_together(kThreads, [&](int thread) {
    test::Random random(static_cast<std::uint64_t>(thread) + 1);
    for (int i = 0; i < rounds; ++i) {
      const std::uint64_t size = random.below(300);
      auto* payload = static_cast<Payload*>(heap::allocate(sizeof(Payload) + size));
      *payload = {size, random.next()};
      auto* bytes = reinterpret_cast<unsigned char*>(payload + 1);
      for (std::uint64_t j = 0; j < size; ++j) bytes[j] = static_cast<unsigned char>(payload->check + j);
      discard(slots[random.below(kSlots)].exchange(payload, std::memory_order_acq_rel));
    }
  });
  for (auto& slot : slots) discard(slot.load());
  CHECK(damaged == 0);
  CHECK(heap::allocated_bytes() == before);
}
