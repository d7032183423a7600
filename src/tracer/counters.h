// The counters of the records: live now, live at the peak, ever allocated, and what of that was temporary.
//
// A record saves its live counters the first time it changes after a new peak (its epoch differs from the peak's), so
// the breakdown at the peak is always at hand, without a log and at O(1) an event.
//
// Thread-safety: a record's counters have one writer at a time, whoever holds the GIL or the one thread the record
// belongs to (see is_thread_record). They are written with plain stores; readers on other threads see each number
// whole, though perhaps not all of one event.
// Budget: 32 + 8 + 16 bytes a record; an event touches one aligned half of a cache line, the first one after a new peak
// and the end of a temporary block a line more.
#pragma once

#include <atomic>
#include <cstdint>
#include <type_traits>

#include "src/base/hot.h"
#include "src/base/sampling.h"
#include "src/base/types.h"
#include "src/mem/chunked_array.h"

#if defined(__x86_64__) && !defined(__SANITIZE_THREAD__)
#define MT_HAS_ADD_TO_MEMORY 1
#else
#define MT_HAS_ADD_TO_MEMORY 0
#endif

namespace memtrace {

// A number with one writer: no locked instruction is ever needed.
//
// To a compiler an atomic is opaque: what changes one in memory is a load, an addition and a store, and a register. Written
// here as the one instruction that they are on x86, for a hook has few registers that it need not save.
template <typename T>
class Counter {
 public:
  MT_HOT T get() const noexcept { return value_.load(std::memory_order_relaxed); }
  MT_HOT void set(T value) noexcept { value_.store(value, std::memory_order_relaxed); }
  MT_HOT void add(T amount) noexcept {
#if MT_HAS_ADD_TO_MEMORY
    static_assert(sizeof(T) == 8);
    asm("addq %1, %0" : "+m"(value_) : "er"(amount) : "cc");
#else
    add_and_get(amount);
#endif
  }
  MT_HOT void subtract(T amount) noexcept {
#if MT_HAS_ADD_TO_MEMORY
    static_assert(sizeof(T) == 8);
    asm("subq %1, %0" : "+m"(value_) : "er"(amount) : "cc");
#else
    add_and_get(static_cast<T>(T{} - amount));
#endif
  }
  // The new value: reading it back would wait for the store.
  MT_HOT T add_and_get(T amount) noexcept {
    const T value = static_cast<T>(get() + amount);
    set(value);
    return value;
  }
  // Whether the number began again at zero.
  MT_HOT bool add_and_wrap(T amount) noexcept {
    static_assert(std::is_unsigned_v<T> && sizeof(T) == 8);
#if MT_HAS_ADD_TO_MEMORY
    bool wrapped;
    asm("addq %2, %0" : "+m"(value_), "=@ccc"(wrapped) : "er"(amount));
    return wrapped;
#else
    return add_and_get(amount) < amount;
#endif
  }

 private:
  std::atomic<T> value_;
};

struct RecordCounters {
  Counter<std::uint64_t> bytes;  // live
  Counter<std::uint64_t> allocated_bytes;
  // In its halves allocations, modulo 2^32 (see wraps_), and of those the live ones: an allocation adds to both at once.
  Counter<std::uint64_t> counts;
  Counter<std::uint32_t> saved_count;
  Counter<std::uint32_t> epoch;  // of the peak after which the live counters were saved

  static constexpr std::uint64_t kOneAllocation = std::uint64_t{1} << 32;

  std::uint32_t count() const noexcept { return static_cast<std::uint32_t>(counts.get()); }
  std::uint32_t allocations() const noexcept { return static_cast<std::uint32_t>(counts.get() >> 32); }
};
static_assert(sizeof(RecordCounters) == 32);

struct Amount {
  std::uint64_t count = 0;
  std::uint64_t bytes = 0;
  Spread spread{};  // of samples: then the above are estimates, and `count` is rounded

  friend bool operator==(const Amount&, const Amount&) = default;
};

class Counters {
 public:
  // Room for `record`. False when memory cannot be had.
  bool ensure(RecordId record) noexcept { return chunks_.ensure(record >> kChunkBits); }

  // pre: ensure(record) held once.
  MT_HOT void allocated(RecordId record, std::uint64_t bytes, std::uint32_t epoch) noexcept {
    Chunk& chunk = chunk_of(record);
    RecordCounters& counters = save(chunk, record, epoch);
    counters.bytes.add(bytes);
    counters.allocated_bytes.add(bytes);
    if (counters.counts.add_and_wrap(RecordCounters::kOneAllocation + 1)) [[unlikely]]
      note_wrap(record);
  }

  // `is_temporary()` says whether the block that ends was; asked last, so that it need not be kept.
  template <typename IsTemporary>
  MT_HOT void freed(RecordId record, std::uint64_t bytes, std::uint32_t epoch, IsTemporary&& is_temporary) noexcept {
    Chunk& chunk = chunk_of(record);
    RecordCounters& counters = save(chunk, record, epoch);
    MT_ASSERT(counters.count() > 0 && counters.bytes.get() >= bytes);
    counters.counts.subtract(1);
    counters.bytes.subtract(bytes);
    if (is_temporary()) was_temporary(chunk, record, bytes);
  }

