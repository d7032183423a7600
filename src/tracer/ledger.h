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
  // False when memory cannot be had.
  bool freed(RecordId record, std::uint64_t bytes) noexcept {
    std::uint32_t id = find(record);
    if (id == kNone) {
      id = entries_.append();
      if (id == kNone) return false;
      entries_[id].record.set(record);
      if (index_.insert(hash_of(record), id, [](std::uint32_t) { return false; }) == kNone) return false;
    }
    entries_[id].count.add(1);
    entries_[id].bytes.add(bytes);
    return true;
  }

  // What was freed of `record`.
  Amount freed_of(RecordId record) const noexcept {
    const std::uint32_t id = find(record);
    return id == kNone ? Amount{} : Amount{entries_[id].count.get(), entries_[id].bytes.get()};
  }

  std::size_t resident_bytes() const noexcept { return entries_.resident_bytes() + index_.resident_bytes(); }

 private:
  struct Entry {
    Counter<RecordId> record;
    Counter<std::uint64_t> count;
    Counter<std::uint64_t> bytes;
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
