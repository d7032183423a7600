// The counters of the records: live now, live at the peak, ever allocated.
//
// A record saves its live counters the first time it changes after a new peak (its epoch differs from the peak's), so
// the breakdown at the peak is always at hand, without a log and at O(1) an event.
//
// Thread-safety: a record's counters have one writer at a time, whoever holds the GIL or the one thread the record
// belongs to (see is_thread_record). They are written with plain stores; readers on other threads see each number
// whole, though perhaps not all of one event.
// Budget: 32 + 8 bytes a record; the free path touches one aligned half of a cache line, the allocation path one line
// more.
#pragma once

#include <atomic>
#include <cstdint>

#include "src/base/hot.h"
#include "src/base/types.h"
#include "src/mem/chunked_array.h"

namespace memtrace {

// A number with one writer: no read-modify-write instruction is ever needed.
template <typename T>
class Counter {
 public:
  MT_HOT T get() const noexcept { return value_.load(std::memory_order_relaxed); }
  MT_HOT void set(T value) noexcept { value_.store(value, std::memory_order_relaxed); }
  // Both return the new value: reading it back would wait for the store.
  MT_HOT T add(T amount) noexcept {
    const T value = static_cast<T>(get() + amount);
    set(value);
    return value;
  }
  MT_HOT T subtract(T amount) noexcept { return add(static_cast<T>(T{} - amount)); }

 private:
  std::atomic<T> value_;
};

struct LiveCounters {
  Counter<std::uint64_t> bytes;
  Counter<std::uint64_t> saved_bytes;
  Counter<std::uint32_t> count;
  Counter<std::uint32_t> saved_count;
  Counter<std::uint32_t> epoch;  // of the peak after which saved_* were saved
  Counter<std::uint32_t> allocations;  // modulo 2^32: see wraps_
};
static_assert(sizeof(LiveCounters) == 32);

struct Amount {
  std::uint64_t count = 0;
  std::uint64_t bytes = 0;

  friend bool operator==(const Amount&, const Amount&) = default;
};

class Counters {
 public:
  // Room for `record`. False when memory cannot be had.
  bool ensure(RecordId record) noexcept { return chunks_.ensure(record >> kChunkBits); }

  // pre: ensure(record) held once.
  MT_HOT void allocated(RecordId record, std::uint64_t bytes, std::uint32_t epoch) noexcept {
    Chunk& chunk = chunk_of(record);
    LiveCounters& live = chunk.live[record % kChunkSize];
    save(live, epoch);
    live.count.add(1);
    live.bytes.add(bytes);
    chunk.allocated_bytes[record % kChunkSize].add(bytes);
    if (live.allocations.add(1) == 0) [[unlikely]]
      note_wrap(record);
  }

  MT_HOT void freed(RecordId record, std::uint64_t bytes, std::uint32_t epoch) noexcept {
    LiveCounters& live = live_of(record);
    save(live, epoch);
    MT_ASSERT(live.count.get() > 0 && live.bytes.get() >= bytes);
    live.count.subtract(1);
    live.bytes.subtract(bytes);
  }

  bool has(RecordId record) const noexcept { return chunks_.has(record >> kChunkBits); }
  Amount live(RecordId record) const noexcept {
    const LiveCounters& live = live_of(record);
    return {live.count.get(), live.bytes.get()};
  }
  Amount at_peak(RecordId record, std::uint32_t epoch) const noexcept {
    const LiveCounters& live = live_of(record);
    if (live.epoch.get() != epoch) return {live.count.get(), live.bytes.get()};
    return {live.saved_count.get(), live.saved_bytes.get()};
  }
  Amount total(RecordId record) const noexcept {
    std::uint64_t wraps = 0;
    for (std::uint32_t i = 1; i < wraps_.end(); ++i) wraps += wraps_[i].get() == record;
    const Chunk& chunk = chunk_of(record);
    const std::uint32_t index = record % kChunkSize;
    return {(wraps << 32) + chunk.live[index].allocations.get(), chunk.allocated_bytes[index].get()};
  }

  // After 2^32 peaks: makes all saved values invalid, as at the start. pre: the caller is the only writer.
  void forget_epochs(RecordId end) noexcept {
    for (RecordId record = 1; record < end; ++record)
      if (has(record)) live_of(record).epoch.set(0);
  }
  // Live counters back to zero, to be counted anew. pre: the caller is the only writer.
  void clear_live(RecordId record) noexcept {
    live_of(record).count.set(0);
    live_of(record).bytes.set(0);
  }
  void add_live(RecordId record, std::uint64_t bytes) noexcept {
    live_of(record).count.add(1);
    live_of(record).bytes.add(bytes);
  }

  std::size_t resident_bytes() const noexcept { return chunks_.resident_bytes() + wraps_.resident_bytes(); }

 private:
  static constexpr unsigned kChunkBits = 16;
  static constexpr std::uint32_t kChunkSize = 1u << kChunkBits;
  static constexpr unsigned kChunks = kRecordLimit >> kChunkBits;

  // Found by one look into the directory.
  struct Chunk {
    LiveCounters live[kChunkSize];
    Counter<std::uint64_t> allocated_bytes[kChunkSize];
  };

  Chunk& chunk_of(RecordId record) noexcept { return chunks_[record >> kChunkBits]; }
  const Chunk& chunk_of(RecordId record) const noexcept { return chunks_[record >> kChunkBits]; }
  LiveCounters& live_of(RecordId record) noexcept { return chunk_of(record).live[record % kChunkSize]; }
  const LiveCounters& live_of(RecordId record) const noexcept { return chunk_of(record).live[record % kChunkSize]; }

  MT_HOT static void save(LiveCounters& live, std::uint32_t epoch) noexcept {
    if (live.epoch.get() == epoch) return;
    live.saved_count.set(live.count.get());
    live.saved_bytes.set(live.bytes.get());
    live.epoch.set(epoch);
  }

  [[gnu::noinline]] void note_wrap(RecordId record) noexcept {
    if (const std::uint32_t entry = wraps_.append()) wraps_[entry].set(record);
  }

  ChunkedArray<Chunk, 0, kChunks> chunks_;
  // One entry for each 2^32 allocations of a record.
  AppendArray<Counter<RecordId>, 9, 4096> wraps_;
};

}  // namespace memtrace
