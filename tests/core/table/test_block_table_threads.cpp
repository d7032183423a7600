// Blocks that pass between real threads, as the allocator passes addresses: each block's table entry is its payload and
// must be intact.
#include <array>
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <cstdint>
#include <memory>

#include "src/table/block_table.h"
#include "tests/support/random.h"
#include "tests/support/scale.h"
#include "tests/support/threads.h"

using namespace memtrace;

namespace {

constexpr int kOwners = 3;
constexpr std::uint64_t kPlaces = 512;
constexpr std::uint64_t kBase = 0x7f00'00ff'f000;  // across a region's end

const void* place(std::uint64_t index) { return reinterpret_cast<const void*>(kBase + index * 48); }
std::uint64_t size_of(RecordId record) {
  const std::uint64_t sizes[] = {record % 17, 20 + record, (1u << 28) + record, (5ull << 28) + record * 3};
  return sizes[record % 4];
}

}  // namespace

TEST_CASE("threads that exchange blocks find them as they were entered, and a walk sees whole ones") {
  const auto table = std::make_unique<BlockTable>();
  // What the record of the block at each place is; 0 when it is free, kBusy while a thread is at it.
  constexpr RecordId kBusy = ~0u;
  const auto places = std::make_unique<std::array<std::atomic<RecordId>, kPlaces>>();
  std::atomic<int> damaged{0};
  std::atomic<int> owners{kOwners};
  const int rounds = test::scaled(300'000, 10);
  test::run_together(kOwners + 1, [&](int thread) {
    if (thread == kOwners) {
      while (owners.load() > 0)
        table->for_each([&](std::uint64_t, const Block& block) { damaged += block.size != size_of(block.record); });
      return;
    }
    test::Random random(static_cast<std::uint64_t>(thread));
    for (int i = 0; i < rounds; ++i) {
      const std::uint64_t index = random.below(kPlaces);
      const RecordId before = (*places)[index].exchange(kBusy, std::memory_order_acquire);
      if (before == kBusy) continue;
      RecordId after = 0;
      if (before == 0) {
        after = static_cast<RecordId>(1 + random.below(1000));
        damaged += !table->add(place(index), after, size_of(after), [&](const Block&) { ++damaged; });
      } else {
        const Block block = table->take(place(index));
        damaged += block.record != before || block.size != size_of(before);
      }
      (*places)[index].store(after, std::memory_order_release);
    }
    --owners;
  });
  CHECK(damaged == 0);
  CHECK(table->verify());
  for (std::uint64_t i = 0; i < kPlaces; ++i) CHECK(table->find(place(i)).record == (*places)[i]);
}

TEST_CASE("threads that run one code object mark it once and find what its mark stands for") {
  const auto table = std::make_unique<BlockTable>();
  constexpr std::uint64_t kCodes = 2000;
  // What a mark names: written by the thread that marks, read by whoever meets the mark.
  const auto names = std::make_unique<std::array<std::uint64_t, kOwners * kCodes + 1>>();
  std::atomic<int> damaged{0};
  test::run_together(kOwners, [&](int thread) {
    for (std::uint64_t i = 0; i < kCodes; ++i) {
      const void* const code = reinterpret_cast<const void*>(kBase + 8 + i * 208);
      CodeId id = table->code_at(code);
      if (id == kNone) {
        id = static_cast<CodeId>(1 + static_cast<std::uint64_t>(thread) * kCodes + i);
        (*names)[id] = i;
        damaged += !table->mark_code(code, id);
        id = table->code_at(code);
      }
      damaged += (*names)[id] != i;
    }
  });
  CHECK(damaged == 0);
  CHECK(table->verify());
}
