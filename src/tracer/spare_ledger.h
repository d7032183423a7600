// Frees for which a thread's own ledger has no memory: the last resort that keeps the sums right.
//
// A table of fixed size, one for all threads, whose pages are touched only in need. Without it such a free would be
// lost and its record would count a block that nobody has, for ever.
// Limit: kEntries records. Thread-safety: lock-free, any number of writers and readers.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "src/base/types.h"
#include "src/tracer/counters.h"

namespace memtrace {

class SpareLedger {
 public:
  static constexpr std::uint32_t kEntries = 4096;

  // False when all entries belong to other records.
  bool freed(RecordId record, std::uint64_t bytes) noexcept {
    for (std::uint32_t i = 0; i < kEntries; ++i) {
      Entry& place = entry(record + i);
      RecordId owner = kNone;
      if (!place.record.compare_exchange_strong(owner, record, std::memory_order_acq_rel) && owner != record) continue;
      place.count.fetch_add(1, std::memory_order_relaxed);
      place.bytes.fetch_add(bytes, std::memory_order_relaxed);
      in_use_.store(true, std::memory_order_release);
      return true;
    }
    return false;
  }

  bool in_use() const noexcept { return in_use_.load(std::memory_order_acquire); }

  // What was freed of `record`.
  Amount freed_of(RecordId record) const noexcept {
    for (std::uint32_t i = 0; i < kEntries; ++i) {
      const Entry& place = entry(record + i);
      const RecordId owner = place.record.load(std::memory_order_acquire);
      if (owner == record)
        return {place.count.load(std::memory_order_relaxed), place.bytes.load(std::memory_order_relaxed)};
      if (owner == kNone) break;
    }
    return {};
  }

  // It keeps nothing for the peak: where this is in use, a breakdown is short of what was freed since.
  Amount freed_at_peak(RecordId record, std::uint32_t) const noexcept { return freed_of(record); }

  // Nor this.
  Amount temporary_of(RecordId) const noexcept { return {}; }

  // pre: the only thread.
  void clear() noexcept {
    if (!in_use()) return;
    for (std::uint32_t i = 0; i < kEntries; ++i) {
      entry(i).record.store(kNone);
      entry(i).count.store(0);
      entry(i).bytes.store(0);
    }
    in_use_.store(false);
  }

 private:
  struct Entry {
    std::atomic<RecordId> record;
    std::atomic<std::uint64_t> count;
    std::atomic<std::uint64_t> bytes;
  };

  Entry& entry(std::uint32_t index) noexcept { return reinterpret_cast<Entry*>(storage_)[index % kEntries]; }
  const Entry& entry(std::uint32_t index) const noexcept {
    return reinterpret_cast<const Entry*>(storage_)[index % kEntries];
  }

  std::atomic<bool> in_use_{false};
  // Zeroed by the mapping it lies in, and left alone by the constructor.
  alignas(Entry) std::byte storage_[sizeof(Entry) * kEntries];
};

}  // namespace memtrace
