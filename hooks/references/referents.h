// What an object refers to, as far as the interpreter tells: its type's tp_traverse, which is C and does nothing but call
// back, and what that leaves out.
//
// Left out are the code objects' constants and names (a code object is not the collector's, but without a GIL), what
// classes made in C have (these are never freed), and the __dict__ of an instance that still has its values beside it.
// Thread-safety: nobody changes objects meanwhile.
#pragma once

#include <type_traits>

#include "hooks/compat/instance.h"
#include "hooks/compat/python.h"

namespace memtrace::references {

// f(referent) for each reference; stops when it returns false. f throws nothing. False when stopped.
template <typename F>
bool for_each_referent(PyObject* object, F&& f) noexcept {
  const auto each = [&](auto*... referents) {
    return ((referents == nullptr || f(reinterpret_cast<PyObject*>(referents))) && ...);
  };
  if (PyType_Check(object) && !PyType_HasFeature(reinterpret_cast<PyTypeObject*>(object), Py_TPFLAGS_HEAPTYPE)) {
    auto* const type = reinterpret_cast<PyTypeObject*>(object);
    return each(compat::class_dict(type), type->tp_mro, type->tp_bases, type->tp_base);
  }
#ifndef Py_GIL_DISABLED
  if (PyCode_Check(object)) {
    auto* const code = reinterpret_cast<PyCodeObject*>(object);
    return each(code->co_consts, code->co_names, code->co_localsplusnames, code->co_filename, code->co_name,
                code->co_qualname, code->co_linetable, code->co_exceptiontable);
  }
#endif
  const traverseproc traverse = Py_TYPE(object)->tp_traverse;
  if (traverse == nullptr || !PyObject_IS_GC(object)) return true;
  using Function = std::remove_reference_t<F>;
  const visitproc visit = [](PyObject* referent, void* function) {
    return (*static_cast<Function*>(function))(referent) ? 0 : 1;
  };
  if (traverse(object, visit, const_cast<void*>(static_cast<const void*>(&f))) != 0) return false;
#if PY_VERSION_HEX >= 0x030d0000
  if (compat::values_of(object) != nullptr) return each(compat::dict_of(object));
#endif
  return true;
}

}  // namespace memtrace::references
