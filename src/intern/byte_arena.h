// Append-only bytes, named by a 64-bit offset that never changes.
//
// Limits: 4 GiB in all, kChunkSize bytes for one piece. Thread-safety: append() is lock-free; a piece may be read by
// whoever got its offset through an acquire load.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "src/mem/chunked_array.h"

namespace memtrace {

class ByteArena {
 public:
  static constexpr unsigned kChunkBits = 22;
  static constexpr std::size_t kChunkSize = std::size_t{1} << kChunkBits;
  static constexpr std::uint64_t kFailed = ~std::uint64_t{0};

  // Copies `bytes`; kFailed when they are too many or memory cannot be had.
  std::uint64_t append(std::string_view bytes) noexcept {
    if (bytes.size() > kChunkSize) return kFailed;
    if (bytes.empty()) return 0;
    std::uint64_t end = end_.load(std::memory_order_relaxed);
    std::uint64_t first = 0;
    do {
      // A piece lies within one chunk, so that a reader gets it as one range.
      first = end;
      const std::uint64_t room = kChunkSize - (first & (kChunkSize - 1));
      if (room < bytes.size()) first += room;
      if (first + bytes.size() > kLimit || !chunks_.ensure(static_cast<std::uint32_t>(first))) return kFailed;
    } while (!end_.compare_exchange_weak(end, first + bytes.size(), std::memory_order_relaxed));
    std::memcpy(&chunks_[static_cast<std::uint32_t>(first)], bytes.data(), bytes.size());
    return first;
  }

  // pre: `offset`, `size` are those of one append().
  std::string_view view(std::uint64_t offset, std::size_t size) const noexcept {
    if (size == 0) return {};
    return {&chunks_[static_cast<std::uint32_t>(offset)], size};
  }

  std::size_t resident_bytes() const noexcept { return chunks_.resident_bytes(); }
  std::size_t used_bytes() const noexcept { return end_.load(std::memory_order_relaxed); }

 private:
  static constexpr unsigned kChunks = 1024;
  static constexpr std::uint64_t kLimit = std::uint64_t{kChunkSize} * kChunks;

  ChunkedArray<char, kChunkBits, kChunks> chunks_;
  std::atomic<std::uint64_t> end_{0};
};

}  // namespace memtrace
