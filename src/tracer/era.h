// An era: all that is recorded from one start() or clear_traces() to the next, or to stop().
//
// Events come in two kinds. An *exclusive* one holds the main interpreter's GIL and writes counters and totals with
// plain stores. Any other (a RAW call with the GIL released, an interpreter with its own GIL, a free-threaded build)
// writes records that belong to its thread alone, and keeps frees of other records in its ledger and its bytes in
// `pending`.
//
// Totals are exact when read. The peak is exact as long as events are exclusive; each thread that allocates otherwise
// can hide up to kPendingLimit bytes of it. Budget of an exclusive event, capture not included: one slot, one record
// (half a line), one line of totals; no atomic read-modify-write, no branch that is not predicted.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>

#include "src/base/hot.h"
#include "src/intern/space_table.h"
#include "src/intern/tables.h"
#include "src/mem/mapped.h"
#include "src/table/address_table.h"
#include "src/table/block_table.h"
#include "src/tracer/counters.h"
#include "src/tracer/sample_counters.h"
#include "src/tracer/sample_filter.h"
#include "src/tracer/spare_ledger.h"
#include "src/tracer/thread_state.h"

namespace memtrace {

// Tables with a reference count: the era has one reference, each snapshot another.
class SharedTables : public Tables {
 public:
  void retain() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
  void release() noexcept {
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) destroy_mapped(this);
  }

 private:
  std::atomic<std::uint32_t> references_{1};
};

// How an era samples, if it does.
struct Sampling {
  // Where its blocks are noted; null: each block is recorded, always.
  SampleFilter* filter = nullptr;
  std::uint64_t interval = 0;
  // Or each block is recorded, until sample_less() says otherwise.
  bool from_start = true;
  std::uint64_t seed = 0;
};

// Which kind an event is of: whether it may write what the main interpreter's GIL protects.
enum class Access { kExclusive, kApart };

class Era {
 public:
  static constexpr std::int64_t kPendingLimit = 64 * 1024;

  // Null when memory cannot be had.
  static Era* make(std::uint64_t number, std::uint32_t nframe, const Sampling& sampling = {}) noexcept;
  static void destroy(Era* era) noexcept;

  Tables& tables() noexcept { return *tables_; }
  SharedTables& shared_tables() noexcept { return *tables_; }
  std::uint64_t number() const noexcept { return number_; }
  std::uint32_t nframe() const noexcept { return nframe_; }

  // Since it began.
  std::uint64_t microseconds() const noexcept;

  // --- events; `thread` is the caller's own state

  // The record of an allocation at `site`, called from `parent`; kNone when memory cannot be had.
  RecordId record(NodeId parent, SiteId site, ContextId context, RecordRun* run) noexcept {
    const RecordId id = tables_->tree.record(parent, site, context, run);
    const bool counted = id != kNone && counters_.ensure(id) && (sampling_of(id) == 0 || samples_.ensure(id));
    return counted ? id : kNone;
  }

  // Enters a block. pre: the caller owns it, and `record` is from record().
  MT_HOT void add(Access access, ThreadState& thread, const void* address, std::uint64_t size,
                  RecordId record) noexcept {
    if (!BlockTable::covers(address) || !blocks_.add_plain(address, record, size)) [[unlikely]]
      return add_at_length(access, thread, address, size, record);
    thread.allocates(address);
    account_allocation(access, thread, record, size);
  }

  // Takes a block out of the table and counts it out. True when it was a registered code object.
  MT_HOT bool remove(Access access, ThreadState& thread, const void* address) noexcept {
    if (access == Access::kApart || !BlockTable::covers(address)) [[unlikely]]
      return untrack(access, thread, 0, address_of(address));
    const BlockTable::Found block = blocks_.look_at(address);
    if (block.kind() == BlockTable::Kind::kNone) return false;
    if (block.kind() != BlockTable::Kind::kPlain) [[unlikely]]
      return untrack(access, thread, 0, address_of(address));
    block.take();
    account_exclusive_free(block.record(), block.size(), [&]() MT_HOT_LAMBDA { return thread.is_latest(address); });
    return false;
  }

  // The first half of remove(): the counters still have the block. Finish with account_free() or put_back().
  MT_HOT Block take(const void* address) noexcept {
    if (!BlockTable::covers(address)) [[unlikely]]
      return take_other(0, address_of(address));
    return blocks_.take(address);
  }
  // The same wherever the era keeps its blocks.
  MT_COLD Block take_any(const void* address) noexcept;
  MT_COLD void put_back(const void* address, const Block& block) noexcept;

