// Hash -> id, append-only: the one index under all interning.
//
// The index holds (32-bit hash, id) pairs by open addressing; what an id means, and whether it equals the key that is
// looked for, is the caller's. It grows by putting a table of twice the size in front and copying the old pairs over;
// until that is done a look-up asks both. Old tables are kept until the index goes (a reader may be in one), which the
// doubling bounds to the size of the current one.
//
// Limits: 2^30 pairs; two threads that insert equal keys while the index grows may both succeed, and the key then has
// two ids. Who groups by content never notices.
// Thread-safety: find() and insert() are lock-free.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "src/base/types.h"
#include "src/mem/os.h"

namespace memtrace {

template <template <typename> class Atom = std::atomic>
class IdIndex {
 public:
  IdIndex() = default;
  IdIndex(const IdIndex&) = delete;
  IdIndex& operator=(const IdIndex&) = delete;
  ~IdIndex() {
    for (Table* table = newest_.load(std::memory_order_relaxed); table != nullptr;) {
      Table* older = table->older;
      os::unmap(table, table_bytes(table->mask + 1));
      table = older;
    }
  }

  // The id for which `equal(id)` holds, or kNone.
  template <typename Equal>
  std::uint32_t find(std::uint32_t hash, Equal&& equal) const noexcept {
    for (const Table* table = newest_.load(std::memory_order_acquire); table != nullptr;) {
      const Table* next = older_with_pairs(*table);
      for (std::uint32_t i = hash & table->mask, tried = 0; tried <= table->mask; i = (i + 1) & table->mask, ++tried) {
        const std::uint64_t pair = table->slots()[i].load(std::memory_order_acquire);
        if (pair == 0) break;
        if (hash_of(pair) == hash && equal(id_of(pair))) return id_of(pair);
      }
      table = next;
    }
    return kNone;
  }

  // Adds `id` unless an equal one is there already; returns the one that stands, or kNone when the index is full and
  // cannot grow. pre: the element of `id` is complete.
  template <typename Equal>
  std::uint32_t insert(std::uint32_t hash, std::uint32_t id, Equal&& equal) noexcept {
    if (const std::uint32_t present = find(hash, equal)) return present;
    for (;;) {
      Table* table = newest_.load(std::memory_order_acquire);
      const std::uint32_t used = table == nullptr ? 0 : table->used.load(std::memory_order_relaxed);
      const bool crowded = table == nullptr || used > grow_at(table);
      if (crowded && grow(table)) continue;
      if (table == nullptr || used >= table->mask) return kNone;
      const std::uint32_t standing = put(*table, hash, id, equal);
      // Full, most likely of what is copied there from an older one, while another thread has put a newer one in front.
      if (standing == kNone && newest_.load(std::memory_order_acquire) != table) continue;
      return standing;
    }
  }

  std::size_t resident_bytes() const noexcept {
    std::size_t total = 0;
    for (const Table* table = newest_.load(std::memory_order_acquire); table != nullptr; table = table->older)
      total += os::resident_bytes(table, table_bytes(table->mask + 1));
    return total;
  }
  // What can be resident, without asking the system.
  std::size_t used_bytes() const noexcept {
    std::size_t total = 0;
    for (const Table* table = newest_.load(std::memory_order_acquire); table != nullptr; table = table->older)
      total += table_bytes(table->mask + 1);
    return total;
  }

 private:
  struct Table {
    Table* older;
    std::uint32_t mask;
    Atom<std::uint32_t> used;
    Atom<bool> drained;  // all pairs of this table and of those behind it are in the table in front

    Atom<std::uint64_t>* slots() noexcept { return reinterpret_cast<Atom<std::uint64_t>*>(this + 1); }
    const Atom<std::uint64_t>* slots() const noexcept { return reinterpret_cast<const Atom<std::uint64_t>*>(this + 1); }
  };

  static constexpr std::uint32_t kFirstCapacity = 256;
  static constexpr std::uint32_t kMaxCapacity = 1u << 30;

  static std::uint32_t hash_of(std::uint64_t pair) noexcept { return static_cast<std::uint32_t>(pair >> 32); }
  static std::uint32_t id_of(std::uint64_t pair) noexcept { return static_cast<std::uint32_t>(pair); }
  static std::uint32_t grow_at(const Table* table) noexcept { return table->mask / 4 * 3; }
  // The table behind `table` as long as it has pairs that `table` may lack. To be asked before `table` itself is read:
  // pairs move there meanwhile.
  static const Table* older_with_pairs(const Table& table) noexcept {
    return table.older == nullptr || table.older->drained.load(std::memory_order_acquire) ? nullptr : table.older;
  }
  static std::size_t table_bytes(std::size_t capacity) noexcept {
    const std::size_t page = os::page_size();
    return (sizeof(Table) + capacity * sizeof(Atom<std::uint64_t>) + page - 1) / page * page;
  }

  template <typename Equal>
  static std::uint32_t put(Table& table, std::uint32_t hash, std::uint32_t id, Equal&& equal) noexcept {
    const std::uint64_t fresh = std::uint64_t{hash} << 32 | id;
    for (std::uint32_t i = hash & table.mask, tried = 0; tried <= table.mask; i = (i + 1) & table.mask, ++tried) {
      std::uint64_t pair = table.slots()[i].load(std::memory_order_acquire);
      if (pair == 0) {
        if (table.slots()[i].compare_exchange_strong(pair, fresh, std::memory_order_acq_rel)) {
          table.used.fetch_add(1, std::memory_order_relaxed);
          return id;
        }
      }
      if (hash_of(pair) == hash && (id_of(pair) == id || equal(id_of(pair)))) return id_of(pair);
    }
    return kNone;
  }

  // Whether there is a newer table than `current` now.
  [[gnu::noinline]] bool grow(Table* current) noexcept {
    const std::uint32_t capacity = current == nullptr ? kFirstCapacity : (current->mask + 1) * 2;
    if (capacity > kMaxCapacity) return false;
    Table* fresh = static_cast<Table*>(os::map(table_bytes(capacity)));
    if (fresh == nullptr) return false;
    fresh->older = current;
    fresh->mask = capacity - 1;
    if (!newest_.compare_exchange_strong(current, fresh, std::memory_order_acq_rel)) {
      os::unmap(fresh, table_bytes(capacity));
      return true;
    }
    if (fresh->older == nullptr) return true;
    // More than one table, when an earlier growth is not done yet. A pair that another thread still adds behind this
    // loop stays there unseen: that key will get a second id.
    bool complete = true;
    for (const Table* table = fresh->older; table != nullptr;) {
      const Table* next = older_with_pairs(*table);
      for (std::uint32_t i = 0; i <= table->mask; ++i) {
        const std::uint64_t pair = table->slots()[i].load(std::memory_order_acquire);
        if (pair != 0)
          complete &= put(*fresh, hash_of(pair), id_of(pair), [](std::uint32_t) { return false; }) != kNone;
      }
      table = next;
    }
    // Else it filled up meanwhile; who puts the next one in front copies from the old ones, too.
    if (complete) fresh->older->drained.store(true, std::memory_order_release);
    return true;
  }

  Atom<Table*> newest_{nullptr};
};

}  // namespace memtrace
