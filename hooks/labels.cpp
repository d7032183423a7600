#include "hooks/labels.h"

#include <atomic>

#include "hooks/events.h"

namespace memtrace::labels {

namespace {

std::atomic<PyObject*> current_variable{nullptr};

}  // namespace

void set_variable(PyObject* variable) noexcept {
  if (PyInterpreterState_Get() != PyInterpreterState_Main()) return;
  Py_INCREF(variable);
  Py_XDECREF(current_variable.exchange(variable));
}

void forget_variable() noexcept { current_variable.store(nullptr); }

std::uint32_t current(Thread& thread, const PyThreadState* attached) noexcept {
  if (attached == nullptr || thread.label_seen.is_of(attached)) return thread.label;
  thread.label_seen = compat::ContextSeen::of(attached);
  PyObject* const variable = current_variable.load(std::memory_order_acquire);
  // Another interpreter's thread has no part in it.
  const bool can_have = variable != nullptr && attached->interp == main_interpreter;
  thread.label = can_have ? compat::number_in_context(variable) : 0;
  return thread.label;
}

void changed() noexcept {
  if (Thread* const thread = Thread::current()) thread->label_seen = {};
}

}  // namespace memtrace::labels
