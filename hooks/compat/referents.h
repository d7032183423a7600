// What refers to objects: the collector's lists and other objects. Plain reading: no code of the program runs, nothing is
// allocated with its allocators. pre, for all of them: nobody changes objects meanwhile.
#pragma once

#include <cstdint>
#include <exception>

#include "hooks/compat/instance.h"
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

// Calls f(object) for all objects of the calling interpreter that the collector tracks, in one instant, until f says false.
// f makes no Python object. Throws what f throws. From 3.12 on not those that gc.freeze() has set aside, but where the
// interpreter counts them in (3.14).
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

namespace detail {

// Whether the dictionary has references of its own to its keys that its tp_traverse passes over: to texts, which end no
// cycle. Those that instances share are not its own.
inline bool has_untold_keys(PyObject* object) noexcept {
  constexpr std::uint8_t kTexts = 1;  // DICT_KEYS_UNICODE of Include/internal/pycore_dict.h
  const auto* const dict = reinterpret_cast<const PyDictObject*>(object);
  return dict->ma_values == nullptr && reinterpret_cast<const Keys*>(dict->ma_keys)->kind == kTexts;
}

// f as a callback of C, which is no place for exceptions.
template <typename F>
bool traverse(PyObject* object, F& f) {
  const traverseproc type_traverse = Py_TYPE(object)->tp_traverse;
  if (type_traverse == nullptr || !PyObject_IS_GC(object)) return true;
  struct Call {
    F& f;
    std::exception_ptr failure;
  } call{f, nullptr};
  const visitproc once = [](PyObject* referent, void* argument) {
    Call& c = *static_cast<Call*>(argument);
    try {
      return c.f(referent) ? 0 : 1;
    } catch (...) {
      c.failure = std::current_exception();
      return 1;
    }
  };
  const bool goes_on = type_traverse(object, once, &call) == 0;
  if (call.failure) std::rethrow_exception(call.failure);
  return goes_on;
}

}  // namespace detail

// Calls f(referent) for each reference of `object`, as far as the interpreter tells, until f says false; then it is false
// itself. Throws what f throws. What its type's tp_traverse visits, and what that leaves out: what code objects have, what
// classes made in C have (these are never freed), names of classes, the texts that are keys of a dictionary, and the
// __dict__ of an instance that still has its values beside it.
template <typename F>
bool for_each_referent(PyObject* object, F&& f) {
  const auto each = [&](auto*... referents) {
    return ((referents == nullptr || f(reinterpret_cast<PyObject*>(referents))) && ...);
  };
  if (PyCode_Check(object)) {
    auto* const code = reinterpret_cast<PyCodeObject*>(object);
    return each(code->co_consts, code->co_names, code->co_exceptiontable, code->co_localsplusnames,
                code->co_localspluskinds, code->co_filename, code->co_name, code->co_qualname, code->co_linetable);
  }
  if (PyType_Check(object)) {
    auto* const type = reinterpret_cast<PyTypeObject*>(object);
    if (!PyType_HasFeature(type, Py_TPFLAGS_HEAPTYPE))
      return each(class_dict(type), type->tp_mro, type->tp_bases, type->tp_base);
    auto* const heap = reinterpret_cast<PyHeapTypeObject*>(object);
    if (!each(heap->ht_name, heap->ht_qualname, heap->ht_slots)) return false;
  }
  if (!detail::traverse(object, f)) return false;
  if (PyDict_Check(object) && detail::has_untold_keys(object)) {
    PyObject *key, *value;
    for (Py_ssize_t position = 0; PyDict_Next(object, &position, &key, &value) != 0;)
      if (!f(key)) return false;
  }
#if PY_VERSION_HEX >= 0x030d0000
  if (values_of(object) != nullptr) return each(dict_of(object));
#endif
  return true;
}

}  // namespace memtrace::compat
