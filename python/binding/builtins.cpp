#include "python/binding/builtins.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "hooks/reports.h"

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
    "start($module, nframe=1, /, *, sample_interval=None, seed=None,\n      max_memory=None, label_tasks=None, "
    "timeline=None)\n--\n\n"
    "Start tracing Python's memory allocations, in all threads.\n\n"
    "Keeps up to nframe frames of each traceback. Each block is traced, unless sample_interval says in which mean\n"
    "distance of allocated bytes blocks are to be sampled (bytes, or a text such as '512 KiB'): then sizes and counts\n"
    "are estimates, with standard errors, and the same ones where seed, an integer, and the program are the same.\n"
    "max_memory (as sample_interval, at least 4 MiB) is how much memory the tracer itself may use: it begins to "
    "sample\n"
    "before that is exceeded, and at last records nothing more, which counts as dropped.\n"
    "With label_tasks=True asyncio tasks that are made from then on are labelled, see label(), by the names that they\n"
    "are given, or else by those of their coroutines.\n"
    "With timeline=True, or the distance of its points in seconds, 0.01, how much memory there is is recorded over "
    "time:\n"
    "see timeline().\n\n"
    "While tracing, only checks its arguments. Raises ValueError unless nframe is from 1 to 65535, for keywords that "
    "are\n"
    "out of range, and for those that differ from what tracing was started with.";

// Borrowed from nobody: they live as long as the process, as the builtins do.
std::array<PyObject*, kWithoutArguments.size()> targets;
PyObject* start_target;

template <std::size_t index>
PyObject* forward(PyObject*, PyObject*) {
  return PyObject_CallNoArgs(targets[index]);
}

// (interval, seed, memory, label_tasks, timeline) of the keywords of start(); None what was not given.
py::object checked_keywords(PyObject* const* values, PyObject* names) {
  const py::object check = py::module_::import("memtrace._options").attr("start");
  PyObject* checked = PyObject_Vectorcall(check.ptr(), values, 0, names);
  if (checked == nullptr) throw py::error_already_set();
  return py::reinterpret_steal<py::object>(checked);
}

PyObject* call_start(PyObject*, PyObject* const* arguments, Py_ssize_t count, PyObject* names) {
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
  try {
    const py::handle target(start_target);
    if (names == nullptr) return target(nframe).release().ptr();
    return target(nframe, *checked_keywords(arguments + count, names)).release().ptr();
  } catch (py::error_already_set& error) {
    error.restore();
    return nullptr;
  }
}

constexpr const char* kTrackDoc =
    "track($module, /, domain, address, size)\n--\n\n"
    "Record a block that a library manages itself, with the current traceback.\n\n"
    "domain says whose it is (0 to 4294967295; 0 is Python's own), address names it in its domain (0 to 2**64 - 1; it\n"
    "need not be memory), size is in bytes. Takes the place of an earlier block at the same address. Returns whether\n"
    "anything is being traced. Raises ValueError when an argument is out of range.";
constexpr const char* kUntrackDoc =
    "untrack($module, /, domain, address)\n--\n\n"
    "Record that the block at this address is gone. Does nothing when there is none.\n\n"
    "Returns whether anything is being traced. Raises ValueError when an argument is out of range.";

// An argument from 0 to `largest`; -1 with an exception that names it.
int to_number(PyObject* value, const char* name, std::uint64_t largest, std::uint64_t& number) {
  PyObject* index = PyNumber_Index(value);
  if (index == nullptr) {
    if (PyErr_ExceptionMatches(PyExc_TypeError))
      PyErr_Format(PyExc_TypeError, "%s must be an integer, not %.200s", name, Py_TYPE(value)->tp_name);
    return -1;
  }
  number = PyLong_AsUnsignedLongLong(index);
  const bool outside = PyErr_Occurred() != nullptr || number > largest;
  if (outside) PyErr_Format(PyExc_ValueError, "%s must be in range [0; %llu], not %S", name, largest, index);
  Py_DECREF(index);
  return outside ? -1 : 0;
}

PyObject* track(PyObject*, PyObject* arguments, PyObject* keywords) {
  static const char* names[] = {"domain", "address", "size", nullptr};
  PyObject *domain, *address, *size;
  std::uint64_t numbers[3];
  if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "OOO:track", const_cast<char**>(names), &domain, &address,
                                   &size) ||
      to_number(domain, names[0], UINT32_MAX, numbers[0]) < 0 ||
      to_number(address, names[1], UINT64_MAX, numbers[1]) < 0 || to_number(size, names[2], INT64_MAX, numbers[2]) < 0)
    return nullptr;
  return PyBool_FromLong(memtrace::track(static_cast<Domain>(numbers[0]), numbers[1], numbers[2]));
}

PyObject* untrack(PyObject*, PyObject* arguments, PyObject* keywords) {
  static const char* names[] = {"domain", "address", nullptr};
  PyObject *domain, *address;
  std::uint64_t numbers[2];
  if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "OO:untrack", const_cast<char**>(names), &domain, &address) ||
      to_number(domain, names[0], UINT32_MAX, numbers[0]) < 0 ||
      to_number(address, names[1], UINT64_MAX, numbers[1]) < 0)
    return nullptr;
  return PyBool_FromLong(memtrace::untrack(static_cast<Domain>(numbers[0]), numbers[1]));
}

template <std::size_t... indexes>
auto make_definitions(std::index_sequence<indexes...>) {
  return std::array{
      PyMethodDef{kWithoutArguments[indexes].name, &forward<indexes>, METH_NOARGS, kWithoutArguments[indexes].doc}...};
}

auto definitions = make_definitions(std::make_index_sequence<kWithoutArguments.size()>{});
PyMethodDef start_definition = {"start", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(&call_start)),
                                METH_FASTCALL | METH_KEYWORDS, kStartDoc};
PyMethodDef report_definitions[] = {
    {"track", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(&track)), METH_VARARGS | METH_KEYWORDS,
     kTrackDoc},
    {"untrack", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(&untrack)), METH_VARARGS | METH_KEYWORDS,
     kUntrackDoc},
};

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
  for (PyMethodDef& definition : report_definitions) module.attr(definition.ml_name) = make_builtin(definition, module);
  for (PyMethodDef& definition : definitions) module.attr(definition.ml_name) = make_builtin(definition, module);
}

}  // namespace memtrace::binding
