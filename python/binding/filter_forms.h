// Filters as the package hands them over: tuples (kind, inclusive, argument, ...), see python/memtrace/_filters.py.
//
// Limits: combined filters are nested at most 100 deep. Thread-safety: under the GIL.
#pragma once

#include <pybind11/pybind11.h>

#include <vector>

#include "snapshot/filter.h"

namespace memtrace::binding {

// TypeError or ValueError where an argument is not what its filter takes, ValueError for what is unknown here.
std::vector<snapshot::AnyFilter> to_filters(const pybind11::sequence& forms);

}  // namespace memtrace::binding
