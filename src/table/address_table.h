// (space, address) -> (record, size), for blocks that the BlockTable does not cover: odd addresses of domain 0, and all
// of the other domains.
//
// A hash table of buckets, each one cache line with three blocks and a link to the next bucket of the chain. A block
// takes any free place of its chain, and its place is free again when it goes: nothing is ever moved, and there are no
// tombstones. When a chain gets long a directory four times as large is put in front and takes the new blocks; those in the
// older ones stay where they are until they go. So memory follows the largest number of blocks at one time, however
// many come and go.
// Limits: addresses below 2^48 in each of 2^16 spaces (see SpaceTable); 2^24 chained buckets.
// Thread-safety: lock-free; as in the BlockTable, one key is in the hands of one thread at a time. Should two threads
// take the same key nevertheless, each block is taken at most once, but it can be another one.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "src/base/hash.h"
#include "src/base/types.h"
#include "src/mem/chunked_array.h"
#include "src/mem/os.h"
#include "src/table/block_table.h"

namespace memtrace {

template <template <typename> class Atom = std::atomic>
class BasicAddressTable {
 public:
  BasicAddressTable() = default;
  BasicAddressTable(const BasicAddressTable&) = delete;
  BasicAddressTable& operator=(const BasicAddressTable&) = delete;
  ~BasicAddressTable() {
    for (Directory* directory = newest_.load(std::memory_order_relaxed); directory != nullptr;) {
      Directory* older = directory->older;
      os::unmap(directory, directory_bytes(directory->mask + 1));
      directory = older;
    }
  }

  // Enters a block; `replaced` gets the one that was there. False when memory cannot be had. pre: `address` is below
  // 2^48, and not 0 in space 0; record != kNone.
  bool add(SpaceId space, std::uint64_t address, RecordId record, std::uint64_t size, Block& replaced) noexcept {
    const std::uint64_t key = key_of(space, address);
    Place place = find_place(key);
    if (!place) place = claim(key);
    if (!place) return false;
    replaced = place.read();
    place.record().store(kNone, std::memory_order_relaxed);
    place.size().store(size, std::memory_order_release);
    place.record().store(record, std::memory_order_release);
    return true;
  }

  // Removes the block with this key and returns it; empty when there is none.
  Block take(SpaceId space, std::uint64_t address) noexcept {
    const Place place = find_place(key_of(space, address));
    if (!place) return {};
    const Block block = place.read();
    if (!block || place.record().exchange(kNone, std::memory_order_acq_rel) == kNone) return {};
    place.key().store(kFree, std::memory_order_release);
    return block;
  }

  Block find(SpaceId space, std::uint64_t address) const noexcept {
    const Place place = find_place(key_of(space, address));
    return place ? place.read() : Block{};
  }

  // Calls visit(space, address, Block) for each block. Blocks that come or go meanwhile may be missed or seen.
  template <typename Visit>
  void for_each(Visit&& visit) const {
    for (Directory* directory = newest_.load(std::memory_order_acquire); directory != nullptr;
         directory = directory->older) {
      for (std::uint64_t i = 0; i <= directory->mask; ++i) {
        for (Bucket* bucket = &directory->buckets()[i]; bucket != nullptr; bucket = next_of(*bucket)) {
          for (unsigned at = 0; at < kBucketSize; ++at) {
            const Place place{bucket, at};
            const std::uint64_t key = place.key().load(std::memory_order_acquire);
            const Block block = place.read();
            // Another block may have come into the place meanwhile.
            if (block && place.key().load(std::memory_order_relaxed) == key && key != kFree)
              visit(static_cast<SpaceId>(key >> 48), key & kAddressMask, block);
          }
        }
      }
    }
  }

  std::size_t resident_bytes() const noexcept {
    std::size_t total = chained_.resident_bytes();
    for (const Directory* directory = newest_.load(std::memory_order_acquire); directory != nullptr;
         directory = directory->older)
      total += os::resident_bytes(directory, directory_bytes(directory->mask + 1));
    return total;
  }
  // What can be resident, without asking the system.
  std::size_t used_bytes() const noexcept {
    std::size_t total = chained_.used_bytes();
    for (const Directory* directory = newest_.load(std::memory_order_acquire); directory != nullptr;
         directory = directory->older)
      total += directory_bytes(directory->mask + 1);
    return total;
  }

 private:
  static constexpr unsigned kBucketSize = 3;
  // A chain this long makes the table grow.
  static constexpr unsigned kLongChain = 6;
  static constexpr std::uint64_t kFirstCapacity = 256;
  static constexpr std::uint64_t kMaxCapacity = std::uint64_t{1} << 32;
  static constexpr std::uint64_t kAddressMask = (std::uint64_t{1} << 48) - 1;
  static constexpr std::uint64_t kFree = 0;

  struct alignas(64) Bucket {
    Atom<std::uint64_t> keys[kBucketSize];
    Atom<std::uint64_t> sizes[kBucketSize];
    Atom<RecordId> records[kBucketSize];
    Atom<std::uint32_t> next;
  };

