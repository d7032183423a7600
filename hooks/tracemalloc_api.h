// CPython's C API for tracemalloc, as loaded extensions call it: PyTraceMalloc_Track(), PyTraceMalloc_Untrack() and
// _PyTraceMalloc_GetTraceback().
//
// A library that manages memory itself reports its blocks through these functions, in a domain of its own: numpy's
// arrays, pandas' hash tables. While we trace, their import slots lead here. Each call is passed on, so that tracemalloc
// sees what it would see alone, and the caller is told that somebody traces. Extensions that are loaded meanwhile are
// found before the first of their functions runs: whoever loads one asks the dynamic loader for its entry point, and
// that question passes by here too. A pointer to one of the functions that was asked for by name is ours as well, and
// stays good when tracing has stopped.
//
// Not seen: what an extension that was loaded before start() copied from its slots into pointers of its own.
#pragma once

#include <cstdint>

#include "hooks/compat/python.h"
#include "src/base/types.h"

namespace memtrace::tracemalloc_api {

// Answers _PyTraceMalloc_GetTraceback(): a new reference to a tuple of (file name, line) tuples, most recent first, or
// to None; null with an exception. pre, for the call: the GIL.
using TracebackGetter = PyObject* (*)(Domain domain, std::uint64_t address);
void set_traceback_getter(TracebackGetter getter) noexcept;

// pre: the GIL.
void install() noexcept;
void uninstall() noexcept;

void after_fork_in_child() noexcept;

}  // namespace memtrace::tracemalloc_api