  MT_HOT bool account_free(Access access, ThreadState& thread, Block block, bool was_temporary = false) noexcept {
    if (block.record != kNone) {
      if (access == Access::kExclusive && !is_thread_record(block.record)) [[likely]]
        account_exclusive_free(block.record, block.size, [&]() MT_HOT_LAMBDA { return was_temporary; });
      else
        account_free_apart(access, thread, block, was_temporary);
    }
    return block.code != kNone;
  }

  // Gives a live block to the record that `capture()` says: it was reused without being freed, which is the end of one
  // and the begin of another. A block that is not traced stays so, at the price of a look: free lists are full of blocks
  // older than the trace. pre: the caller owns it.
  template <typename Capture>
  void reassign(Access access, ThreadState& thread, const void* address, Capture&& capture) noexcept {
    if (!BlockTable::covers(address)) [[unlikely]]
      return reassign_odd(access, thread, address, capture());
    RecordId record = kNone;
    const Block block = blocks_.exchange_record(address, [&] { return record = capture(); });
    if (block.record == kNone) return;
    if (record == kNone) return drop();
    reassign_fully(access, thread, address, block, record);
  }
  // The same for an exclusive event. False, and nothing changed, where it takes more: `capture()` has said kNone, or the
  // block is of a rare kind.
  template <typename Capture>
  MT_HOT bool try_reassign(ThreadState& thread, const void* address, Capture&& capture) noexcept {
    if (!BlockTable::covers(address)) [[unlikely]]
      return false;
    const BlockTable::Found block = blocks_.look_at(address);
    if (block.kind() != BlockTable::Kind::kPlain) return block.kind() == BlockTable::Kind::kNone;
    const RecordId record = capture();
    if (record == kNone) [[unlikely]]
      return false;
    const bool was_temporary = thread.is_latest(address);
    thread.allocates(address);
    const auto is_temporary = [&]() MT_HOT_LAMBDA { return was_temporary; };
    // The total stays as it is.
    if (record == block.record()) {
      counters_.renewed(record, block.size(), is_temporary);
      return true;
    }
    block.give_to(record);
    const std::uint32_t epoch = this->epoch();
    counters_.freed(block.record(), block.size(), epoch, is_temporary);
    counters_.allocated(record, block.size(), epoch);
    return true;
  }

  // The same for any domain: a library reports blocks of its own. They need not be memory, so their addresses are
  // numbers. And the same for samples: in an era that can have them, blocks come and go by these.
  MT_COLD void track(Access access, ThreadState& thread, Domain domain, std::uint64_t address, std::uint64_t size,
                     RecordId record) noexcept;
  MT_COLD bool untrack(Access access, ThreadState& thread, Domain domain, std::uint64_t address) noexcept;

  // As of the block table: see there. pre: BlockTable::reaches(address).
  CodeId code_at(const void* address) const noexcept {
    return is_sparse() ? marks_->find(0, address_of(address)).record : blocks_.code_at(address);
  }
  bool mark_code(const void* address, CodeId code) noexcept;

  Block find(const void* address) const noexcept { return find(0, address_of(address)); }
  Block find(Domain domain, std::uint64_t address) const noexcept;
  BlockTable& blocks() noexcept { return blocks_; }
  const BlockTable& blocks() const noexcept { return blocks_; }
  const AddressTable& other_blocks() const noexcept { return others_; }

  // --- samples

  // Whether blocks of this era can be samples. Their records are of the threads' half of the ids, whoever holds which
  // GIL: what an exclusive event does at once leaves those to account_free_apart().
  bool can_sample() const noexcept { return sampling_.filter != nullptr; }
  // What contexts of now are tagged with, 0 when each block is recorded, and what that means in bytes.
  std::uint32_t sampling() const noexcept { return level_.load(std::memory_order_relaxed); }
  std::uint64_t interval_of(std::uint32_t sampling) const noexcept {
    return sampling == 0 ? 0 : sampling_.interval << (sampling - 1);
  }
  Sampler::Plan plan() const noexcept { return {sampling() + std::uint64_t{1}, interval_of(sampling())}; }
  // That of the record's context.
  std::uint32_t sampling_of(RecordId record) const noexcept {
    return can_sample() && is_thread_record(record) ? tables_->contexts[tables_->tree.key(record).context].sampling : 0;
  }
  // For one thread's sequence of random numbers.
  std::uint64_t next_seed() noexcept;
  // From here on blocks are sampled, or at twice the interval. False when that is as large as it gets. One at a time;
  // whoever calls it then lets threads forget() and changes the version. pre: can_sample().
  bool sample_less() noexcept;
  // A block is gone from there; the second half of take().
  void forget_free(const void* address, const Block& block) noexcept {
    if (!can_sample()) return;
    if (block.record != kNone) sampling_.filter->remove(address);
    if (block.code != kNone) sampling_.filter->remove(address);
  }
  // What one block of the record's stands for; a whole block where it is no sample.
  Weight weight_of(RecordId record, std::uint64_t size) const noexcept;

