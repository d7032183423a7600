#include "hooks/limits.h"

#include <atomic>

#include "hooks/session.h"
#include "src/mem/heap.h"
#include "src/mem/os.h"

namespace memtrace::limits {

namespace {

// How many blocks a thread records between two looks.
constexpr std::uint32_t kPause = 16;
constexpr unsigned kSteps = 8;
// This part of the limit is for what is not counted: the rest of pages that tables have begun.
constexpr unsigned kReserve = 16;

constinit std::atomic<std::size_t> most{0};
constinit std::atomic<std::size_t> next_step{0};
// What was there when the era began, less what was counted then.
constinit std::atomic<std::size_t> base{0};
constinit std::atomic<bool> full{false};
constinit std::atomic_flag stepping = ATOMIC_FLAG_INIT;

// Which pages of the block table have been used, and their number. By the page modulo kPages, which is 16 GiB of heap:
// beyond that two may count as one.
constexpr std::size_t kPages = std::size_t{1} << 20;
constinit std::atomic<std::uint64_t> pages_seen[kPages / 64] = {};
constinit std::atomic<std::size_t> pages{0};

void note_page(std::uint64_t page) noexcept {
  std::atomic<std::uint64_t>& word = pages_seen[page % kPages / 64];
  const std::uint64_t bit = std::uint64_t{1} << page % 64;
  if ((word.load(std::memory_order_relaxed) & bit) != 0) return;
  if ((word.fetch_or(bit, std::memory_order_relaxed) & bit) == 0) pages.fetch_add(1, std::memory_order_relaxed);
}

std::size_t counted(const Era& era) noexcept {
  std::size_t total =
      heap::allocated_bytes() + era.used_bytes() + pages.load(std::memory_order_relaxed) * os::page_size();
  for (const ThreadState* state = control.threads().first(); state != nullptr; state = state->next) {
    total += sizeof(Thread);
    if (state->ledger_era.load(std::memory_order_acquire) == era.number())
      total += state->ledger.load(std::memory_order_acquire)->used_bytes();
  }
  return total;
}

MT_COLD void step(Era& era, std::size_t own) noexcept {
  if (stepping.test_and_set(std::memory_order_acquire)) return;
  const std::size_t limit = most.load(std::memory_order_relaxed);
  if (own >= next_step.load(std::memory_order_relaxed)) {
    next_step.store(own + limit / 4 / kSteps, std::memory_order_relaxed);
    if (own + limit / 4 / kSteps > limit || !control.sample_less(era)) full.store(true, std::memory_order_relaxed);
  }
  stepping.clear(std::memory_order_release);
}

}  // namespace

void begin(std::size_t bytes) noexcept {
  most.store(bytes - bytes / kReserve, std::memory_order_relaxed);
  full.store(false, std::memory_order_relaxed);
  stepping.clear();  // a fork() may have left it set
  if (bytes == 0) return;
  for (auto& word : pages_seen)
    if (word.load(std::memory_order_relaxed) != 0) word.store(0, std::memory_order_relaxed);
  pages.store(0, std::memory_order_relaxed);
  const std::size_t own = session::own_bytes();
  const std::size_t now = counted(*control.era());
  base.store(own > now ? own - now : 0, std::memory_order_relaxed);
  next_step.store(bytes - bytes / 4, std::memory_order_relaxed);
}

bool allows_more() noexcept { return !full.load(std::memory_order_relaxed); }

void recorded(Thread& thread, Era& era, std::uint64_t address) noexcept {
  if (most.load(std::memory_order_relaxed) == 0) return;
  note_page(BlockTable::page_of(reinterpret_cast<const void*>(address)));
  // Samples are few, and each may need a page.
  if (era.sampling() == 0 && ++thread.unlooked < kPause) return;
  thread.unlooked = 0;
  const std::size_t own = base.load(std::memory_order_relaxed) + counted(era);
  if (own >= next_step.load(std::memory_order_relaxed)) [[unlikely]]
    step(era, own);
}

}  // namespace memtrace::limits
