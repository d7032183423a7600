// Which of a thread's allocations are sampled.
//
// The thread counts the bytes that it allocates down to the next sample point; see base/sampling.h for the model. The
// distances between points are exponential, so how much of one is left says nothing about the rest: whoever changes the
// interval may throw it away, and each block is sampled or not whatever came before.
//
// Budget of an allocation that is not sampled: one subtraction.
// Thread-safety: belongs to one thread, but for forget().
#pragma once

#include <cmath>
#include <cstdint>

#include "src/base/hot.h"
#include "src/tracer/counters.h"

namespace memtrace {

class Sampler {
 public:
  // What decides about samples, the same for all threads for as long as `number` is.
  struct Plan {
    std::uint64_t number = 0;
    std::uint64_t interval = 0;  // 0: each block
  };

  // Counts an allocation. True when it is not sampled; else is_sampled() has the answer.
  MT_HOT bool passes(std::uint64_t size) noexcept {
    return left_.add_and_get(-static_cast<std::int64_t>(size + 1)) >= 0;
  }

  // After passes() was false: whether the block is sampled. `seed()` begins the thread's sequence of random numbers,
  // when it has none for this era.
  template <typename Seed>
  bool is_sampled(std::uint64_t size, const Plan& plan, std::uint64_t era, Seed&& seed) noexcept {
    if (plan.interval == 0) {
      left_.set(-1);
      return true;
    }
    if (era_ != era) {
      state_ = seed();
      era_ = era;
      plan_ = 0;
    }
    if (plan_ != plan.number) {
      // What was left is of another plan, or of none.
      plan_ = plan.number;
      left_.set(distance(plan.interval));
      if (passes(size)) return false;
    }
    left_.set(distance(plan.interval));
    return true;
  }

  // Lets the next allocation ask is_sampled(). By other threads, too: what their owner counts at the same moment can
  // undo it, and that thread goes on to the sample point that it was at.
  void forget() noexcept { left_.set(-1); }
  // Begins another sequence: for another thread.
  void restart() noexcept {
    era_ = 0;
    forget();
  }

 private:
  // splitmix64 (Steele, Lea, Flood 2014).
  std::uint64_t next() noexcept {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
  }

  // Whole bytes to the next point.
  std::int64_t distance(std::uint64_t interval) noexcept {
    const double uniform = static_cast<double>((next() >> 11) + 1) * 0x1p-53;  // in (0, 1]: its logarithm is finite
    return static_cast<std::int64_t>(-std::log(uniform) * static_cast<double>(interval));
  }

  Counter<std::int64_t> left_{};
  std::uint64_t state_ = 0;
  std::uint64_t era_ = 0;
  std::uint64_t plan_ = 0;
};

}  // namespace memtrace
