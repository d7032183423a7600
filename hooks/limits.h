// The limit of the tracer's own memory.
//
// What the tracer has at the start of an era is measured; what it adds is counted as it is handed out, by events that
// have recorded a block, so that nothing is asked of the system inside of a hook. At three quarters of the limit the
// era begins to sample. Each time it has used an eighth of the rest, it samples at twice the interval; when all is used
// it records nothing more, and counts what it would have recorded as dropped. Until the era ends: tables only grow.
//
// Thread-safety: lock-free; one thread at a time takes a step, others go on meanwhile. A few blocks more than the limit
// allows can be recorded by threads that have not looked yet.
#pragma once

#include <cstddef>
#include <cstdint>

#include "hooks/thread.h"

namespace memtrace::limits {

// Less than this has no room for an era, a few threads and what is to be recorded.
inline constexpr std::size_t kSmallest = std::size_t{4} << 20;

// For an era that has just begun; 0: no limit. pre: the session's Lock.
void begin(std::size_t most) noexcept;
// False when the era is to record nothing more.
bool allows_more() noexcept;
// A block was recorded. pre: `thread` is the caller's own, the era stays.
void recorded(Thread& thread, Era& era, std::uint64_t address) noexcept;

}  // namespace memtrace::limits
