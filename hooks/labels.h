// Which label the calling thread's allocations have.
//
// Python keeps the current label in a context variable, so that it follows tasks and whatever else runs in a context of
// its own. An event looks whether the context is still the one that it was: two loads, one branch. Only then is it asked.
// Limit: a block that is allocated without the GIL has the label that the thread had at its last event with it.
#pragma once

#include <cstdint>

#include "hooks/thread.h"

namespace memtrace::labels {

// The variable, whose values are tuples that begin with the label's number. Kept as long as the interpreter lives. That of
// another than the main interpreter is of no use.
void set_variable(PyObject* variable) noexcept;
// The interpreter, and the variable with it, is gone.
void forget_variable() noexcept;

// `attached` may be null. pre: `thread` is the caller's own, and busy.
std::uint32_t current(Thread& thread, const PyThreadState* attached) noexcept;

// The calling thread has set the variable.
void changed() noexcept;

}  // namespace memtrace::labels
