// Which era is current, and how it comes and goes.
//
// An exclusive event holds the main interpreter's GIL, under which begin() and end() run, so the era cannot change below
// it. Any other
// event brackets its use of the era by enter() and leave(); end() publishes the change and then waits until every
// thread has left the bracket that it was in. Such an event never blocks inside (it enters the kernel for memory at
// most), so the wait is short and cannot deadlock, whatever lock its caller holds; a thread that enters again at once
// cannot prolong it.
#pragma once

#include <atomic>
#include <cstdint>

#include "src/tracer/era.h"
#include "src/tracer/peak_regions.h"
#include "src/tracer/sample_filter.h"
#include "src/tracer/thread_state.h"

namespace memtrace {

// How the eras of a session sample.
struct SampleOptions {
  std::uint64_t interval = 0;  // mean distance of samples in bytes; 0: each block is recorded
  // Whether an era may have to record less than this at some time, to use less memory.
  bool limited = false;
  std::uint64_t seed = 0;

  // Of an era that records each block at first.
  static constexpr std::uint64_t kFirstInterval = 512 * 1024;

  bool can_sample() const noexcept { return limited || interval != 0; }
  friend bool operator==(const SampleOptions&, const SampleOptions&) = default;
};

class Control {
 public:
  // The era as an exclusive event sees it; null when nothing is traced.
  Era* era() const noexcept { return era_.load(std::memory_order_acquire); }
  // As above for any other event: null, or an era that stays until leave().
  Era* enter(ThreadState& thread) noexcept {
    // Both sequentially consistent: either end() sees the section, or this sees the era that end() has put in its
    // place.
    thread.section.store(++thread.sections, std::memory_order_seq_cst);
    return era_.load(std::memory_order_seq_cst);
  }
  void leave(ThreadState& thread) noexcept { thread.section.store(0, std::memory_order_release); }

  // Changes whenever something cached in a thread's state may no longer hold: another era or generation, or a code object
  // that died.
  std::uint64_t version(std::memory_order order = std::memory_order_relaxed) const noexcept {
    return version_.load(order);
  }
  // The part of a version that generations leave alone: where only the rest differs, what is known of stacks still holds.
  static constexpr std::uint64_t stack_version(std::uint64_t version) noexcept { return version / kStackVersion; }
  void invalidate() noexcept { version_.fetch_add(kStackVersion, std::memory_order_acq_rel); }

  // What allocations of now are of: the number of marks that were made in this process.
  std::uint32_t generation() const noexcept { return generation_.load(std::memory_order_relaxed); }
  // Begins another; returns it. What other threads do without the main interpreter's GIL may still be of the one before.
  std::uint32_t mark() noexcept {
    const std::uint32_t generation = generation_.fetch_add(1, std::memory_order_relaxed) + 1;
    version_.fetch_add(1, std::memory_order_acq_rel);
    return generation;
  }

  // Starts an era in place of the current one, if any. False, and nothing changed, when memory cannot be had. pre: the
  // GIL.
  bool begin(std::uint32_t nframe, const SampleOptions& options = {}) noexcept;
  // Ends the current era, if any. pre: the GIL.
  void end() noexcept { replace(nullptr); }

  // Where a free is looked at in an era with samples. It may be a moment older than the era: then the block is of the
  // one before, whose end is near.
  MT_HOT const SampleFilter& filter() const noexcept { return *filter_.load(std::memory_order_relaxed); }
  // From here on the era's blocks are sampled, or less often. False when there is no less. One at a time.
  bool sample_less(Era& era) noexcept;

  // What was not recorded since start(): the era's drops, and the events that could not even ask it.
  std::uint64_t dropped(const Era& era) const noexcept {
    return era.dropped() + dropped_.load(std::memory_order_relaxed);
  }
  void drop() noexcept { dropped_.fetch_add(1, std::memory_order_relaxed); }

  // Of the current era; all begin anew with each.
  PeakRegions& peaks() noexcept { return peaks_; }

  ThreadList& threads() noexcept { return threads_; }
  const ThreadList& threads() const noexcept { return threads_; }

  // In the child of a fork(): the other threads are gone, wherever they were. `own` is the survivor's state, or null.
  void after_fork_in_child(ThreadState* own) noexcept;

 private:
  // What invalidate() adds. Marks are counted below it; what carries over from them forgets stacks in vain.
  static constexpr std::uint64_t kStackVersion = std::uint64_t{1} << 24;

  void replace(Era* era) noexcept;
  void forget_samples_to_come() noexcept;

  std::atomic<Era*> era_{nullptr};
  std::atomic<std::uint64_t> version_{kStackVersion};
  std::atomic<std::uint32_t> generation_{0};
  std::atomic<std::uint64_t> dropped_{0};  // in the current era, of threads without a state
  std::uint64_t eras_ = 0;
  // Two in turn: that of the next era is emptied while the current one is in use.
  SampleFilter filters_[2];
  std::atomic<SampleFilter*> filter_{filters_};
  bool has_sampled_ = false;
  ThreadList threads_;
  PeakRegions peaks_;
};

}  // namespace memtrace
