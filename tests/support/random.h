// Pseudo-random numbers that are the same on every platform and cheap to seed: a test names its seed, and anybody can
// repeat it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace memtrace::test {

// SplitMix64. Any seed is as good as another.
class Random {
 public:
  explicit Random(std::uint64_t seed) noexcept : state_(seed) {}

  std::uint64_t next() noexcept {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
  }
  // In [0, limit).
  std::uint64_t below(std::uint64_t limit) noexcept { return next() % limit; }
  bool one_in(std::uint64_t n) noexcept { return below(n) == 0; }

  template <typename T, std::size_t kCount>
  const T& pick(const T (&choices)[kCount]) noexcept {
    return choices[below(kCount)];
  }

 private:
  std::uint64_t state_;
};

}  // namespace memtrace::test
