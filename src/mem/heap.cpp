#include "src/mem/heap.h"

#include <mimalloc.h>

#include <atomic>

#include "src/mem/fault.h"

namespace memtrace::heap {

namespace {

std::atomic<std::size_t> in_use{0};

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

}  // namespace

void* allocate(std::size_t size) noexcept {
  if (fault::should_fail()) return nullptr;
  set_options();
  void* block = mi_malloc(size);
  if (block != nullptr) in_use.fetch_add(mi_usable_size(block), std::memory_order_relaxed);
  return block;
}

void release(void* block) noexcept {
  if (block == nullptr) return;
  in_use.fetch_sub(mi_usable_size(block), std::memory_order_relaxed);
  mi_free(block);
}

std::size_t allocated_bytes() noexcept { return in_use.load(std::memory_order_relaxed); }

}  // namespace memtrace::heap
