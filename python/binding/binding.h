// Binding: what the parts of the extension module memtrace._core give each other.
//
//   bind_snapshot   classes Dictionary and Snapshot over snapshot/; a function that returns a snapshot::Snapshot by
//                   value gives Python a _core.Snapshot, which the package wraps as memtrace.Snapshot
//   bind_rows       snapshots as rows and of rows: merge, exports, imports
//   bind_tracer     the functions that start, stop and ask the tracer
//   bind_peaks      the peak, of all and of regions
//   bind_threads    threads and labels
//   bind_holders    who holds an object
//   bind_types      snapshots with types, and the objects themselves
//   source          a Python tuple (Dictionary, reference) from which memtrace.Traceback decodes its frames when they
//                   are looked at; _core.get_object_traceback() returns one, or None
//
// Thin: converts and raises. Every function is called with the GIL held.
#pragma once

#include <pybind11/pybind11.h>

#include <memory>

#include "snapshot/dictionary.h"

namespace memtrace::binding {

void bind_snapshot(pybind11::module_& module);
void bind_rows(pybind11::module_& module);
void bind_tracer(pybind11::module_& module);
void bind_peaks(pybind11::module_& module);
void bind_threads(pybind11::module_& module);
void bind_holders(pybind11::module_& module);
void bind_types(pybind11::module_& module);

// The source of one traceback of `dictionary`. Needs bind_snapshot() to have run.
pybind11::tuple traceback_source(std::shared_ptr<const snapshot::Dictionary> dictionary,
                                 snapshot::TracebackId traceback);

}  // namespace memtrace::binding
