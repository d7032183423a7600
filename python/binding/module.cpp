// memtrace._core: the extension module.
#include <pybind11/pybind11.h>

#include "python/binding/binding.h"
#include "python/binding/builtins.h"
#include "python/binding/c_api.h"
#include "python/binding/detached.h"

PYBIND11_MODULE(bound_core, module, pybind11::mod_gil_not_used()) {
  module.doc() = "The native half of memtrace. Private: import memtrace instead.";
  memtrace::binding::bind_snapshot(module);
  memtrace::binding::bind_rows(module);
  memtrace::binding::bind_tracer(module);
  memtrace::binding::bind_peaks(module);
  memtrace::binding::bind_threads(module);
  memtrace::binding::bind_holders(module);
  memtrace::binding::bind_types(module);
  memtrace::binding::publish_builtins(module);
  memtrace::binding::publish_c_api();
  memtrace::binding::Detached::watch_forks();
}

extern "C" PYBIND11_EXPORT PyObject* PyInit__core() {
#if PY_VERSION_HEX < 0x030c0000
  // There pybind11 would ask for the main interpreter's thread state, and wait for ever for the GIL that we hold.
  if (PyInterpreterState_Get() != PyInterpreterState_Main()) {
    PyErr_SetString(PyExc_ImportError,
                    "memtrace can be imported in the main interpreter only (sub-interpreters: Python 3.12)");
    return nullptr;
  }
#endif
  return PyInit_bound_core();
}
