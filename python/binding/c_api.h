// The C API for extensions (include/memtrace.h): connects what they wait with to the tracer.
#pragma once

namespace memtrace::binding {

// Joins the meeting of the calling interpreter. Throws pybind11::error_already_set.
void publish_c_api();

}  // namespace memtrace::binding