  // A block of `record` ends and another takes its place: what is live stays as it is.
  template <typename IsTemporary>
  MT_HOT void renewed(RecordId record, std::uint64_t bytes, IsTemporary&& is_temporary) noexcept {
    Chunk& chunk = chunk_of(record);
    RecordCounters& counters = chunk.counters[record % kChunkSize];
    if (is_temporary()) was_temporary(chunk, record, bytes);
    counters.allocated_bytes.add(bytes);
    if (counters.counts.add_and_wrap(RecordCounters::kOneAllocation)) [[unlikely]]
      note_wrap(record);
  }

  bool has(RecordId record) const noexcept { return chunks_.has(record >> kChunkBits); }
  Amount live(RecordId record) const noexcept {
    const RecordCounters& counters = counters_of(record);
    return {counters.count(), counters.bytes.get()};
  }
  Amount at_peak(RecordId record, std::uint32_t epoch) const noexcept {
    const RecordCounters& counters = counters_of(record);
    if (counters.epoch.get() != epoch) return live(record);
    return {counters.saved_count.get(), chunk_of(record).saved_bytes[record % kChunkSize].get()};
  }
  Amount total(RecordId record) const noexcept {
    std::uint64_t wraps = 0;
    for (std::uint32_t i = 1; i < wraps_.end(); ++i) wraps += wraps_[i].get() == record;
    const RecordCounters& counters = counters_of(record);
    return {(wraps << 32) + counters.allocations(), counters.allocated_bytes.get()};
  }

  Amount temporary(RecordId record) const noexcept {
    const Sum& sum = chunk_of(record).temporary[record % kChunkSize];
    return {sum.count.get(), sum.bytes.get()};
  }

  // After 2^32 peaks: makes all saved values invalid, as at the start. pre: the caller is the only writer.
  void forget_epochs(RecordId end) noexcept {
    for (RecordId record = 1; record < end; ++record)
      if (has(record)) counters_of(record).epoch.set(0);
  }
  // Live counters back to zero, to be counted anew. pre: the caller is the only writer.
  void clear_live(RecordId record) noexcept {
    RecordCounters& counters = counters_of(record);
    counters.counts.subtract(counters.count());
    counters.bytes.set(0);
  }
  void add_live(RecordId record, std::uint64_t bytes) noexcept {
    counters_of(record).counts.add(1);
    counters_of(record).bytes.add(bytes);
  }

  std::size_t resident_bytes() const noexcept { return chunks_.resident_bytes() + wraps_.resident_bytes(); }

 private:
  static constexpr unsigned kChunkBits = 16;
  static constexpr std::uint32_t kChunkSize = 1u << kChunkBits;
  static constexpr unsigned kChunks = kRecordLimit >> kChunkBits;

  struct Sum {
    Counter<std::uint64_t> count;
    Counter<std::uint64_t> bytes;
  };

  // Found by one look into the directory.
  struct Chunk {
    RecordCounters counters[kChunkSize];
    Counter<std::uint64_t> saved_bytes[kChunkSize];
    Sum temporary[kChunkSize];
  };

  Chunk& chunk_of(RecordId record) noexcept { return chunks_[record >> kChunkBits]; }
  const Chunk& chunk_of(RecordId record) const noexcept { return chunks_[record >> kChunkBits]; }
  RecordCounters& counters_of(RecordId record) noexcept { return chunk_of(record).counters[record % kChunkSize]; }
  const RecordCounters& counters_of(RecordId record) const noexcept {
    return chunk_of(record).counters[record % kChunkSize];
  }

  // The counters of `record`, about to change.
  MT_HOT static RecordCounters& save(Chunk& chunk, RecordId record, std::uint32_t epoch) noexcept {
    RecordCounters& counters = chunk.counters[record % kChunkSize];
    if (counters.epoch.get() != epoch) {
      counters.saved_count.set(counters.count());
      chunk.saved_bytes[record % kChunkSize].set(counters.bytes.get());
      counters.epoch.set(epoch);
    }
    return counters;
  }

  MT_HOT static void was_temporary(Chunk& chunk, RecordId record, std::uint64_t bytes) noexcept {
    Sum& sum = chunk.temporary[record % kChunkSize];
    sum.count.add(1);
    sum.bytes.add(bytes);
  }

  MT_COLD void note_wrap(RecordId record) noexcept {
    if (const std::uint32_t entry = wraps_.append()) wraps_[entry].set(record);
  }

  ChunkedArray<Chunk, 0, kChunks> chunks_;
  // One entry for each 2^32 allocations of a record.
  AppendArray<Counter<RecordId>, 9, 4096> wraps_;
};

}  // namespace memtrace
