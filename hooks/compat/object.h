// Where an object's block begins.
#pragma once

#include <cstddef>

#include "hooks/compat/python.h"

namespace memtrace::compat {

// Bytes between the start of an object's block and the object: the collector's header, and before it the slots of a
// managed dict or weak reference. Source: _PyType_PreHeaderSize in Include/internal/pycore_object.h.
inline std::size_t pre_header_size(const PyTypeObject* type) noexcept {
  const unsigned long flags = type->tp_flags;
  std::size_t size = 0;
#ifndef Py_GIL_DISABLED
  if ((flags & Py_TPFLAGS_HAVE_GC) != 0) size += 2 * sizeof(void*);
#endif
#if PY_VERSION_HEX >= 0x030c0000
  if ((flags & (Py_TPFLAGS_MANAGED_DICT | Py_TPFLAGS_MANAGED_WEAKREF)) != 0) [[unlikely]]
    size += 2 * sizeof(PyObject*);
#else
  if ((flags & Py_TPFLAGS_MANAGED_DICT) != 0) size += 2 * sizeof(PyObject*);
#endif
  return size;
}

// The largest value of pre_header_size().
inline constexpr std::size_t kMaxPreHeader = 4 * sizeof(void*);

inline const void* block_of(const PyObject* object) noexcept {
  return reinterpret_cast<const char*>(object) - pre_header_size(Py_TYPE(object));
}

}  // namespace memtrace::compat
