#include <array>
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <cstdint>
#include <memory>

#include "src/table/address_table.h"
#include "tests/support/random.h"
#include "tests/support/scale.h"
#include "tests/support/threads.h"

using namespace memtrace;

TEST_CASE("threads that exchange odd blocks while the table grows find them as they were entered") {
  constexpr int kOwners = 3;
  constexpr std::uint64_t kPlaces = 4096;
  constexpr RecordId kBusy = ~0u;
  AddressTable table;
  const auto places = std::make_unique<std::array<std::atomic<RecordId>, kPlaces>>();
  const auto place = [](std::uint64_t index) { return 0x7f00'0000'0008 + index * 24; };
  std::atomic<int> damaged{0};
  std::atomic<int> owners{kOwners};
  const int rounds = test::scaled(200'000, 10);
  test::run_together(kOwners + 1, [&](int thread) {
    if (thread == kOwners) {
      while (owners.load() > 0)
        table.for_each([&](SpaceId, std::uint64_t, const Block& block) { damaged += block.size != block.record * 10; });
      return;
    }
    test::Random random(static_cast<std::uint64_t>(thread));
    for (int i = 0; i < rounds; ++i) {
      const std::uint64_t index = random.below(kPlaces);
      const RecordId before = (*places)[index].exchange(kBusy, std::memory_order_acquire);
      if (before == kBusy) continue;
      RecordId after = 0;
      Block block;
      if (before == 0 || random.one_in(4)) {
        after = static_cast<RecordId>(1 + random.below(1000));
        damaged += !table.add(0, place(index), after, after * 10, block);
      } else {
        block = table.take(0, place(index));
      }
      damaged += block.record != before || block.size != before * 10;
      (*places)[index].store(after, std::memory_order_release);
    }
    --owners;
  });
  CHECK(damaged == 0);
  for (std::uint64_t i = 0; i < kPlaces; ++i) CHECK(table.find(0, place(i)).record == (*places)[i]);
}
