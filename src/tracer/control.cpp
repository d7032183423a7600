#include "src/tracer/control.h"

namespace memtrace {

bool Control::begin(std::uint32_t nframe) noexcept {
  Era* era = Era::make(eras_ + 1, nframe);
  if (era == nullptr) return false;
  ++eras_;
  dropped_.store(0, std::memory_order_relaxed);
  replace(era);
  return true;
}

void Control::replace(Era* era) noexcept {
  Era* old = era_.exchange(era, std::memory_order_seq_cst);
  invalidate();
  for (ThreadState* state = threads_.first(); state != nullptr; state = state->next) {
    // Any later section of the thread's has the new era.
    const std::uint64_t section = state->section.load(std::memory_order_seq_cst);
    while (section != 0 && state->section.load(std::memory_order_acquire) == section) os::yield();
  }
  peaks_.restart();
  if (old != nullptr) Era::destroy(old);
}

void Control::after_fork_in_child(ThreadState* own) noexcept {
  bool torn = false;
  for (ThreadState* state = threads_.first(); state != nullptr; state = state->next) {
    if (state == own) continue;
    torn |= state->section.exchange(0) != 0 || state->resize_era.get() != 0;
    state->resize_era.set(0);
    state->busy = false;
    state->in_use.store(false);
  }
  if (Era* era = this->era(); era != nullptr && torn) era->recount(threads_);
}

}  // namespace memtrace