  void drop() noexcept { dropped_.fetch_add(1, std::memory_order_relaxed); }
  std::uint64_t dropped() const noexcept { return dropped_.load(std::memory_order_relaxed); }

  // --- reading; with the GIL held

  struct Traced {
    std::uint64_t current;
    std::uint64_t peak;
  };
  Traced traced(const ThreadList& threads) const noexcept;
  std::int64_t peak() const noexcept { return peak_.load(std::memory_order_relaxed); }
  // Another with each new peak.
  std::uint32_t epoch() const noexcept { return epoch_.load(std::memory_order_relaxed); }
  // The peak is now.
  void reset_peak(const ThreadList& threads) noexcept { resume_peak(total(threads)); }
  // The peak is one of before, not below the total of now. What for_each_at_peak() says is good from the next peak on.
  void resume_peak(std::int64_t bytes) noexcept {
    peak_.store(bytes, std::memory_order_relaxed);
    next_epoch();
  }

  // Calls visit(record, Amount) for each record with live blocks.
  template <typename Visit>
  void for_each_live(const ThreadList& threads, Visit&& visit) const {
    for_each(
        threads, [&](RecordId record) { return counters_.live(record); },
        [](const auto& ledger, RecordId record) { return ledger.freed_of(record); }, visit);
    for_each_sampled([&](RecordId record) { return samples_.live(record); }, visit);
  }
  // The same for what was live at the peak.
  template <typename Visit>
  void for_each_at_peak(const ThreadList& threads, Visit&& visit) const {
    const std::uint32_t epoch = this->epoch();
    for_each(
        threads, [&](RecordId record) { return counters_.at_peak(record, epoch); },
        [&](const auto& ledger, RecordId record) { return ledger.freed_at_peak(record, epoch); }, visit);
    for_each_sampled([&](RecordId record) { return samples_.at_peak(record, epoch); }, visit);
  }

  // What of a record has come and gone since the era began.
  struct Churned {
    Amount allocated;
    Amount freed;
    Amount temporary;  // of what was freed: ended before its thread's next allocation but one
  };
  // Calls visit(record, Amount that is live, Churned) for each record that a block was ever allocated from.
  template <typename Visit>
  void for_each_ever(const ThreadList& threads, Visit&& visit) const;
  // All that was ever allocated. O(records).
  Amount allocated() const noexcept;

  // The live counters anew, from the blocks: after a fork() that caught other threads in the middle of an event. pre:
  // the only thread.
  void recount(ThreadList& threads) noexcept;

  std::size_t resident_bytes() const noexcept;
  // What can be resident of what grows, but for the block table, without asking the system: O(1).
  std::size_t used_bytes() const noexcept;
  std::size_t block_table_bytes() const noexcept { return blocks_.resident_bytes(); }
  std::size_t counter_bytes() const noexcept { return counters_.resident_bytes() + samples_.resident_bytes(); }

 private:
  template <typename T, typename... Args>
  friend T* make_mapped(Args&&...) noexcept;
  template <typename T>
  friend void destroy_mapped(T*) noexcept;

  Era(SharedTables* tables, AddressTable* marks, std::uint64_t number, std::uint32_t nframe,
      const Sampling& sampling) noexcept
      : tables_(tables),
        number_(number),
        nframe_(nframe),
        begin_(std::chrono::steady_clock::now()),
        sampling_(sampling),
        level_(marks != nullptr ? 1 : 0),
        marks_(marks) {}
  ~Era() {
    destroy_mapped(marks_);
    tables_->release();
  }

  template <typename IsTemporary>
  MT_HOT void account_exclusive_free(RecordId record, std::uint64_t size, IsTemporary&& is_temporary) noexcept {
    current_.subtract(static_cast<std::int64_t>(size));
    counters_.freed(record, size, epoch(), is_temporary);
  }

