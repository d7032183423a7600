// (domain, address) -> (record, size), for blocks that the BlockTable does not cover: odd addresses.
//
// Open addressing. A key that was once entered keeps its place for good and is revived when the address is used again,
// so there are no tombstones and nothing is ever moved; when a table is three quarters full a larger one is put in
// front and takes the new keys.
// Limits: addresses below 2^48, domain indices below 2^16; memory grows with the number of distinct keys, not with the
// number of events.
// Thread-safety: lock-free; as in the BlockTable, one key is in the hands of one thread at a time.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "src/base/hash.h"
#include "src/base/types.h"
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
    for (Table* table = newest_.load(std::memory_order_relaxed); table != nullptr;) {
      Table* older = table->older;
      os::unmap(table, table_bytes(table->capacity));
      table = older;
    }
  }

  static bool covers(const void* address) noexcept { return reinterpret_cast<std::uintptr_t>(address) >> 48 == 0; }

  // Enters a block; `replaced` gets the one that was there. False when memory cannot be had. pre: covers(address),
  // record != kNone.
  bool add(std::uint16_t domain, const void* address, RecordId record, std::uint64_t size, Block& replaced) noexcept {
    const std::uint64_t key = key_of(domain, address);
    Entry* entry = find_entry(key);
    if (entry == nullptr) {
      entry = claim(key);
      if (entry == nullptr) return false;
    }
    replaced = read(*entry);
    entry->record.store(kNone, std::memory_order_relaxed);
    entry->size.store(size, std::memory_order_release);
    entry->record.store(record, std::memory_order_release);
    return true;
  }

  Block take(std::uint16_t domain, const void* address) noexcept {
    Entry* entry = find_entry(key_of(domain, address));
    if (entry == nullptr) return {};
    const Block block = read(*entry);
    entry->record.store(kNone, std::memory_order_release);
    return block;
  }

  Block find(std::uint16_t domain, const void* address) const noexcept {
    const Entry* entry = find_entry(key_of(domain, address));
    return entry == nullptr ? Block{} : read(*entry);
  }

  // Calls visit(domain, address, Block) for each block.
  template <typename Visit>
  void for_each(Visit&& visit) const {
    for (const Table* table = newest_.load(std::memory_order_acquire); table != nullptr; table = table->older) {
      for (std::uint64_t i = 0; i < table->capacity; ++i) {
        const Entry& entry = table->entries()[i];
        const std::uint64_t key = entry.key.load(std::memory_order_acquire);
        const Block block = read(entry);
        if (key != 0 && block) visit(static_cast<std::uint16_t>(key >> 48), key & kAddressMask, block);
      }
    }
  }

  std::size_t resident_bytes() const noexcept {
    std::size_t total = 0;
    for (const Table* table = newest_.load(std::memory_order_acquire); table != nullptr; table = table->older)
      total += os::resident_bytes(table, table_bytes(table->capacity));
    return total;
  }

 private:
  struct Entry {
    Atom<std::uint64_t> key;
    Atom<std::uint64_t> size;
    Atom<RecordId> record;
  };
  struct Table {
    Table* older;
    std::uint64_t capacity;
    Atom<std::uint64_t> used;

    Entry* entries() noexcept { return reinterpret_cast<Entry*>(this + 1); }
    const Entry* entries() const noexcept { return reinterpret_cast<const Entry*>(this + 1); }
  };

  static constexpr std::uint64_t kAddressMask = (std::uint64_t{1} << 48) - 1;
  static constexpr std::uint64_t kFirstCapacity = 128;

  // Never 0: address 0 is no block.
  static std::uint64_t key_of(std::uint16_t domain, const void* address) noexcept {
    return std::uint64_t{domain} << 48 | reinterpret_cast<std::uintptr_t>(address);
  }
  static std::uint64_t home(std::uint64_t key, std::uint64_t capacity) noexcept {
    return hash64(&key, sizeof key) & (capacity - 1);
  }
  static std::size_t table_bytes(std::uint64_t capacity) noexcept {
    const std::size_t page = os::page_size();
    return (sizeof(Table) + capacity * sizeof(Entry) + page - 1) / page * page;
  }
  // Never parts of two blocks: a size is stored while there is no record.
  static Block read(const Entry& entry) noexcept {
    for (;;) {
      const RecordId record = entry.record.load(std::memory_order_acquire);
      if (record == kNone) return {};
      const std::uint64_t size = entry.size.load(std::memory_order_acquire);
      if (entry.record.load(std::memory_order_relaxed) == record) return {.record = record, .size = size};
    }
  }

  Entry* find_entry(std::uint64_t key) const noexcept {
    for (Table* table = newest_.load(std::memory_order_acquire); table != nullptr; table = table->older) {
      for (std::uint64_t i = home(key, table->capacity), tried = 0; tried < table->capacity;
           i = (i + 1) & (table->capacity - 1), ++tried) {
        const std::uint64_t present = table->entries()[i].key.load(std::memory_order_acquire);
        if (present == key) return &table->entries()[i];
        if (present == 0) break;
      }
    }
    return nullptr;
  }

  Entry* claim(std::uint64_t key) noexcept {
    for (;;) {
      Table* table = newest_.load(std::memory_order_acquire);
      if (table == nullptr || table->used.load(std::memory_order_relaxed) >= table->capacity / 4 * 3) {
        if (!grow(table)) return nullptr;
        continue;
      }
      for (std::uint64_t i = home(key, table->capacity), tried = 0; tried + 1 < table->capacity;
           i = (i + 1) & (table->capacity - 1), ++tried) {
        std::uint64_t present = table->entries()[i].key.load(std::memory_order_relaxed);
        if (present == 0 && table->entries()[i].key.compare_exchange_strong(present, key, std::memory_order_acq_rel)) {
          table->used.fetch_add(1, std::memory_order_relaxed);
          return &table->entries()[i];
        }
        if (present == key) return &table->entries()[i];
      }
      if (!grow(table)) return nullptr;
    }
  }

  [[gnu::noinline]] bool grow(Table* current) noexcept {
    const std::uint64_t capacity = current == nullptr ? kFirstCapacity : current->capacity * 2;
    Table* fresh = static_cast<Table*>(os::map(table_bytes(capacity)));
    if (fresh == nullptr) return false;
    fresh->older = current;
    fresh->capacity = capacity;
    if (!newest_.compare_exchange_strong(current, fresh, std::memory_order_acq_rel))
      os::unmap(fresh, table_bytes(capacity));
    return true;
  }

  Atom<Table*> newest_{nullptr};
};

using AddressTable = BasicAddressTable<>;

}  // namespace memtrace