  struct alignas(64) Directory {
    Directory* older;
    std::uint64_t mask;

    Bucket* buckets() noexcept { return reinterpret_cast<Bucket*>(this + 1); }
  };

  // Where a block is, or can be.
  struct Place {
    Bucket* bucket = nullptr;
    unsigned at = 0;

    explicit operator bool() const noexcept { return bucket != nullptr; }
    Atom<std::uint64_t>& key() const noexcept { return bucket->keys[at]; }
    Atom<std::uint64_t>& size() const noexcept { return bucket->sizes[at]; }
    Atom<RecordId>& record() const noexcept { return bucket->records[at]; }

    // Never parts of two blocks: a size is stored while there is no record.
    Block read() const noexcept {
      for (;;) {
        const RecordId now = record().load(std::memory_order_acquire);
        if (now == kNone) return {};
        const std::uint64_t bytes = size().load(std::memory_order_acquire);
        if (record().load(std::memory_order_relaxed) == now) return {.record = now, .size = bytes};
      }
    }
  };

  static std::uint64_t key_of(SpaceId space, std::uint64_t address) noexcept {
    return std::uint64_t{space} << 48 | address;
  }
  static Bucket& home(Directory& directory, std::uint64_t key) noexcept {
    return directory.buckets()[hash64(&key, sizeof key) & directory.mask];
  }
  static std::size_t directory_bytes(std::uint64_t capacity) noexcept {
    const std::size_t page = os::page_size();
    return (sizeof(Directory) + capacity * sizeof(Bucket) + page - 1) / page * page;
  }

  Bucket* next_of(const Bucket& bucket) const noexcept {
    const std::uint32_t next = bucket.next.load(std::memory_order_acquire);
    return next == kNone ? nullptr : &const_cast<BasicAddressTable*>(this)->chained_[next];
  }

  Place find_place(std::uint64_t key) const noexcept {
    for (Directory* directory = newest_.load(std::memory_order_acquire); directory != nullptr;
         directory = directory->older) {
      for (Bucket* bucket = &home(*directory, key); bucket != nullptr; bucket = next_of(*bucket)) {
        for (unsigned at = 0; at < kBucketSize; ++at)
          if (bucket->keys[at].load(std::memory_order_acquire) == key) return {bucket, at};
      }
    }
    return {};
  }

  // A free place in the newest directory, now the key's.
  Place claim(std::uint64_t key) noexcept {
    Directory* directory = newest_.load(std::memory_order_acquire);
    if (directory == nullptr) {
      grow(nullptr);
      directory = newest_.load(std::memory_order_acquire);
      if (directory == nullptr) return {};
    }
    for (bool may_grow = true;;) {
      Bucket* bucket = &home(*directory, key);
      for (unsigned length = 1;; ++length) {
        if (const Place place = claim_in(*bucket, key)) return place;
        Bucket* next = next_of(*bucket);
        if (next == nullptr && length < kLongChain) next = chain(*bucket);
        if (next == nullptr) break;
        bucket = next;
      }
      // When it cannot grow, a chain gets as long as it must.
      Directory* before = directory;
      if (may_grow) grow(directory);
      directory = newest_.load(std::memory_order_acquire);
      if (directory != before) continue;
      may_grow = false;
      if (chain(*bucket) == nullptr) return {};
    }
  }

  static Place claim_in(Bucket& bucket, std::uint64_t key) noexcept {
    for (unsigned at = 0; at < kBucketSize; ++at) {
      std::uint64_t present = bucket.keys[at].load(std::memory_order_relaxed);
      if (present == kFree && bucket.keys[at].compare_exchange_strong(present, key, std::memory_order_acq_rel))
        return {&bucket, at};
    }
    return {};
  }

  // The bucket behind `bucket`, made if need be.
  Bucket* chain(Bucket& bucket) noexcept {
    if (Bucket* present = next_of(bucket)) return present;
    const std::uint32_t fresh = chained_.append();
    if (fresh == kNone) return nullptr;
    // Who loses the race leaves one bucket unused.
    std::uint32_t next = kNone;
    bucket.next.compare_exchange_strong(next, fresh, std::memory_order_acq_rel);
    return next_of(bucket);
  }

  [[gnu::noinline]] void grow(Directory* current) noexcept {
    const std::uint64_t capacity = current == nullptr ? kFirstCapacity : (current->mask + 1) * 4;
    if (capacity > kMaxCapacity) return;
    auto* fresh = static_cast<Directory*>(os::map(directory_bytes(capacity)));
    if (fresh == nullptr) return;
    fresh->older = current;
    fresh->mask = capacity - 1;
    if (!newest_.compare_exchange_strong(current, fresh, std::memory_order_acq_rel))
      os::unmap(fresh, directory_bytes(capacity));
  }

  Atom<Directory*> newest_{nullptr};
  AppendArray<Bucket, 12, 1u << 12, Atom> chained_;
};

using AddressTable = BasicAddressTable<>;

}  // namespace memtrace
