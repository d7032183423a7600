// Literal traces: trace tuples as tracemalloc has them, (domain, size, frames, total_nframe), read into a snapshot.
//
// Frames are (filename, lineno) tuples, most recent first. total_nframe may be None, or left out as Python 3.8 wrote
// it.
// Errors: TypeError and ValueError that name the trace by its position.
#pragma once

#include <pybind11/pybind11.h>

#include <cstdint>

#include "snapshot/snapshot.h"

namespace memtrace::binding {

snapshot::Snapshot read_literal_traces(pybind11::handle traces, std::int64_t traceback_limit);

}  // namespace memtrace::binding
