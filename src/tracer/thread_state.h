// What the tracer keeps for each thread, and the list of all of them.
//
// A state is never freed: when its thread ends it waits for the next new thread, which goes on with its index and
// ledgers. So memory is bounded by the largest number of threads at one time, and a reader may walk the list without a
// lock.
#pragma once

#include <atomic>
#include <cstdint>

#include "src/base/hot.h"
#include "src/base/types.h"
#include "src/tracer/counters.h"
#include "src/tracer/ledger.h"
#include "src/tracer/sampler.h"

namespace memtrace {

struct ThreadState {
  // Inside a hook: what the real allocator does underneath is part of the event.
  bool busy = false;
  ThreadIndex index = 0;
  Sampler sampler;

  // While an event without the GIL may use the era, the number of such events up to this one; 0 otherwise. See Control.
  std::atomic<std::uint64_t> section{0};
  std::uint64_t sections = 0;
  // Bytes allocated less bytes freed by such events that the total of era `pending_era` does not have yet. Only the
  // owner writes either.
  Counter<std::int64_t> pending{};
  std::atomic<std::uint64_t> pending_era{0};
  // While such an event resizes a block: the era that it has taken the block from.
  Counter<std::uint64_t> resize_era{};
  // Belongs to era `ledger_era`; replaced by its owner when that is over.
  std::atomic<Ledger*> ledger{nullptr};
  std::atomic<std::uint64_t> ledger_era{0};

  // Its last two blocks, the newer one first: what ends while it is one of them was temporary.
  const void* latest[2] = {};

  std::atomic<bool> in_use{true};
  ThreadState* next = nullptr;

  MT_HOT void allocates(const void* block) noexcept {
    latest[1] = latest[0];
    latest[0] = block;
  }
  MT_HOT bool is_latest(const void* block) const noexcept { return block == latest[0] || block == latest[1]; }
};

class ThreadList {
 public:
  // A state whose thread has ended, now the caller's; null when there is none.
  ThreadState* adopt() noexcept {
    for (ThreadState* state = first(); state != nullptr; state = state->next) {
      bool in_use = false;
      if (!state->in_use.load(std::memory_order_relaxed) && state->in_use.compare_exchange_strong(in_use, true)) {
        state->latest[0] = state->latest[1] = nullptr;
        return state;
      }
    }
    return nullptr;
  }

  // Enters a new state and numbers it, from 1.
  void add(ThreadState* state) noexcept {
    state->index = count_.fetch_add(1, std::memory_order_relaxed) + 1;
    ThreadState* head = first();
    do {
      state->next = head;
    } while (!first_.compare_exchange_weak(head, state, std::memory_order_seq_cst));
  }

  // Sequentially consistent, as add() is: whoever ends an era sees a new thread here, or that sees the new era.
  ThreadState* first() const noexcept { return first_.load(std::memory_order_seq_cst); }

 private:
  std::atomic<ThreadState*> first_{nullptr};
  std::atomic<ThreadIndex> count_{0};
};

}  // namespace memtrace
