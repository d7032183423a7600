// The nth allocation of the tracer's own memory fails, for every n until nothing is left to fail.
#pragma once

#include <cstdint>

#include "src/mem/fault.h"

namespace memtrace::test {

// While it lives, the allocation that follows `after` successful ones fails, and all behind it too when `keep_failing`.
class Failing {
 public:
  explicit Failing(std::int64_t after, bool keep_failing = true) noexcept { fault::arm(after, keep_failing); }
  Failing(const Failing&) = delete;
  Failing& operator=(const Failing&) = delete;
  ~Failing() { fault::disarm(); }
};

// Calls attempt(n) for n = 0, 1, …; it is to build its structure, run the operation below a Failing(n), and check what
// is left. Ends with the first n for which nothing failed, and returns it: the number of allocations that the operation
// makes.
template <typename Attempt>
std::int64_t fail_each(Attempt&& attempt) {
  for (std::int64_t n = 0;; ++n) {
    fault::failures.store(0);
    attempt(n);
    if (fault::failures.load() == 0) return n;
  }
}

}  // namespace memtrace::test
