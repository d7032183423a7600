// Keeps fork() from copying the process while a thread is in code that must not be cut off there: a lock that it holds
// would be held for ever in the child.
//
// Threads go through the code between enter() and leave(); close() before the fork lets nobody in and waits for those
// inside, open() and open_in_child() after it let them in again.
// Limit: nobody waits longer than the gate's patience. The fork's handlers of another library may want a lock that a
// thread before the gate holds, and would wait for it as that thread waits for them.
// Thread-safety: all functions, by any threads, also of several that fork at once. A thread that forks may go through
// the gate it has closed: other handlers of the fork run in between.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include "src/mem/os.h"

namespace memtrace {

class ForkGate {
 public:
  using Clock = std::chrono::steady_clock;

  constexpr explicit ForkGate(Clock::duration patience) noexcept : patience_(patience) {}

  // False when the gate stays closed for too long.
  bool enter() noexcept {
    if (try_enter()) [[likely]]
      return true;
    const Clock::time_point end = Clock::now() + patience_;
    while (Clock::now() < end) {
      os::yield();
      if (try_enter()) return true;
    }
    return false;
  }
  void leave() noexcept {
    --own_;
    inside_.fetch_sub(1, std::memory_order_release);
  }

  void close() noexcept {
    forking_ = true;
    closed_.fetch_add(1, std::memory_order_seq_cst);
    // The caller may be inside itself: in a signal handler that forks.
    if (inside_.load(std::memory_order_seq_cst) <= own_) return;
    const Clock::time_point end = Clock::now() + patience_;
    while (inside_.load(std::memory_order_acquire) > own_ && Clock::now() < end) os::yield();
  }
  void open() noexcept {
    closed_.fetch_sub(1, std::memory_order_release);
    forking_ = false;
  }
  // The other threads are gone, wherever they were.
  void open_in_child() noexcept {
    inside_.store(own_, std::memory_order_relaxed);
    closed_.store(0, std::memory_order_relaxed);
    forking_ = false;
  }

 private:
  // Both sequentially consistent, as in close(): either that sees the thread inside, or this sees the gate closed.
  bool try_enter() noexcept {
    inside_.fetch_add(1, std::memory_order_seq_cst);
    if (closed_.load(std::memory_order_seq_cst) == 0 || forking_) [[likely]] {
      ++own_;
      return true;
    }
    inside_.fetch_sub(1, std::memory_order_release);
    return false;
  }

  const Clock::duration patience_;
  std::atomic<std::uint32_t> inside_{0};
  std::atomic<std::uint32_t> closed_{0};
  // Of the calling thread. One gate is all there is, but for tests.
  static inline thread_local constinit std::uint32_t own_ __attribute__((tls_model("initial-exec"))) = 0;
  static inline thread_local constinit bool forking_ __attribute__((tls_model("initial-exec"))) = false;
};

}  // namespace memtrace
