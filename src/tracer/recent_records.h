// The records that a thread has asked for lately. Loops ask for the same few again and again, and this answers without a
// walk over siblings.
//
// A direct-mapped table that begins small (8 KiB), as most threads stay in few places, and doubles, up to 256 KiB, when as
// many records as it has room for were driven out by others.
//
// Budget: a load and two compares.
// Thread-safety: belongs to one thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "src/base/hot.h"
#include "src/base/types.h"
#include "src/mem/heap.h"

namespace memtrace {

class RecentRecords {
 public:
  RecentRecords() = default;
  RecentRecords(const RecentRecords&) = delete;
  RecentRecords& operator=(const RecentRecords&) = delete;
  ~RecentRecords() { shrink(); }

  // What was remembered for `place` and `context`, if that was lately; else kNone.
  MT_HOT RecordId find(std::uint64_t place, ContextId context) const noexcept {
    const Entry& entry = entries_[index_of(place)];
    if (entry.place != place || entry.context != context) return kNone;
    // What is remembered is never none: this spares who asks a second branch.
    if (entry.record == kNone) __builtin_unreachable();
    return entry.record;
  }

  // `record` is not kNone.
  void remember(std::uint64_t place, ContextId context, RecordId record) noexcept {
    if (entries_[index_of(place)].record != kNone && ++driven_out_ > mask_) grow();
    entries_[index_of(place)] = {place, context, record};
  }

  // Back to the size of the beginning.
  void forget() noexcept {
    shrink();
    std::fill(first_, first_ + kFirst, Entry{});
  }
  // The same, without need to forget what there is room for.
  void shrink() noexcept {
    if (entries_ != first_) heap::release(entries_);
    entries_ = first_;
    mask_ = kFirst - 1;
    driven_out_ = 0;
  }

 private:
  struct Entry {
    std::uint64_t place;
    ContextId context;
    RecordId record;
  };

  static constexpr std::size_t kFirst = 512;
  static constexpr unsigned kMostBits = 14;
  static constexpr std::size_t kMost = std::size_t{1} << kMostBits;

  // The sites of one function lie side by side, those of different parents wherever their places' high bits say.
  std::size_t index_of(std::uint64_t place) const noexcept { return (place ^ place >> (64 - kMostBits)) & mask_; }

  MT_COLD void grow() noexcept {
    driven_out_ = 0;
    const std::size_t size = mask_ + 1;
    if (size == kMost) return;
    auto* const fresh = static_cast<Entry*>(heap::allocate(2 * size * sizeof(Entry)));
    if (fresh == nullptr) return;  // as many more have to be driven out before the next attempt
    Entry* const old = entries_;
    entries_ = fresh;
    mask_ = 2 * size - 1;
    std::fill(entries_, entries_ + 2 * size, Entry{});
    for (const Entry* entry = old; entry != old + size; ++entry)
      if (entry->record != kNone) entries_[index_of(entry->place)] = *entry;
    if (old != first_) heap::release(old);
  }

  Entry* entries_ = first_;
  std::size_t mask_ = kFirst - 1;
  std::size_t driven_out_ = 0;  // since the last growth
  Entry first_[kFirst] = {};
};

}  // namespace memtrace
