// Builtins: the tracer's functions as tracemalloc has them, C functions with a text signature and positional arguments.
//
// pybind11's own functions have no signature that inspect can read, and their messages differ. Functions in Python
// would put a frame of memtrace on top of the caller's: what they return would belong to memtrace's line, not to the
// caller's. So each of these forwards to the function that bind_tracer() has put under the same name, and replaces it.
#pragma once

#include <pybind11/pybind11.h>

namespace memtrace::binding {

// Needs bind_tracer() to have run, and may run once in a process.
void publish_builtins(pybind11::module_& module);

}  // namespace memtrace::binding
