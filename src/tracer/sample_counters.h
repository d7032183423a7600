// The counters of records whose blocks are samples: estimates of what they stand for, live, at the peak and ever.
//
// The counterpart of counters.h for the few events that are sampled. Any thread counts for any record, with atomic
// additions: there is one such event in `interval` bytes, so threads hardly meet, and neither ledgers nor pending bytes
// are needed.
//
// Thread-safety: lock-free. Of a record that several threads count for while there is a new peak, what was live at the
// peak may lack one of their blocks or have it twice.
// Memory: 96 bytes a record, of which an era without samples has none.
#pragma once

#include <atomic>
#include <cmath>
#include <cstdint>

#include "src/base/sampling.h"
#include "src/mem/chunked_array.h"
#include "src/tracer/counters.h"

namespace memtrace {

class SampleCounters {
 public:
  // Room for `record`. False when memory cannot be had.
  bool ensure(RecordId record) noexcept { return entries_.ensure(record); }

  // pre, for these: ensure(record) held once.
  void allocated(RecordId record, const Weight& weight, std::uint32_t epoch) noexcept {
    Entry& entry = entries_[record];
    save(entry, epoch);
    entry.live.add(weight, 1);
    entry.ever_bytes.fetch_add(weight.bytes, std::memory_order_relaxed);
    entry.ever_count.fetch_add(weight.spread.count, std::memory_order_relaxed);
  }
  void freed(RecordId record, const Weight& weight, std::uint32_t epoch) noexcept {
    Entry& entry = entries_[record];
    save(entry, epoch);
    entry.live.add(weight, -1);
  }

  bool has(RecordId record) const noexcept { return entries_.has(record); }
  Amount live(RecordId record) const noexcept { return entries_[record].live.amount(); }
  Amount at_peak(RecordId record, std::uint32_t epoch) const noexcept {
    const Entry& entry = entries_[record];
    return (entry.epoch.load(std::memory_order_acquire) == epoch ? entry.saved : entry.live).amount();
  }
  Amount total(RecordId record) const noexcept {
    const Entry& entry = entries_[record];
    const double count = entry.ever_count.load(std::memory_order_relaxed);
    return {rounded(count), entry.ever_bytes.load(std::memory_order_relaxed)};
  }

  // pre, for these: the caller is the only one who counts.
  void forget_epoch(RecordId record) noexcept { entries_[record].epoch.store(0, std::memory_order_relaxed); }
  void clear_live(RecordId record) noexcept { entries_[record].live.clear(); }
  void add_live(RecordId record, const Weight& weight) noexcept { entries_[record].live.add(weight, 1); }

  std::size_t resident_bytes() const noexcept { return entries_.resident_bytes(); }

 private:
  struct Sums {
    std::atomic<std::uint64_t> samples;
    std::atomic<std::uint64_t> bytes;
    std::atomic<double> count;
    std::atomic<double> count_variance;
    std::atomic<double> bytes_variance;

    void add(const Weight& weight, int sign) noexcept {
      const auto whole = static_cast<std::uint64_t>(std::int64_t{sign});
      samples.fetch_add(whole, std::memory_order_relaxed);
      bytes.fetch_add(whole * weight.bytes, std::memory_order_relaxed);
      count.fetch_add(sign * weight.spread.count, std::memory_order_relaxed);
      count_variance.fetch_add(sign * weight.spread.count_variance, std::memory_order_relaxed);
      bytes_variance.fetch_add(sign * weight.spread.bytes_variance, std::memory_order_relaxed);
    }
    void clear() noexcept {
      samples.store(0, std::memory_order_relaxed);
      bytes.store(0, std::memory_order_relaxed);
      for (auto* sum : {&count, &count_variance, &bytes_variance}) sum->store(0, std::memory_order_relaxed);
    }
    void copy(const Sums& other) noexcept {
      samples.store(other.samples.load(std::memory_order_relaxed), std::memory_order_relaxed);
      bytes.store(other.bytes.load(std::memory_order_relaxed), std::memory_order_relaxed);
      count.store(other.count.load(std::memory_order_relaxed), std::memory_order_relaxed);
      count_variance.store(other.count_variance.load(std::memory_order_relaxed), std::memory_order_relaxed);
      bytes_variance.store(other.bytes_variance.load(std::memory_order_relaxed), std::memory_order_relaxed);
    }
    // Empty without a sample, whatever rounding has left in the sums of others that came and went.
    Amount amount() const noexcept {
      if (samples.load(std::memory_order_relaxed) == 0) return {};
      const auto positive = [](const std::atomic<double>& sum) {
        return std::fmax(sum.load(std::memory_order_relaxed), 0);
      };
      const double blocks = positive(count);
      return {rounded(blocks), bytes.load(std::memory_order_relaxed),
              Spread{blocks, positive(count_variance), positive(bytes_variance)}};
    }
  };

  struct Entry {
    Sums live;
    Sums saved;
    std::atomic<std::uint64_t> ever_bytes;
    std::atomic<double> ever_count;
    std::atomic<std::uint32_t> epoch;
  };

 public:
  static constexpr std::size_t kBytesEach = sizeof(Entry);

 private:
  // `entry` is about to change.
  static void save(Entry& entry, std::uint32_t epoch) noexcept {
    if (entry.epoch.load(std::memory_order_relaxed) == epoch) return;
    entry.saved.copy(entry.live);
    entry.epoch.store(epoch, std::memory_order_release);
  }

  ChunkedArray<Entry, 16, (kRecordLimit >> 16)> entries_;
};

}  // namespace memtrace
