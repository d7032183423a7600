// The value of a context variable (PEP 567), from inside a hook.
//
// A thread state counts in context_ver how often another context became the current one: by Context.run(), at each step of
// a task, at each switch of greenlets. As long as that stays, only setting the variable can change its value.
#pragma once

#include <cstdint>

#include "hooks/compat/python.h"
#include "src/base/hot.h"

namespace memtrace::compat {

// Which context a thread is in.
struct ContextSeen {
  const PyThreadState* thread = nullptr;
  std::uint64_t version = 0;

  static ContextSeen of(const PyThreadState* thread) noexcept { return {thread, thread->context_ver}; }

  // Whether `attached` is still in it. One branch.
  MT_HOT bool is_of(const PyThreadState* attached) const noexcept {
    return ((reinterpret_cast<std::uintptr_t>(thread) ^ reinterpret_cast<std::uintptr_t>(attached)) |
            (version ^ attached->context_ver)) == 0;
  }
};

// The first item, a number, of the tuple that `variable` has as its value in the calling thread's context; 0 when it has
// none. Runs no Python code, allocates nothing and keeps nothing: contexts are trees in which variables are found by
// hash and identity. pre: the thread is attached.
inline std::uint32_t number_in_context(PyObject* variable) noexcept {
  PyObject* value = nullptr;
  if (PyContextVar_Get(variable, nullptr, &value) < 0 || value == nullptr) return 0;
  const bool is_tuple = PyTuple_CheckExact(value);
  const auto number =
      is_tuple ? static_cast<std::uint32_t>(PyLong_AsUnsignedLong(PyTuple_GET_ITEM(value, 0))) : std::uint32_t{0};
  Py_DECREF(value);  // the context has another
  return number;
}

}  // namespace memtrace::compat
