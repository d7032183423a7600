// What one thread frees of records that it may not write to.
//
// A thread without the GIL, or in an interpreter with a GIL of its own, notes such frees here; whoever reads a record's
// live counters subtracts all ledgers. Sums are exact when read, and no event writes a cache line that another thread
// writes.
// Thread-safety: one writer, any number of readers.
#pragma once

#include <cstdint>

#include "src/base/hash.h"
#include "src/intern/id_index.h"
#include "src/mem/chunked_array.h"
#include "src/tracer/counters.h"

namespace memtrace {

class Ledger {
 public:
  // False when memory cannot be had. `epoch`: see counters.h.
  bool freed(RecordId record, std::uint64_t bytes, std::uint32_t epoch, bool was_temporary) noexcept {
    std::uint32_t id = find(record);
    if (id == kNone) {
      id = entries_.append();
      if (id == kNone) return false;
      entries_[id].record.set(record);
      if (index_.insert(hash_of(record), id, [](std::uint32_t) { return false; }) == kNone) return false;
    }
    Entry& entry = entries_[id];
    if (entry.epoch.get() != epoch) {
      entry.saved_count.set(entry.count.get());
      entry.saved_bytes.set(entry.bytes.get());
      entry.epoch.set(epoch);
    }
    entry.count.add(1);
    entry.bytes.add(bytes);
    if (was_temporary) {
      entry.temporary_count.add(1);
      entry.temporary_bytes.add(bytes);
    }
    return true;
  }

  // What was freed of `record`.
  Amount freed_of(RecordId record) const noexcept {
    const std::uint32_t id = find(record);
    return id == kNone ? Amount{} : Amount{entries_[id].count.get(), entries_[id].bytes.get()};
  }
  // The same up to the peak of `epoch`.
  Amount freed_at_peak(RecordId record, std::uint32_t epoch) const noexcept {
    const std::uint32_t id = find(record);
    if (id == kNone || entries_[id].epoch.get() != epoch) return freed_of(record);
    return {entries_[id].saved_count.get(), entries_[id].saved_bytes.get()};
  }

  // What of that was temporary.
  Amount temporary_of(RecordId record) const noexcept {
    const std::uint32_t id = find(record);
    return id == kNone ? Amount{} : Amount{entries_[id].temporary_count.get(), entries_[id].temporary_bytes.get()};
  }

  std::size_t resident_bytes() const noexcept { return entries_.resident_bytes() + index_.resident_bytes(); }
  std::size_t used_bytes() const noexcept { return entries_.used_bytes() + index_.used_bytes(); }

 private:
  struct Entry {
    Counter<RecordId> record;
    Counter<std::uint32_t> epoch;
    Counter<std::uint64_t> count;
    Counter<std::uint64_t> bytes;
    Counter<std::uint64_t> saved_count;
    Counter<std::uint64_t> saved_bytes;
    Counter<std::uint64_t> temporary_count;
    Counter<std::uint64_t> temporary_bytes;
  };

  static std::uint32_t hash_of(RecordId record) noexcept {
    return static_cast<std::uint32_t>(hash64(&record, sizeof record));
  }
  std::uint32_t find(RecordId record) const noexcept {
    return index_.find(hash_of(record), [&](std::uint32_t id) { return entries_[id].record.get() == record; });
  }

  AppendArray<Entry, 9, 8192> entries_;
  IdIndex<> index_;
};

}  // namespace memtrace
