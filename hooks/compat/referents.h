// What refers to objects: the collector's lists, other objects, and the local variables of running functions. Plain
// reading: no code of the program runs, nothing is allocated with its allocators.
#pragma once

#include <cstdint>
#include <exception>
#include <type_traits>

#include "hooks/compat/frame.h"
#include "hooks/compat/python.h"

namespace memtrace::compat {

// The dictionary of interned texts, which nothing refers to that could be asked; null where it is not known.
inline PyObject* interned_texts() noexcept {
#if PY_VERSION_HEX >= 0x030c0000
  return PyInterpreterState_Get()->cached_objects.interned_strings;
#else
  return nullptr;
#endif
}

// Calls f(object) for all objects that the collector tracks, in one instant, until f says false. f makes no Python object.
// Throws what f throws.
template <typename F>
void for_each_tracked(F&& f) {
#if PY_VERSION_HEX >= 0x030c0000
  struct Call {
    F& f;
    std::exception_ptr failure;
  } call{f, nullptr};
  const auto once = [](PyObject* object, void* argument) {
    Call& c = *static_cast<Call*>(argument);
    try {
      return c.f(object) ? 1 : 0;
    } catch (...) {
      c.failure = std::current_exception();
      return 0;
    }
  };
  PyUnstable_GC_VisitObjects(once, &call);
  if (call.failure) std::rethrow_exception(call.failure);
#else
  const auto goes_on = [&](gc_generation& generation) {
    for (PyGC_Head* head = _PyGCHead_NEXT(&generation.head); head != &generation.head; head = _PyGCHead_NEXT(head))
      if (!f(reinterpret_cast<PyObject*>(head + 1))) return false;
    return true;
  };
  _gc_runtime_state& collector = PyInterpreterState_Get()->gc;
  for (gc_generation& generation : collector.generations)
    if (!goes_on(generation)) return;
  goes_on(collector.permanent_generation);
#endif
}

// Calls f(object) for what `object` refers to, as far as it says. Throws what f throws. More than its tp_traverse: the collector passes over the
// texts that are keys of dictionaries, and code objects are nothing to it before 3.14.
template <typename F>
void for_each_referent(PyObject* object, F&& f) {
  const auto visit = [&](PyObject* referent) {
    if (referent != nullptr) f(referent);
  };
  if (PyCode_Check(object)) {
    const auto* code = reinterpret_cast<const PyCodeObject*>(object);
    for (PyObject* part :
         {code->co_consts, code->co_names, code->co_exceptiontable, code->co_localsplusnames, code->co_localspluskinds,
          code->co_filename, code->co_name, code->co_qualname, code->co_linetable})
      visit(part);
    return;
  }
  if (PyDict_Check(object)) {
    PyObject *key, *value;
    for (Py_ssize_t position = 0; PyDict_Next(object, &position, &key, &value) != 0;) {
      visit(key);
      visit(value);
    }
    if (PyDict_CheckExact(object)) return;
  }
  if (PyType_Check(object) && PyType_HasFeature(reinterpret_cast<PyTypeObject*>(object), Py_TPFLAGS_HEAPTYPE)) {
    visit(reinterpret_cast<PyHeapTypeObject*>(object)->ht_name);
    visit(reinterpret_cast<PyHeapTypeObject*>(object)->ht_qualname);
  }
  const traverseproc traverse = Py_TYPE(object)->tp_traverse;
  if (traverse == nullptr || !PyObject_IS_GC(object)) return;
  // C code is no place for exceptions.
  struct Call {
    std::remove_reference_t<F>& f;
    std::exception_ptr failure;
  } call{f, nullptr};
  const visitproc once = [](PyObject* referent, void* argument) {
    Call& c = *static_cast<Call*>(argument);
    try {
      c.f(referent);
      return 0;
    } catch (...) {
      c.failure = std::current_exception();
      return -1;
    }
  };
  traverse(object, once, &call);
  if (call.failure) std::rethrow_exception(call.failure);
}

inline PyObject* local_variable(const Frame* frame, int index) noexcept {
#if PY_VERSION_HEX >= 0x030e0000
  constexpr std::uintptr_t kTag = 3;  // all of it: a number in the place of a reference
  const std::uintptr_t bits = frame->localsplus[index].bits;
  return (bits & kTag) == kTag ? nullptr : reinterpret_cast<PyObject*>(bits & ~kTag);
#else
  return frame->localsplus[index];
#endif
}

// Calls f(object) for the local variables of all running functions of the interpreter. pre: its threads stand still.
template <typename F>
void for_each_local(F&& f) {
  PyInterpreterState* const interpreter = PyInterpreterState_Get();
  for (PyThreadState* thread = PyInterpreterState_ThreadHead(interpreter); thread != nullptr;
       thread = PyThreadState_Next(thread)) {
    for (const Frame* frame = top_frame(thread); frame != nullptr; frame = caller(frame)) {
      if (is_internal(frame)) continue;
      for (int i = 0; i < code(frame)->co_nlocalsplus; ++i)
        if (PyObject* const local = local_variable(frame, i)) f(local);
    }
  }
}

}  // namespace memtrace::compat
