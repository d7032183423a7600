#include "src/tracer/control.h"

namespace memtrace {

bool Control::begin(std::uint32_t nframe, const SampleOptions& options) noexcept {
  Sampling sampling;
  if (options.can_sample()) {
    sampling = {.filter = &filters_[(eras_ + 1) % 2],
                .interval = options.interval != 0 ? options.interval : SampleOptions::kFirstInterval,
                .from_start = options.interval != 0,
                .seed = options.seed};
  }
  Era* era = Era::make(eras_ + 1, nframe, sampling);
  if (era == nullptr) return false;
  ++eras_;
  // Full where every block is recorded. Also for an era that asks none, if hooks that do may still be called.
  has_sampled_ |= options.can_sample();
  if (has_sampled_) {
    SampleFilter& filter = filters_[eras_ % 2];
    if (options.interval == 0)
      filter.fill();
    else
      filter.clear();
    filter_.store(&filter, std::memory_order_release);
  }
  dropped_.store(0, std::memory_order_relaxed);
  replace(era);
  return true;
}

void Control::replace(Era* era) noexcept {
  Era* old = era_.exchange(era, std::memory_order_seq_cst);
  invalidate();
  forget_samples_to_come();
  for (ThreadState* state = threads_.first(); state != nullptr; state = state->next) {
    // Any later section of the thread's has the new era.
    const std::uint64_t section = state->section.load(std::memory_order_seq_cst);
    while (section != 0 && state->section.load(std::memory_order_acquire) == section) os::yield();
  }
  peaks_.restart();
  if (old != nullptr) Era::destroy(old);
}

bool Control::sample_less(Era& era) noexcept {
  if (!era.sample_less()) return false;
  version_.fetch_add(1, std::memory_order_acq_rel);
  forget_samples_to_come();
  return true;
}

void Control::forget_samples_to_come() noexcept {
  for (ThreadState* state = threads_.first(); state != nullptr; state = state->next) state->sampler.forget();
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
