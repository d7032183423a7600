// Poisson sampling by bytes: what one sampled block stands for.
//
// Sample points lie on the bytes that a program allocates, independent of one another and one in `interval` on average.
// A block is sampled when a point falls into it: with probability p = 1 - exp(-(size + 1) / interval), the one byte
// more so that empty blocks count, too. It then stands for 1/p blocks and size/p bytes, whatever its size: sums of
// these are unbiased, and so are the sums of (1-p)/p^2 and size^2 (1-p)/p^2 as estimates of the sums' variances.
// The model is that of tcmalloc's sampler; pprof's heap profiles of Go and jemalloc correct in the same way.
#pragma once

#include <cmath>
#include <cstdint>

namespace memtrace {

// What sampled blocks stand for besides their bytes, which are whole numbers.
struct Spread {
  double count = 0;
  double count_variance = 0;
  double bytes_variance = 0;

  Spread& operator+=(const Spread& other) noexcept {
    count += other.count;
    count_variance += other.count_variance;
    bytes_variance += other.bytes_variance;
    return *this;
  }
  friend bool operator==(const Spread&, const Spread&) = default;
};

struct Weight {
  std::uint64_t bytes = 0;
  Spread spread;
};

// An estimate as an integer, the largest one where it is beyond.
inline std::uint64_t rounded(double value) noexcept {
  return value < 0x1p63 ? static_cast<std::uint64_t>(std::llround(value)) : ~std::uint64_t{0};
}

// pre: interval > 0.
inline Weight weight_of(std::uint64_t size, std::uint64_t interval) noexcept {
  const auto bytes = static_cast<double>(size);
  const double length = (bytes + 1) / static_cast<double>(interval);
  // Certain by all that a double can tell, and no underflow, which the traced program could find in its status flags.
  if (length > 40) return {size, {1, 0, 0}};
  const double p = -std::expm1(-length);
  const double variance = (1 - p) / (p * p);
  return {rounded(bytes / p), {1 / p, variance, bytes * bytes * variance}};
}

}  // namespace memtrace