  MT_HOT void account_allocation(Access access, ThreadState& thread, RecordId record, std::uint64_t size) noexcept {
    if (access == Access::kApart) return account_allocation_apart(thread, record, size);
    if (thread.pending.get() != 0) [[unlikely]]
      return account_allocation_and_pending(thread, record, size);
    const std::uint32_t epoch = this->epoch();
    const std::int64_t total =
        current_.add_and_get(static_cast<std::int64_t>(size)) + elsewhere_.load(std::memory_order_relaxed);
    if (total > peak_.load(std::memory_order_relaxed)) {
      peak_.store(total, std::memory_order_relaxed);
      if (epoch == kLastEpoch) [[unlikely]]
        return account_last_epoch(record, size);
      epoch_.store(epoch + 1, std::memory_order_relaxed);
    }
    // Last, for nothing is then to be kept over a call. The block is part of a new peak all the same: it is the old one's
    // counters that are saved, if any.
    counters_.allocated(record, size, epoch);
  }

  template <typename Amounts, typename Freed, typename Visit>
  void for_each(const ThreadList& threads, Amounts&& amount_of, Freed&& freed_of, Visit& visit) const;
  // Calls visit(record) for each that has counters.
  template <typename Visit>
  void for_each_record(Visit&& visit) const;
  bool has_ledgers(const ThreadList& threads) const noexcept;
  template <typename AmountOf>
  Amount sum_of_ledgers(RecordId record, const ThreadList& threads, AmountOf&& amount_of) const noexcept;
  template <typename Amounts, typename Visit>
  void for_each_sampled(Amounts&& amount_of, Visit&& visit) const;
  static Amount less(const Amount& allocated, const Amount& freed) noexcept;
  // Of what happens meanwhile one number may have more than another.
  static Amount rest(const Amount& whole, const Amount& part) noexcept {
    return {whole.count - std::min(whole.count, part.count), whole.bytes - std::min(whole.bytes, part.bytes)};
  }

  // A new peak: what the records saved is no longer of interest.
  void next_epoch() noexcept {
    if (epoch() == kLastEpoch) return wrap_epoch();
    epoch_.store(epoch() + 1, std::memory_order_relaxed);
  }

  MT_COLD void add_at_length(Access access, ThreadState& thread, const void* address, std::uint64_t size,
                             RecordId record) noexcept;
  MT_COLD void account_allocation_and_pending(ThreadState& thread, RecordId record, std::uint64_t size) noexcept;
  MT_COLD void account_last_epoch(RecordId record, std::uint64_t size) noexcept;
  static std::uint64_t address_of(const void* address) noexcept { return reinterpret_cast<std::uintptr_t>(address); }
  static const void* pointer_to(std::uint64_t address) noexcept { return reinterpret_cast<const void*>(address); }
  // Samples from all over the heap would each take a page of the block table: they are kept as other domains' blocks are.
  bool is_sparse() const noexcept { return marks_ != nullptr; }
  // Whether the block table has the domain's block at `address`; `others_` has it otherwise.
  bool is_in_block_table(Domain domain, std::uint64_t address) const noexcept {
    return domain == 0 && !is_sparse() && BlockTable::covers(pointer_to(address));
  }
  MT_COLD Block take_other(Domain domain, std::uint64_t address) noexcept;
  MT_COLD void reassign_odd(Access access, ThreadState& thread, const void* address, RecordId record) noexcept;
  MT_COLD void reassign_fully(Access access, ThreadState& thread, const void* address, Block block,
                              RecordId record) noexcept;
  MT_COLD void account_allocation_apart(ThreadState& thread, RecordId record, std::uint64_t size) noexcept;
  MT_COLD void account_free_apart(Access access, ThreadState& thread, Block block, bool was_temporary) noexcept;
  void add_pending(ThreadState& thread, std::int64_t bytes) noexcept;
  void add_elsewhere(std::int64_t bytes) noexcept;
  // For records of any kind.
  void account_any_allocation(Access access, ThreadState& thread, RecordId record, std::uint64_t size) noexcept;
  // Notes an address at which a free is to be looked at.
  void expect_free(const void* address) noexcept {
    if (can_sample()) sampling_.filter->add(address);
  }
  void count_sample(const Block& block, bool freed) noexcept;
  void wrap_epoch() noexcept;
  Ledger* ledger_of(ThreadState& thread) noexcept;
  std::int64_t total(const ThreadList& threads) const noexcept;

