// Who allocates: the functions of memtrace._core for threads and labels.
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "hooks/labels.h"
#include "hooks/session.h"
#include "hooks/thread.h"
#include "python/binding/binding.h"
#include "python/binding/convert.h"
#include "python/binding/taking.h"
#include "src/base/wtf8.h"

namespace py = pybind11;

namespace memtrace::binding {

namespace {

std::string_view text_of(const ThreadTable::Name& name) { return {name.data(), strnlen(name.data(), name.size())}; }

// The system's names are any bytes.
std::string as_utf8(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const std::size_t length = decode_one(text).length;
    result += length == 0 ? "?" : text.substr(0, length);
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return result;
}

// What the dictionary {native id: name} has.
std::string name_in(const py::dict& names, std::uint64_t native_id) {
  PyObject* const name = PyDict_GetItemWithError(names.ptr(), py::int_(native_id).ptr());
  if (name == nullptr && PyErr_Occurred() != nullptr) throw py::error_already_set();
  return name == nullptr ? std::string() : to_wtf8(name);
}

// Names the threads of the current era, in all its snapshots, as far as their names are known now. A thread that runs is
// called what Python says now, one that has ended what it was called when it began. Where nobody noted that, it is what
// Python says if it still knows, else the system's name for it, as for threads that C code began. What was said of one
// that has ended is kept: its native id may be another's by now.
void name_threads(std::uint64_t main_native_id, const py::dict& running, const py::dict& ended) {
  const session::Lock lock;
  Era* era = session::tracer().era();
  if (era == nullptr) return;
  const ThreadTable& threads = era->tables().threads;
  std::vector<bool> runs(threads.end());
  for (const ThreadState* state = session::tracer().threads().first(); state != nullptr; state = state->next) {
    if (!state->in_use.load(std::memory_order_acquire)) continue;
    // One that has begun since is left to the next call.
    if (const ThreadId id = static_cast<const Thread*>(state)->known_in(*era); id < runs.size()) runs[id] = true;
  }
  snapshot::Dictionary& dictionary = *taker().dictionary_of(*era);
  const auto set = [&](ThreadId id, std::string_view name) {
    dictionary.set_tag_name(snapshot::Tag::thread, id, name);
  };
  const ThreadId main = threads.find(main_native_id);
  set(kNone, "other threads");
  for (ThreadId id = 1; id < runs.size(); ++id) {
    const std::uint64_t native_id = threads.native_id(id);
    const ThreadTable::Name noted = threads.name(id);
    std::string name;
    if (runs[id]) name = name_in(running, native_id);
    if (name.empty() && !dictionary.tag_name(snapshot::Tag::thread, id).empty()) continue;
    if (name.empty() && threads.source(id) != ThreadTable::Source::kThread) name = name_in(ended, native_id);
    if (name.empty()) {
      // A thread that nobody named has the name of the one that began it: the program's.
      const bool is_programs = threads.source(id) != ThreadTable::Source::kThread && main != kNone &&
                               text_of(noted) == text_of(threads.name(main));
      name = is_programs || noted[0] == 0 ? "thread" : as_utf8(text_of(noted));
    }
    set(id, name + " (" + std::to_string(native_id) + ")");
  }
}

// Builtins, whose first argument is the variable: each interpreter has one of its own. The value of the variable is None or
// a tuple of a label's number and the value before.
PyObject* set_value(PyObject* variable, PyObject* value) {
  PyObject* token = PyContextVar_Set(variable, value);
  if (token == nullptr) return nullptr;
  Py_DECREF(token);
  labels::changed();
  Py_RETURN_NONE;
}

PyObject* enter_label(PyObject* variable, PyObject* number) {
  PyObject* outer = nullptr;
  if (PyContextVar_Get(variable, Py_None, &outer) < 0) return nullptr;
  PyObject* value = PyTuple_Pack(2, number, outer);
  Py_DECREF(outer);
  if (value == nullptr) return nullptr;
  PyObject* result = set_value(variable, value);
  Py_DECREF(value);
  return result;
}

PyObject* leave_label(PyObject* variable, PyObject* number) {
  PyObject* value = nullptr;
  if (PyContextVar_Get(variable, Py_None, &value) < 0) return nullptr;
  // A generator may be left in another context than it was entered in. That one has its own.
  int is_entered = PyTuple_CheckExact(value);
  if (is_entered != 0) is_entered = PyObject_RichCompareBool(PyTuple_GET_ITEM(value, 0), number, Py_EQ);
  PyObject* result = is_entered > 0 ? set_value(variable, PyTuple_GET_ITEM(value, 1)) : nullptr;
  Py_DECREF(value);
  if (is_entered == 0) Py_RETURN_NONE;
  return result;
}

PyMethodDef label_definitions[] = {{"enter_label", enter_label, METH_O, nullptr},
                                   {"leave_label", leave_label, METH_O, nullptr}};

void publish_labels(py::module_& module) {
  // Not by contextvars.ContextVar: nothing more is imported.
  const py::object variable = py::reinterpret_steal<py::object>(PyContextVar_New("memtrace.label", nullptr));
  if (!variable) throw py::error_already_set();
  labels::set_variable(variable.ptr());
  for (PyMethodDef& definition : label_definitions) {
    PyObject* builtin = PyCFunction_NewEx(&definition, variable.ptr(), nullptr);
    if (builtin == nullptr) throw py::error_already_set();
    module.attr(definition.ml_name) = py::reinterpret_steal<py::object>(builtin);
  }
}

}  // namespace

void bind_threads(py::module_& module) {
  module.def("name_threads", &name_threads, py::arg("main_native_id"), py::arg("running"), py::arg("ended"));
  publish_labels(module);
  module.def("new_label", [] {
    static std::atomic<std::uint32_t> last{0};
    return last.fetch_add(1, std::memory_order_relaxed) + 1;
  });
}

}  // namespace memtrace::binding
