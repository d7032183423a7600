#include "src/mem/heap.h"

#include <mimalloc.h>

#include <atomic>

#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#endif

#include "src/mem/fault.h"
#include "src/mem/fork_gate.h"

namespace memtrace::heap {

namespace {

std::atomic<std::size_t> in_use{0};

// mimalloc does nothing about fork(): a child copied while another thread is counted as a reader of abandoned segments
// (2.0.9), or holds the lock of their list (2.4.1), waits for that thread for ever.
constinit ForkGate gate{std::chrono::seconds{1}};

// mimalloc's own end of a thread is a reader, too, and passes no gate. It comes later, with the destructors of
// thread-specific data, and does nothing then unless another of those has used the heap again.
struct ThreadEnd {
  ~ThreadEnd() {
    if (!gate.enter()) return;
    mi_thread_done();
    gate.leave();
  }
};

// Small reservations, no eager commit: a tracer that is asked for little shall hold little. The big tables are mappings
// of their own.
void set_options() noexcept {
  static std::atomic<bool> done{false};
  if (done.load(std::memory_order_acquire)) return;
#if MI_MALLOC_VERSION >= 210
  mi_option_set_default(mi_option_arena_eager_commit, 0);
  mi_option_set_default(mi_option_arena_reserve, 8 * 1024);  // in KiB
#endif
  done.store(true, std::memory_order_release);
}

// mimalloc is not instrumented: the thread sanitizer has to be told that a block is freed before it is given out again.
void note_allocated([[maybe_unused]] void* block) noexcept {
#if defined(__SANITIZE_THREAD__)
  __tsan_acquire(block);
#endif
}

void note_released([[maybe_unused]] void* block) noexcept {
#if defined(__SANITIZE_THREAD__)
  __tsan_release(block);
#endif
}

}  // namespace

void* allocate(std::size_t size) noexcept {
  if (fault::should_fail() || !gate.enter()) return nullptr;
  static thread_local const ThreadEnd end;
  set_options();
  void* block = mi_malloc(size);
  gate.leave();
  if (block == nullptr) return nullptr;
  in_use.fetch_add(mi_usable_size(block), std::memory_order_relaxed);
  note_allocated(block);
  return block;
}

void release(void* block) noexcept {
  if (block == nullptr || !gate.enter()) return;
  in_use.fetch_sub(mi_usable_size(block), std::memory_order_relaxed);
  note_released(block);
  mi_free(block);
  gate.leave();
}

std::size_t allocated_bytes() noexcept { return in_use.load(std::memory_order_relaxed); }

void prepare_fork() noexcept { gate.close(); }
void after_fork_in_parent() noexcept { gate.open(); }
void after_fork_in_child() noexcept { gate.open_in_child(); }

}  // namespace memtrace::heap
