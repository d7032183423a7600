#include "python/binding/builtins.h"

#include <array>
#include <cstddef>
#include <utility>

namespace py = pybind11;

namespace memtrace::binding {

namespace {

constexpr int kMaxNframe = 65535;

struct Builtin {
  const char* name;
  const char* target;  // of bind_tracer()
  const char* doc;
};

constexpr std::array kWithoutArguments = {
    Builtin{"stop", "stop",
            "stop($module, /)\n--\n\n"
            "Stop tracing and forget all traces. Does nothing when not tracing."},
    Builtin{"is_tracing", "is_tracing",
            "is_tracing($module, /)\n--\n\n"
            "Return whether memory allocations are being traced."},
    Builtin{"clear_traces", "clear_traces",
            "clear_traces($module, /)\n--\n\n"
            "Forget all traces and set the traced memory and its peak to 0; go on tracing."},
    Builtin{"reset_peak", "reset_peak",
            "reset_peak($module, /)\n--\n\n"
            "Set the peak of the traced memory to its current size. Does nothing when not tracing."},
    Builtin{"get_traced_memory", "get_traced_memory",
            "get_traced_memory($module, /)\n--\n\n"
            "Return the current and the peak size of all traced blocks, in bytes; zeros when not tracing."},
    Builtin{"get_traceback_limit", "get_traceback_limit",
            "get_traceback_limit($module, /)\n--\n\n"
            "Return how many frames of each traceback are kept.\n\n"
            "When not tracing, that of the last start(), or 1."},
    Builtin{"get_memtrace_memory", "get_memtrace_memory",
            "get_memtrace_memory($module, /)\n--\n\n"
            "Return how many bytes of memory the tracer itself uses."},
    Builtin{"get_tracemalloc_memory", "get_memtrace_memory",
            "get_tracemalloc_memory($module, /)\n--\n\n"
            "Return how many bytes of memory the tracer itself uses, as get_memtrace_memory() does."},
};

constexpr const char* kStartDoc =
    "start($module, nframe=1, /)\n--\n\n"
    "Start tracing Python's memory allocations, in all threads.\n\n"
    "Keeps up to nframe frames of each traceback. While tracing, only checks its argument.\n"
    "Raises ValueError unless nframe is from 1 to 65535.";

// Borrowed from nobody: they live as long as the process, as the builtins do.
std::array<PyObject*, kWithoutArguments.size()> targets;
PyObject* start_target;

template <std::size_t index>
PyObject* forward(PyObject*, PyObject*) {
  return PyObject_CallNoArgs(targets[index]);
}

PyObject* start(PyObject*, PyObject* const* arguments, Py_ssize_t count) {
  if (count > 1) return PyErr_Format(PyExc_TypeError, "start expected at most 1 argument, got %zd", count);
  int nframe = 1;
  if (count == 1) {
    PyObject* index = PyNumber_Index(arguments[0]);
    if (index == nullptr) return nullptr;
    int overflow = 0;
    const long value = PyLong_AsLongAndOverflow(index, &overflow);
    Py_DECREF(index);
    if (overflow != 0 || !std::in_range<int>(value)) {
      PyErr_SetString(PyExc_OverflowError, "Python int too large to convert to C int");
      return nullptr;
    }
    nframe = static_cast<int>(value);
  }
  if (nframe < 1 || nframe > kMaxNframe) {
    return PyErr_Format(PyExc_ValueError, "the number of frames must be in range [1; %d]", kMaxNframe);
  }
  PyObject* checked = PyLong_FromLong(nframe);
  if (checked == nullptr) return nullptr;
  PyObject* result = PyObject_CallOneArg(start_target, checked);
  Py_DECREF(checked);
  return result;
}

template <std::size_t... indexes>
auto make_definitions(std::index_sequence<indexes...>) {
  return std::array{
      PyMethodDef{kWithoutArguments[indexes].name, &forward<indexes>, METH_NOARGS, kWithoutArguments[indexes].doc}...};
}

auto definitions = make_definitions(std::make_index_sequence<kWithoutArguments.size()>{});
PyMethodDef start_definition = {"start", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(&start)),
                                METH_FASTCALL, kStartDoc};

py::object make_builtin(PyMethodDef& definition, const py::module_& module) {
  PyObject* builtin = PyCFunction_NewEx(&definition, module.ptr(), py::str("memtrace").ptr());
  if (builtin == nullptr) throw py::error_already_set();
  return py::reinterpret_steal<py::object>(builtin);
}

}  // namespace

void publish_builtins(py::module_& module) {
  start_target = py::object(module.attr("start")).release().ptr();
  for (std::size_t i = 0; i < targets.size(); ++i) {
    targets[i] = py::object(module.attr(kWithoutArguments[i].target)).release().ptr();
  }
  module.attr("start") = make_builtin(start_definition, module);
  for (PyMethodDef& definition : definitions) module.attr(definition.ml_name) = make_builtin(definition, module);
}

}  // namespace memtrace::binding
