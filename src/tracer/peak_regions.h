// Peaks over many spans of time at once, each with its breakdown: since the start, and in every open region.
//
// The era keeps one peak: the largest total since some moment, and by its records' saved counters what was live then.
// That serves the time since the last region was opened. What was before is kept aside, as one *segment* from each
// moment at which an open region began to the next: the segment's peak and a copy of its breakdown. The peak of a
// region is the largest of its segments. Segments between which no open region begins any more become one: their
// larger peak stays.
//
//     time ────►     open A        open B         now
//     segments   ...   │  copy       │  the era's
//     peak of A        └─────────────┴───────────►
//     peak of B                      └───────────►
//
// Regions need not be nested: any may be closed at any time. An event costs the same however many are open; opening one
// costs a copy of the records that were live at the era's peak (16 bytes each), unless that copy is at hand still.
//
// Exact for exclusive events. Each thread that allocates otherwise can hide up to Era::kPendingLimit bytes, and change
// a record while it is copied.
// Thread-safety: the caller holds the lock under which eras come and go.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "src/mem/heap.h"
#include "src/tracer/era.h"

namespace memtrace {

class PeakRegions {
  struct Segment;

 public:
  class Region {
    friend class PeakRegions;
    Segment* first = nullptr;  // null: it begins with the newest segment
    Region* next = nullptr;
  };

  PeakRegions() noexcept = default;
  PeakRegions(const PeakRegions&) = delete;
  PeakRegions& operator=(const PeakRegions&) = delete;

  // The one that is always open: since the era began, or since its last reset().
  Region& whole() noexcept { return whole_; }

  // Null, and nothing changed, when memory cannot be had.
  Region* open(Era& era, const ThreadList& threads) noexcept;
  // `era` is null when nothing is traced.
  void close(Region* region, Era* era) noexcept;
  // Lets whole() begin now. False, and nothing changed, when memory cannot be had.
  bool reset(Era& era, const ThreadList& threads) noexcept;
  // Lets all regions begin now: another era has begun, or the last one ended.
  void restart() noexcept;

  Era::Traced traced(const Region& region, const Era& era, const ThreadList& threads) const noexcept;
  // Calls visit(record, Amount) for each record that was live at the region's peak.
  template <typename Visit>
  void for_each_at_peak(const Region& region, const Era& era, const ThreadList& threads, Visit&& visit) const;

 private:
  static constexpr RecordId kIsSample = kRecordLimit;
  struct Share {
    RecordId record;  // with kIsSample
    std::uint32_t count;
    std::uint64_t bytes;
  };

  // What was live at a peak.
  struct Breakdown {
    heap::Buffer<Share> shares;
    std::size_t size = 0;
    // Of the shares that are samples, in the same order.
    heap::Buffer<Spread> spreads;
    std::size_t sampled = 0;

    // False when memory cannot be had.
    bool add(RecordId record, const Amount& amount) noexcept {
      const bool is_sample = amount.spread != Spread{};
      if (!shares.reserve(size + 1, size) || (is_sample && !spreads.reserve(sampled + 1, sampled))) return false;
      if (is_sample) spreads[sampled++] = amount.spread;
      shares[size++] = {record | (is_sample ? kIsSample : 0), static_cast<std::uint32_t>(amount.count), amount.bytes};
      return true;
    }
    template <typename Visit>
    void for_each(Visit&& visit) const {
      std::size_t at = 0;
      for (std::size_t i = 0; i < size; ++i) {
        const bool is_sample = (shares[i].record & kIsSample) != 0;
        visit(shares[i].record & ~kIsSample,
              Amount{shares[i].count, shares[i].bytes, is_sample ? spreads[at++] : Spread{}});
      }
    }
  };

  // At least one open region begins with each.
  struct Segment {
    std::int64_t peak = 0;
    Breakdown breakdown;
    Segment* older = nullptr;
  };

  // The segment with the region's peak; null for the newest one, whose peak is the era's.
  const Segment* highest(const Region& region, const Era& era) const noexcept;
  // Ends the newest segment and begins another, with which no region begins yet. False, and nothing changed, when memory
  // cannot be had.
  bool divide(Era& era, const ThreadList& threads) noexcept;
  // The same without the need to keep what was.
  void begin_anew(Era& era, const ThreadList& threads) noexcept;
  // No region may begin with `segment` (null: the newest) any more: makes it one with the next older.
  void tidy(Segment* segment, Era& era) noexcept;
  void forget_segments() noexcept;
  bool has_start(const Segment* segment) const noexcept;
  void move_starts(const Segment* from, Segment* to) noexcept;
  bool is_put_aside(const Era& era) const noexcept { return aside_epoch_ == era.epoch(); }

  Region whole_;  // the list of open regions begins here
  Segment* newest_older_ = nullptr;  // the next older than the newest
  // The breakdown at the era's peak where that is one of before: as long as the epoch is this one.
  Breakdown aside_;
  std::uint32_t aside_epoch_ = 0;
};

template <typename Visit>
void PeakRegions::for_each_at_peak(const Region& region, const Era& era, const ThreadList& threads,
                                   Visit&& visit) const {
  if (const Segment* segment = highest(region, era)) return segment->breakdown.for_each(visit);
  if (is_put_aside(era)) return aside_.for_each(visit);
  era.for_each_at_peak(threads, visit);
}

}  // namespace memtrace
