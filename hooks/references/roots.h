// Where walks over references begin: what the interpreter holds without an object of Python's in between.
//
//   module   an entry of sys.modules
//   thread   what a thread state holds: context variables, the exception that is being handled, ...
//   frame    a call that is running: its variables, its function
//
// Pointers of a Root are borrowed: for as long as nobody else runs.
#pragma once

#include <cstdint>
#include <string>

#include "hooks/compat/frame_values.h"
#include "hooks/compat/python.h"

namespace memtrace::references {

struct Root {
  enum class Kind : std::uint8_t { kModule, kThread, kFrame, kStack, kC, kCycle };

  Kind kind;
  PyObject* module = nullptr;               // kModule: the key in sys.modules
  const PyThreadState* thread = nullptr;    // kThread, kFrame, kStack
  const compat::Frame* frame = nullptr;     // kFrame, kStack
  const char* what = nullptr;               // kThread: which of the things that it holds
};

// "module", "thread", "frame", "stack", "C", "cycle".
const char* kind_name(Root::Kind kind) noexcept;

// What tells the root from others of its kind: "app", "'MainThread'", "f() at app.py:3 in thread 'MainThread'". Throws
// std::bad_alloc.
std::string root_name(const Root& root);

// "'MainThread'" as threading has it, or the thread's number.
std::string thread_name(const PyThreadState* thread);

// f(root, object) for each entry of sys.modules.
template <typename F>
void for_each_module(F&& f) {
  PyObject* const modules = PyImport_GetModuleDict();
  if (modules == nullptr || !PyDict_Check(modules)) return;
  Py_ssize_t position = 0;
  PyObject *name = nullptr, *module = nullptr;
  while (PyDict_Next(modules, &position, &name, &module) != 0) f(Root{Root::Kind::kModule, name}, module);
}

// f(root, object) for what a thread state itself holds.
template <typename F>
void for_each_of_thread(const PyThreadState* thread, F&& f) {
  const auto give = [&](PyObject* object, const char* what) {
    if (object != nullptr && object != Py_None) f(Root{Root::Kind::kThread, nullptr, thread, nullptr, what}, object);
  };
  give(thread->context, "context variables");
  give(thread->dict, "thread state");
  give(thread->c_traceobj, "trace function");
  give(thread->c_profileobj, "profile function");
  for (const _PyErr_StackItem* item = thread->exc_info; item != nullptr; item = item->previous_item)
    give(item->exc_value, "exception that is being handled");
}

// f(object, is_counted) for what a frame holds, but for its stack.
template <typename F>
void for_each_of_frame(const compat::Frame* frame, F&& f) {
  const auto give = [&](compat::FrameValue value) {
    if (value.object != nullptr) f(value.object, value.is_counted);
  };
  for (int i = 0; i < compat::variable_count(frame); ++i) give(compat::variable(frame, i));
  give(compat::function(frame));
  give(compat::executable(frame));
  give({compat::names(frame), true});
  give({compat::frame_object(frame), true});
}

}  // namespace memtrace::references
