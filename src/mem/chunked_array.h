// An append-only array whose elements never move.
//
// Elements live in chunks of 2^kChunkBits, mapped at first need and zeroed; a directory of fixed size finds the chunk:
// two loads an access. Element 0 exists but is never handed out (id 0 is "none").
// Limit: 2^kChunkBits * kMaxChunks elements. Thread-safety: ensure() and append() are lock-free; an element may be read
// by whoever got its id through an acquire load of something that was stored with release after the element was
// written.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "src/base/check.h"
#include "src/mem/os.h"

namespace memtrace {

template <typename T, unsigned kChunkBits, unsigned kMaxChunks, template <typename> class Atom = std::atomic>
class ChunkedArray {
 public:
  static constexpr std::uint32_t kChunkSize = 1u << kChunkBits;
  static constexpr std::uint64_t kLimit = std::uint64_t{kChunkSize} * kMaxChunks;

  ChunkedArray() = default;
  ChunkedArray(const ChunkedArray&) = delete;
  ChunkedArray& operator=(const ChunkedArray&) = delete;
  ~ChunkedArray() {
    static_assert(std::is_trivially_destructible_v<T>);
    for (auto& slot : chunks_)
      if (T* chunk = slot.load(std::memory_order_relaxed)) os::unmap(chunk, chunk_bytes());
  }

  T& operator[](std::uint32_t index) noexcept {
    return chunks_[index >> kChunkBits].load(std::memory_order_relaxed)[index & (kChunkSize - 1)];
  }
  const T& operator[](std::uint32_t index) const noexcept {
    return chunks_[index >> kChunkBits].load(std::memory_order_relaxed)[index & (kChunkSize - 1)];
  }

  // Makes element `index` addressable. False when it is beyond the limit or memory cannot be had.
  bool ensure(std::uint32_t index) noexcept {
    const std::uint32_t chunk = index >> kChunkBits;
    if (chunk >= kMaxChunks) return false;
    if (chunks_[chunk].load(std::memory_order_acquire) != nullptr) [[likely]]
      return true;
    return add_chunk(chunk);
  }

  bool has(std::uint32_t index) const noexcept {
    return index < kLimit && chunks_[index >> kChunkBits].load(std::memory_order_acquire) != nullptr;
  }

  // Bytes backed by memory now.
  std::size_t resident_bytes() const noexcept {
    std::size_t total = 0;
    for (const auto& slot : chunks_)
      if (const T* chunk = slot.load(std::memory_order_acquire)) total += os::resident_bytes(chunk, chunk_bytes());
    return total;
  }

 private:
  static std::size_t chunk_bytes() noexcept {
    const std::size_t page = os::page_size();
    return (std::size_t{kChunkSize} * sizeof(T) + page - 1) / page * page;
  }

  [[gnu::noinline]] bool add_chunk(std::uint32_t chunk) noexcept {
    T* fresh = static_cast<T*>(os::map(chunk_bytes()));
    if (fresh == nullptr) return false;
    T* expected = nullptr;
    if (!chunks_[chunk].compare_exchange_strong(expected, fresh, std::memory_order_acq_rel))
      os::unmap(fresh, chunk_bytes());
    return true;
  }

  Atom<T*> chunks_[kMaxChunks] = {};
};

// A ChunkedArray that also hands out ids, 1, 2, 3, …
template <typename T, unsigned kChunkBits, unsigned kMaxChunks, template <typename> class Atom = std::atomic>
class AppendArray : public ChunkedArray<T, kChunkBits, kMaxChunks, Atom> {
 public:
  // The id of a new element, zeroed; kNone when it cannot be had. An id is used up only when its element exists.
  std::uint32_t append() noexcept {
    std::uint32_t id = next_.load(std::memory_order_relaxed);
    do {
      if (!this->ensure(id)) return 0;
    } while (!next_.compare_exchange_weak(id, id + 1, std::memory_order_acq_rel));
    return id;
  }

  // The first of `count` new elements, zeroed; a multiple of `count`. kNone as above. pre: a power of two, at most
  // kChunkSize.
  std::uint32_t append_run(std::uint32_t count) noexcept {
    std::uint32_t end = next_.load(std::memory_order_relaxed);
    std::uint32_t first = 0;
    do {
      first = (end + count - 1) & ~(count - 1);
      if (!this->ensure(first)) return 0;
    } while (!next_.compare_exchange_weak(end, first + count, std::memory_order_acq_rel));
    return first;
  }

  // Bytes of the elements handed out: what can be resident, without asking the system.
  std::size_t used_bytes() const noexcept { return std::size_t{end()} * sizeof(T); }

  // One past the highest id handed out. Elements below it may still be unpublished.
  std::uint32_t end() const noexcept { return next_.load(std::memory_order_acquire); }

 private:
  Atom<std::uint32_t> next_{1};
};

}  // namespace memtrace
