// Failure on demand, for tests: the n-th allocation of the tracer's own memory fails, once or from then on.
//
// Thread-safe. Costs one load on paths that are about to enter the kernel or the tracer's heap, never on the hot path.
#pragma once

#include <atomic>
#include <cstdint>

namespace memtrace::fault {

// Allocations until the failure; negative: off. `sticky`: all after it fail too.
inline std::atomic<std::int64_t> countdown{-1};
inline std::atomic<bool> sticky{false};
inline std::atomic<std::uint64_t> failures{0};

inline bool should_fail() noexcept {
  if (countdown.load(std::memory_order_relaxed) < 0) [[likely]]
    return false;
  const std::int64_t left = countdown.fetch_sub(1, std::memory_order_relaxed);
  if (left > 0) return false;
  if (sticky.load(std::memory_order_relaxed)) countdown.store(0, std::memory_order_relaxed);
  failures.fetch_add(1, std::memory_order_relaxed);
  return true;
}

// Fails the allocation that follows `after` successful ones.
inline void arm(std::int64_t after, bool keep_failing) noexcept {
  sticky.store(keep_failing, std::memory_order_relaxed);
  failures.store(0, std::memory_order_relaxed);
  countdown.store(after, std::memory_order_relaxed);
}

inline void disarm() noexcept { countdown.store(-1, std::memory_order_relaxed); }

}  // namespace memtrace::fault
