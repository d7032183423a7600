// Starting and stopping: the order in which tables, hooks and the process' other events are brought together.
//
// Each function is one step for all others, whatever thread and interpreter calls it (see session_lock.h); whoever reads
// an era holds the Lock meanwhile. pre, for all: an attached thread.
#pragma once

#include <cstdint>

#include "hooks/compat/python.h"
#include "hooks/session_lock.h"
#include "src/tracer/control.h"

namespace memtrace::session {

inline constexpr std::uint32_t kMaxFrames = 65535;

// The one tracer of the process.
Control& tracer() noexcept;

// When the module is imported. Releases the GIL for a moment.
void prepare() noexcept;

// The field of the interpreter's that lies elsewhere than this build knows, as "structure.field"; null when all is well.
// The hooks would read what is not there: start() is not to be called then.
const char* misplaced_field() noexcept;

// What start() is told besides the number of frames.
struct Options {
  SampleOptions samples;
  std::size_t max_memory = 0;  // of own_bytes(); 0: no limit
  std::uint64_t timeline = 0;  // distance of its points at first, in nanoseconds; 0: none
  bool label_tasks = false;  // the business of the package, of which it is told here
};

// Does nothing while tracing. False when memory cannot be had. pre: 1 <= nframe <= kMaxFrames; no misplaced_field().
bool start(std::uint32_t nframe, const Options& options = {}) noexcept;
// Of the current session, or of the last one. pre: Lock.
const Options& options() noexcept;
// False when memory cannot be had, which only a sub-interpreter needs: nothing is changed then.
bool stop() noexcept;
bool is_tracing() noexcept;
// A new era in place of the current one, if any. False when memory cannot be had: nothing is changed then.
bool clear() noexcept;
// Of the current era, or of the last one; 1 at first.
std::uint32_t traceback_limit() noexcept;

// Called after tracing has begun or ended, with what it is now. One at a time.
using Listener = void (*)(bool tracing) noexcept;
void set_listener(Listener listener) noexcept;

// The live block of `object`, empty when it is not traced. pre: Lock.
Block find_block(const PyObject* object) noexcept;

// Bytes of the tracer's own memory.
std::size_t own_bytes() noexcept;

}  // namespace memtrace::session
