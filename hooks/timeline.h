// The timeline of a session: how much memory there was, and when.
//
// No thread of its own, which the program could see, and be warned of when it forks: the hooks look at the clock, after so
// many bytes. They are others then (allocator_hooks.h), so that a session without a timeline has nothing to pay.
// Budget: a subtraction for each allocation, a look at the clock for each 64 small ones, 3 us for each point.
// Thread-safety: any thread; who finds another one looking goes on.
#pragma once

#include <cstdint>
#include <vector>

#include "hooks/thread.h"
#include "src/tracer/timeline.h"

namespace memtrace::timeline {

// Forgets everything; `distance` of points at first, in nanoseconds, 0 for none from here on. pre: the session's Lock.
void begin(std::uint64_t distance) noexcept;
bool is_on() noexcept;

// Counts an allocation. True when somebody should look.
MT_HOT bool is_time(Thread& thread, std::size_t size) noexcept {
  constexpr std::int64_t kBytesBetweenLooks = 32 * 1024;
  constexpr std::int64_t kLeastBytes = 512;  // what a small block counts
  thread.until_look -= static_cast<std::int64_t>(size) + kLeastBytes;
  if (thread.until_look >= 0) [[likely]]
    return false;
  thread.until_look = kBytesBetweenLooks;
  return true;
}
// pre: the era stays, the thread is marked busy.
MT_COLD void look(const Era& era) noexcept;

// What there is, and the present moment. Throws std::bad_alloc. pre: the session's Lock.
std::vector<Timeline::Point> points();

void after_fork_in_child() noexcept;

}  // namespace memtrace::timeline
