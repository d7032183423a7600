// Which addresses may have a block of the tracer's: what a free looks at first, when few blocks have one.
//
// A byte for each value of a hash of addresses counts the blocks there, and sticks at its largest number. Neighbours in
// memory share cache lines: frees, most of which are of blocks just used, stay in a few of the 1024.
// False positives cost a look into the block table. There are no false negatives, as long as a block is entered before
// its address is known to who frees it.
// Thread-safety: lock-free; written for sampled blocks alone.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "src/base/hot.h"

namespace memtrace {

class SampleFilter {
 public:
  MT_HOT bool may_have(const void* address) const noexcept {
    return counts_[index_of(address)].load(std::memory_order_relaxed) != 0;
  }
  void add(const void* address) noexcept { change(address, 1); }
  void remove(const void* address) noexcept { change(address, -1); }

  // pre, for these: nobody else adds or removes.
  void clear() noexcept {
    for (auto& count : counts_)
      if (count.load(std::memory_order_relaxed) != 0) count.store(0, std::memory_order_relaxed);
  }
  // For when all blocks are recorded: every address may have one, and nothing needs counting.
  void fill() noexcept {
    for (auto& count : counts_) count.store(kMany, std::memory_order_relaxed);
  }

 private:
  static constexpr std::size_t kSize = 1 << 16;
  static constexpr std::uint8_t kMany = 255;

  static std::size_t index_of(const void* address) noexcept {
    const auto bits = reinterpret_cast<std::uintptr_t>(address);
    return (bits >> 4 ^ bits >> 20) % kSize;
  }

  void change(const void* address, int by) noexcept {
    std::atomic<std::uint8_t>& count = counts_[index_of(address)];
    std::uint8_t present = count.load(std::memory_order_relaxed);
    while (present != kMany &&
           !count.compare_exchange_weak(present, static_cast<std::uint8_t>(present + by), std::memory_order_relaxed)) {
    }
  }

  alignas(64) std::atomic<std::uint8_t> counts_[kSize] = {};
};

}  // namespace memtrace
