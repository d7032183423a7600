// memtrace._core: the extension module.
#include <pybind11/pybind11.h>

#include "python/binding/binding.h"
#include "python/binding/builtins.h"

PYBIND11_MODULE(_core, module) {
  module.doc() = "The native half of memtrace. Private: import memtrace instead.";
  memtrace::binding::bind_snapshot(module);
  memtrace::binding::bind_tracer(module);
  memtrace::binding::publish_builtins(module);
}
