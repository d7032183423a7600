// The three containers that a Dictionary is made of.
//
//   StableArray   append-only array whose elements never move
//   ByteArena     append-only bytes that never move
//   InternIndex   hash index from content to dense id; knows hashes and ids only, the content stays in the arrays
//
// Limits: 2^32-1 entries, then std::length_error. After std::bad_alloc the container is as it was before the call.
// Thread-safety: StableArray: readers beside one writer, an element may be read once its index was handed over by some
// synchronisation or is below size(). ByteArena, InternIndex: the writer's alone; the bytes themselves as StableArray.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <new>
#include <stdexcept>
#include <string_view>
#include <type_traits>
#include <vector>

namespace memtrace::snapshot {

inline constexpr std::uint32_t kMaxEntries = std::numeric_limits<std::uint32_t>::max();

template <class T>
class StableArray {
  static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);

 public:
  StableArray() = default;
  StableArray(const StableArray&) = delete;
  StableArray& operator=(const StableArray&) = delete;
  ~StableArray() {
    for (T* chunk : chunks_) ::operator delete(chunk);
  }

  std::uint32_t size() const noexcept { return size_.load(std::memory_order_acquire); }

  const T& operator[](std::uint32_t index) const noexcept {
    const auto [chunk, offset] = place(index);
    return chunks_[chunk][offset];
  }

  std::uint32_t append(const T& value) {
    const std::uint32_t index = size_.load(std::memory_order_relaxed);
    if (index == kMaxEntries) throw std::length_error("a snapshot dictionary is full");
    const auto [chunk, offset] = place(index);
    if (chunks_[chunk] == nullptr) chunks_[chunk] = static_cast<T*>(::operator new(sizeof(T) * chunk_size(chunk)));
    ::new (&chunks_[chunk][offset]) T(value);
    size_.store(index + 1, std::memory_order_release);
    return index;
  }

  std::size_t memory() const noexcept { return std::size_t{size()} * sizeof(T); }

 private:
  // Chunk k holds kFirst << k elements, so 23 pointers reach 2^32. Pages of a chunk that were not written to cost
  // nothing.
  static constexpr unsigned kFirstBits = 10;
  static constexpr std::uint64_t kFirst = std::uint64_t{1} << kFirstBits;

  struct Place {
    std::size_t chunk, offset;
  };
  static Place place(std::uint32_t index) noexcept {
    const std::uint64_t shifted = index + kFirst;
    const auto chunk = static_cast<std::size_t>(std::bit_width(shifted)) - 1 - kFirstBits;
    return {chunk, static_cast<std::size_t>(shifted - (kFirst << chunk))};
  }
  static std::size_t chunk_size(std::size_t chunk) noexcept { return std::size_t{kFirst} << chunk; }

  std::array<T*, 33 - kFirstBits> chunks_{};
  std::atomic<std::uint32_t> size_{0};
};

class ByteArena {
 public:
  std::string_view append(std::string_view text) {
    if (text.empty()) return {};
    if (text.size() > left_) {
      const std::size_t size = text.size() > kChunk / 4 ? text.size() : kChunk;
      chunks_.reserve(chunks_.size() + 1);
      chunks_.push_back(std::make_unique_for_overwrite<char[]>(size));
      memory_ += size;
      // A long string gets a chunk of its own; the rest of the current chunk stays in use.
      if (size != kChunk) {
        std::memcpy(chunks_.back().get(), text.data(), text.size());
        return {chunks_.back().get(), text.size()};
      }
      next_ = chunks_.back().get();
      left_ = size;
    }
    char* const begin = next_;
    std::memcpy(begin, text.data(), text.size());
    next_ += text.size();
    left_ -= text.size();
    return {begin, text.size()};
  }

  std::size_t memory() const noexcept { return memory_; }

 private:
  static constexpr std::size_t kChunk = 1 << 16;
  std::vector<std::unique_ptr<char[]>> chunks_;
  char* next_ = nullptr;
  std::size_t left_ = 0;
  std::size_t memory_ = 0;
};

class InternIndex {
 public:
  // The id for which same(id) holds among those inserted with this hash, else the id that make() returns. When make()
  // throws, nothing has changed.
  template <class Same, class Make>
  std::uint32_t find_or_insert(std::uint64_t hash, Same&& same, Make&& make) {
    if (used_ + 1 > slots_.size() - slots_.size() / 4) grow();
    const auto tag = static_cast<std::uint32_t>(hash);
    std::size_t at = tag & (slots_.size() - 1);
    for (; slots_[at].id != kFree; at = (at + 1) & (slots_.size() - 1)) {
      if (slots_[at].tag == tag && same(slots_[at].id)) return slots_[at].id;
    }
    const std::uint32_t id = make();
    slots_[at] = {tag, id};
    ++used_;
    return id;
  }

  std::size_t memory() const noexcept { return slots_.capacity() * sizeof(Slot); }

 private:
  static constexpr std::uint32_t kFree = kMaxEntries;  // StableArray never hands it out
  struct Slot {
    std::uint32_t tag = 0;
    std::uint32_t id = kFree;
  };

  void grow() {
    std::vector<Slot> larger(slots_.empty() ? 64 : slots_.size() * 2);
    for (const Slot& slot : slots_) {
      if (slot.id == kFree) continue;
      std::size_t at = slot.tag & (larger.size() - 1);
      while (larger[at].id != kFree) at = (at + 1) & (larger.size() - 1);
      larger[at] = slot;
    }
    slots_.swap(larger);
  }

  std::vector<Slot> slots_;  // a power of two, at most three quarters used, linear probing
  std::size_t used_ = 0;
};

}  // namespace memtrace::snapshot
