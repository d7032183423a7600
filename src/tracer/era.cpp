#include "src/tracer/era.h"

#include <algorithm>

namespace memtrace {

Era* Era::make(std::uint64_t number, std::uint32_t nframe, const Sampling& sampling) noexcept {
  SharedTables* tables = make_mapped<SharedTables>();
  if (tables == nullptr) return nullptr;
  const bool is_sparse = sampling.filter != nullptr && sampling.from_start;
  AddressTable* marks = is_sparse ? make_mapped<AddressTable>() : nullptr;
  const bool complete = tables->tree.open() && (marks != nullptr || !is_sparse);
  Era* era = complete ? make_mapped<Era>(tables, marks, number, nframe, sampling) : nullptr;
  if (era == nullptr) {
    destroy_mapped(marks);
    tables->release();
  }
  return era;
}

std::uint64_t Era::microseconds() const noexcept {
  using std::chrono::duration_cast, std::chrono::microseconds, std::chrono::steady_clock;
  return static_cast<std::uint64_t>(duration_cast<microseconds>(steady_clock::now() - begin_).count());
}

void Era::destroy(Era* era) noexcept { destroy_mapped(era); }

void Era::put_back(const void* address, const Block& block) noexcept {
  if (is_in_block_table(0, address_of(address))) return blocks_.put_back(address, block);
  if (block.code != kNone) mark_code(address, block.code);
  if (block.record != kNone) {
    Block replaced;
    const std::uint64_t number = address_of(address);
    others_.add(*spaces_.find(0, number), number & SpaceTable::kAddressMask, block.record, block.size, replaced);
  }
}

Block Era::find(Domain domain, std::uint64_t address) const noexcept {
  if (is_in_block_table(domain, address)) return blocks_.find(pointer_to(address));
  const auto space = spaces_.find(domain, address);
  return space ? others_.find(*space, address & SpaceTable::kAddressMask) : Block{};
}

void Era::add_at_length(Access access, ThreadState& thread, const void* address, std::uint64_t size,
                        RecordId record) noexcept {
  if (!is_in_block_table(0, address_of(address))) return track(access, thread, 0, address_of(address), size, record);
  const auto evict = [&](const Block& stale) { account_free(access, thread, stale); };
  if (!blocks_.add(address, record, size, evict)) return drop();
  expect_free(address);
  thread.allocates(address);
  account_any_allocation(access, thread, record, size);
}

void Era::track(Access access, ThreadState& thread, Domain domain, std::uint64_t address, std::uint64_t size,
                RecordId record) noexcept {
  if (is_in_block_table(domain, address)) return add_at_length(access, thread, pointer_to(address), size, record);
  const auto space = spaces_.intern(domain, address);
  Block replaced;
  if (!space || !others_.add(*space, address & SpaceTable::kAddressMask, record, size, replaced)) return drop();
  if (domain == 0) expect_free(pointer_to(address));
  account_free(access, thread, replaced, thread.is_latest(pointer_to(address)));
  thread.allocates(pointer_to(address));
  account_any_allocation(access, thread, record, size);
}

bool Era::untrack(Access access, ThreadState& thread, Domain domain, std::uint64_t address) noexcept {
  const Block block =
      is_in_block_table(domain, address) ? blocks_.take(pointer_to(address)) : take_other(domain, address);
  if (domain == 0) forget_free(pointer_to(address), block);
  return account_free(access, thread, block, thread.is_latest(pointer_to(address)));
}

Block Era::take_other(Domain domain, std::uint64_t address) noexcept {
  const auto space = spaces_.find(domain, address);
  Block block = space ? others_.take(*space, address & SpaceTable::kAddressMask) : Block{};
  const void* pointer = pointer_to(address);
  if (domain != 0 || !BlockTable::reaches(pointer)) return block;
  if (is_sparse()) {
    block.code = marks_->take(0, address).record;
    return block;
  }
  // A code object is marked in the slot of the 16 bytes it begins in, wherever its block is kept.
  block.code = blocks_.code_at(pointer);
  if (block.code != kNone) blocks_.unmark_code(pointer);
  return block;
}

void Era::reassign_odd(Access access, ThreadState& thread, const void* address, RecordId record) noexcept {
  const Block block = find(address);
  if (record == kNone) return drop();
  if (block.record != kNone) track(access, thread, 0, address_of(address), block.size, record);
}

void Era::reassign_fully(Access access, ThreadState& thread, const void* address, Block block,
                         RecordId record) noexcept {
  account_free(access, thread, {.record = block.record, .size = block.size}, thread.is_latest(address));
  thread.allocates(address);
  account_any_allocation(access, thread, record, block.size);
}

Ledger* Era::ledger_of(ThreadState& thread) noexcept {
  Ledger* ledger = thread.ledger.load(std::memory_order_relaxed);
  if (thread.ledger_era.load(std::memory_order_relaxed) == number_) return ledger;
  // The old era is over, and reading it as well: whoever ended it waited for this thread's event, and readers hold the
  // GIL as it did.
  Ledger* fresh = make_mapped<Ledger>();
  if (fresh == nullptr) return nullptr;
  thread.ledger_era.store(0, std::memory_order_release);
  thread.ledger.store(fresh, std::memory_order_release);
  thread.ledger_era.store(number_, std::memory_order_release);
  destroy_mapped(ledger);
  return fresh;
}

void Era::account_allocation_apart(ThreadState& thread, RecordId record, std::uint64_t size) noexcept {
  counters_.allocated(record, size, epoch());
  add_pending(thread, static_cast<std::int64_t>(size));
}

void Era::account_free_apart(Access access, ThreadState& thread, Block block, bool was_temporary) noexcept {
  if (sampling_of(block.record) != 0) return count_sample(block, true);
  const bool own = is_thread_record(block.record) &&
                   tables_->contexts[tables_->tree.key(block.record).context].owner == thread.index;
  if (own) {
    counters_.freed(block.record, block.size, epoch(), [&] { return was_temporary; });
  } else {
    Ledger* ledger = ledger_of(thread);
    const bool noted = ledger != nullptr && ledger->freed(block.record, block.size, epoch(), was_temporary);
    if (!noted && !spare_.freed(block.record, block.size)) return drop();
  }
  if (access == Access::kExclusive)
    current_.subtract(static_cast<std::int64_t>(block.size));
  else
    add_pending(thread, -static_cast<std::int64_t>(block.size));
}

void Era::add_pending(ThreadState& thread, std::int64_t bytes) noexcept {
  if (thread.pending_era.load(std::memory_order_relaxed) != number_) {
    thread.pending.set(0);
    thread.pending_era.store(number_, std::memory_order_release);
  }
  const std::int64_t pending = thread.pending.get() + bytes;
  if (pending < kPendingLimit && pending > -kPendingLimit) {
    thread.pending.set(pending);
    return;
  }
  thread.pending.set(0);
  add_elsewhere(pending);
}

void Era::add_elsewhere(std::int64_t bytes) noexcept {
  const std::int64_t now = elsewhere_.fetch_add(bytes, std::memory_order_relaxed) + bytes + current_.get();
  std::int64_t peak = peak_.load(std::memory_order_relaxed);
  while (now > peak)
    if (peak_.compare_exchange_weak(peak, now, std::memory_order_relaxed)) {
      // May be lost to an exclusive event's store of the same instant: the breakdown at this peak is as inexact as its
      // time.
      next_epoch();
      break;
    }
}

void Era::account_allocation_and_pending(ThreadState& thread, RecordId record, std::uint64_t size) noexcept {
  if (thread.pending_era.load(std::memory_order_relaxed) == number_) current_.add(thread.pending.get());
  thread.pending.set(0);
  account_allocation(Access::kExclusive, thread, record, size);
}

void Era::account_last_epoch(RecordId record, std::uint64_t size) noexcept {
  counters_.allocated(record, size, epoch());
  wrap_epoch();
}

void Era::wrap_epoch() noexcept {
  counters_.forget_epochs(tables_->tree.record_end(false));
  const auto forget = [&](RecordId record, const Amount&) { samples_.forget_epoch(record); };
  for_each_sampled([](RecordId) { return Amount{.count = 1}; }, forget);
  epoch_.store(1, std::memory_order_relaxed);
}

bool Era::has_ledgers(const ThreadList& threads) const noexcept {
  bool any = spare_.in_use();
  for (const ThreadState* state = threads.first(); state != nullptr; state = state->next)
    any |= state->ledger_era.load(std::memory_order_acquire) == number_;
  return any;
}

std::int64_t Era::total(const ThreadList& threads) const noexcept {
  std::int64_t sum = current_.get() + elsewhere_.load(std::memory_order_relaxed);
  for (const ThreadState* state = threads.first(); state != nullptr; state = state->next)
    if (state->pending_era.load(std::memory_order_acquire) == number_) sum += state->pending.get();
  return sum;
}

Era::Traced Era::traced(const ThreadList& threads) const noexcept {
  const std::int64_t current = total(threads);
  const std::int64_t peak = peak_.load(std::memory_order_relaxed);
  const auto bytes = [](std::int64_t value) { return value < 0 ? 0 : static_cast<std::uint64_t>(value); };
  return {bytes(current), bytes(peak < current ? current : peak)};
}

// A record that one thread allocates from and another frees counts up for ever: modulo 2^32 the difference is still
// right. Below zero it is when a free has been noted since and its allocation has not been read.
Amount Era::less(const Amount& allocated, const Amount& freed) noexcept {
  const auto count = static_cast<std::int32_t>(static_cast<std::uint32_t>(allocated.count - freed.count));
  const auto bytes = static_cast<std::int64_t>(allocated.bytes - freed.bytes);
  return {static_cast<std::uint64_t>(std::max(count, 0)), static_cast<std::uint64_t>(std::max<std::int64_t>(bytes, 0))};
}

void Era::recount(ThreadList& threads) noexcept {
  for (ThreadState* state = threads.first(); state != nullptr; state = state->next) {
    state->pending.set(0);
    if (state->ledger_era.exchange(0) == number_) destroy_mapped(state->ledger.exchange(nullptr));
  }
  spare_.clear();
  for_each_record([this](RecordId record) { counters_.clear_live(record); });
  const auto clear = [&](RecordId record, const Amount&) { samples_.clear_live(record); };
  for_each_sampled([&](RecordId record) { return samples_.live(record); }, clear);
  std::int64_t bytes = 0;
  const auto count = [&](const Block& block) {
    const Weight weight = weight_of(block.record, block.size);
    if (sampling_of(block.record) == 0)
      counters_.add_live(block.record, block.size);
    else
      samples_.add_live(block.record, weight);
    bytes += static_cast<std::int64_t>(weight.bytes);
  };
  blocks_.for_each([&](std::uint64_t, const Block& block) { count(block); });
  others_.for_each([&](SpaceId, std::uint64_t, const Block& block) { count(block); });
  elsewhere_.store(0);
  current_.set(bytes);
}

std::size_t Era::used_bytes() const noexcept {
  constexpr std::size_t kCounters = sizeof(RecordCounters) + sizeof(std::uint64_t);
  const std::size_t shared = tables_->tree.record_end(false);
  const std::size_t own = tables_->tree.record_end(true) - kThreadRecords;
  const std::size_t samples = can_sample() ? own * SampleCounters::kBytesEach : 0;
  return tables_->used_bytes() + (shared + own) * kCounters + samples + others_.used_bytes() +
         (is_sparse() ? marks_->used_bytes() : 0);
}

std::size_t Era::resident_bytes() const noexcept {
  return os::resident_bytes(this, mapped_bytes<Era>()) + os::resident_bytes(tables_, mapped_bytes<SharedTables>()) +
         tables_->resident_bytes() + counter_bytes() + spaces_.resident_bytes() + others_.resident_bytes() +
         (is_sparse() ? os::resident_bytes(marks_, mapped_bytes<AddressTable>()) + marks_->resident_bytes() : 0) +
         blocks_.resident_bytes();
}

}  // namespace memtrace
