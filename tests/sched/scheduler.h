// Deterministic schedules: logical threads that take turns at every access to a shared atomic, in an order that a seed
// decides.
//
// The structures under test take their atomic as a template parameter; with ScheduledAtomic each of their loads, stores
// and exchanges is a point at which another logical thread may go on. So the races that real threads meet once in a
// million runs are met every few seeds, and a seed that fails fails again: MEMTRACE_SCHED_SEED=<seed> in the
// environment runs it alone. Interleavings are sequentially consistent; what weaker memory could do is for
// ThreadSanitizer and the real-thread tests.
//
// Logical threads are fibers on the calling thread. Code outside run() meets no scheduling point.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "tests/support/scale.h"

namespace memtrace::sched {

// Runs the bodies to their ends. They must not use Catch2's macros: collect, and check afterwards.
void run(std::uint64_t seed, std::vector<std::function<void()>> bodies);

// Where another logical thread may take over.
void point() noexcept;
// Whether a weak exchange fails for no reason here.
bool fails_spuriously() noexcept;

// As many seeds as `count` says, or few where a sanitizer makes switching slow: it looks for other bugs.
constexpr std::uint64_t seeds(std::uint64_t count) noexcept { return test::scaled(count, std::uint64_t{40}); }

// Calls test(seed) for `count` seeds, or for the one in MEMTRACE_SCHED_SEED. What fails inside names its seed.
void for_each_seed(std::uint64_t count, const std::function<void(std::uint64_t)>& test);

}  // namespace memtrace::sched
