// std::atomic's interface with a scheduling point before each access. Of the size and layout of T, and zero when its
// memory is.
#pragma once

#include <atomic>

#include "tests/sched/scheduler.h"

namespace memtrace::sched {

template <typename T>
class ScheduledAtomic {
 public:
  constexpr ScheduledAtomic() noexcept = default;
  constexpr ScheduledAtomic(T value) noexcept : value_(value) {}
  ScheduledAtomic(const ScheduledAtomic&) = delete;
  ScheduledAtomic& operator=(const ScheduledAtomic&) = delete;

  operator T() const noexcept { return load(); }
  T load(std::memory_order = std::memory_order_seq_cst) const noexcept {
    point();
    return value_;
  }
  void store(T value, std::memory_order = std::memory_order_seq_cst) noexcept {
    point();
    value_ = value;
  }
  T exchange(T value, std::memory_order = std::memory_order_seq_cst) noexcept {
    point();
    const T before = value_;
    value_ = value;
    return before;
  }
  bool compare_exchange_strong(T& expected, T desired, std::memory_order = std::memory_order_seq_cst) noexcept {
    point();
    if (value_ == expected) {
      value_ = desired;
      return true;
    }
    expected = value_;
    return false;
  }
  bool compare_exchange_weak(T& expected, T desired, std::memory_order = std::memory_order_seq_cst) noexcept {
    if (!fails_spuriously()) return compare_exchange_strong(expected, desired);
    point();
    expected = value_;
    return false;
  }
  T fetch_add(T amount, std::memory_order = std::memory_order_seq_cst) noexcept {
    return exchange_unseen(static_cast<T>(value_after_point() + amount));
  }
  T fetch_sub(T amount, std::memory_order = std::memory_order_seq_cst) noexcept {
    return exchange_unseen(static_cast<T>(value_after_point() - amount));
  }
  T fetch_or(T bits, std::memory_order = std::memory_order_seq_cst) noexcept {
    return exchange_unseen(static_cast<T>(value_after_point() | bits));
  }
  T fetch_and(T bits, std::memory_order = std::memory_order_seq_cst) noexcept {
    return exchange_unseen(static_cast<T>(value_after_point() & bits));
  }

 private:
  T value_after_point() const noexcept { return load(); }
  T exchange_unseen(T value) noexcept {
    const T before = value_;
    value_ = value;
    return before;
  }

  T value_{};
};

}  // namespace memtrace::sched