  static constexpr std::uint32_t kLastEpoch = ~std::uint32_t{0};

  // Together on one line: all that an exclusive event writes besides its block and its record.
  alignas(64) Counter<std::int64_t> current_{};  // bytes of exclusive events
  std::atomic<std::int64_t> peak_{0};
  std::atomic<std::uint32_t> epoch_{1};
  // Rarely written: bytes that other threads' events have handed over.
  alignas(64) std::atomic<std::int64_t> elsewhere_{0};
  std::atomic<std::uint64_t> dropped_{0};
  // Only read.
  alignas(64) SharedTables* const tables_;
  const std::uint64_t number_;
  const std::uint32_t nframe_;
  const std::chrono::steady_clock::time_point begin_;
  const Sampling sampling_;
  std::atomic<std::uint32_t> level_;
  std::atomic<std::uint64_t> seeds_{0};
  Counters counters_;
  SampleCounters samples_;
  SpareLedger spare_;
  SpaceTable spaces_;
  AddressTable others_;
  AddressTable* const marks_;  // codes of registered code objects; null but in a sparse era
  BlockTable blocks_;
};

template <typename Visit>
void Era::for_each_record(Visit&& visit) const {
  for (const bool thread_half : {false, true}) {
    const RecordId end = tables_->tree.record_end(thread_half);
    for (RecordId record = thread_half ? kThreadRecords + 1 : 1; record < end; ++record)
      if (counters_.has(record)) visit(record);
  }
}

template <typename Amounts, typename Freed, typename Visit>
void Era::for_each(const ThreadList& threads, Amounts&& amount_of, Freed&& freed_of, Visit& visit) const {
  const bool ledgers = has_ledgers(threads);
  for_each_record([&](RecordId record) {
    Amount amount = amount_of(record);
    if (amount.count == 0 && amount.bytes == 0) return;
    if (ledgers) amount = less(amount, sum_of_ledgers(record, threads, freed_of));
    if (amount.count != 0) visit(record, amount);
  });
}

template <typename Visit>
void Era::for_each_ever(const ThreadList& threads, Visit&& visit) const {
  const bool ledgers = has_ledgers(threads);
  for_each_record([&](RecordId record) {
    Amount live = counters_.live(record);
    Churned churned;
    churned.temporary = counters_.temporary(record);
    if (ledgers) {
      const auto freed = [](const auto& ledger, RecordId id) { return ledger.freed_of(id); };
      const auto temporary = [](const auto& ledger, RecordId id) { return ledger.temporary_of(id); };
      live = less(live, sum_of_ledgers(record, threads, freed));
      const Amount elsewhere = sum_of_ledgers(record, threads, temporary);
      churned.temporary.count += elsewhere.count;
      churned.temporary.bytes += elsewhere.bytes;
    }
    churned.allocated = counters_.total(record);
    if (churned.allocated.count == 0) return;
    churned.freed = rest(churned.allocated, live);
    visit(record, live, churned);
  });
  // Of samples nobody knows which were temporary: what their thread has allocated meanwhile was not seen.
  for_each_sampled([&](RecordId record) { return samples_.total(record); },
                   [&](RecordId record, const Amount& total) {
                     const Amount live = samples_.live(record);
                     visit(record, live, Churned{total, rest(total, live), {}});
                   });
}

// Of the threads' half, in which all samples are.
template <typename Amounts, typename Visit>
void Era::for_each_sampled(Amounts&& amount_of, Visit&& visit) const {
  if (!can_sample()) return;
  const RecordId end = tables_->tree.record_end(true);
  for (RecordId record = kThreadRecords + 1; record < end; ++record) {
    if (!samples_.has(record)) continue;
    const Amount amount = amount_of(record);
    if (amount.count != 0) visit(record, amount);
  }
}

// What all ledgers say by amount_of(ledger, record).
template <typename AmountOf>
Amount Era::sum_of_ledgers(RecordId record, const ThreadList& threads, AmountOf&& amount_of) const noexcept {
  Amount sum = spare_.in_use() ? amount_of(spare_, record) : Amount{};
  for (const ThreadState* state = threads.first(); state != nullptr; state = state->next) {
    if (state->ledger_era.load(std::memory_order_acquire) != number_) continue;
    const Amount here = amount_of(*state->ledger.load(std::memory_order_acquire), record);
    sum.count += here.count;
    sum.bytes += here.bytes;
  }
  return sum;
}

}  // namespace memtrace
