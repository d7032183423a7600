// The attributes of an instance, where they lie: read only, nothing of the program runs, no dictionary is made.
//
// An instance of a class written in Python has its attributes in values whose names all instances share, until somebody
// asks for its __dict__ (3.11, 3.12) or longer (3.13 on, where the values lie behind the instance).
// The layouts are repeated here because their headers are no C++ in some versions: PyDictValues and PyDictKeysObject of
// Include/internal/pycore_dict.h, what is before an instance of pycore_object.h.
// pre, for all of them: nobody changes the object meanwhile.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "hooks/compat/python.h"

namespace memtrace::compat {

namespace detail {

struct Keys {  // of strings
  Py_ssize_t references;
  std::uint8_t log2_size;
  std::uint8_t log2_index_bytes;
  std::uint8_t kind;
  std::uint32_t version;
  Py_ssize_t usable;
  Py_ssize_t count;

  struct Entry {
    PyObject* name;
    PyObject* value;
  };
  const Entry* entries() const noexcept {
    const auto* const indices = reinterpret_cast<const char*>(this + 1);
    return reinterpret_cast<const Entry*>(indices + (std::size_t{1} << log2_index_bytes));
  }
};

inline PyObject* word_before(PyObject* object, int words) noexcept {
  return reinterpret_cast<PyObject**>(object)[-words];
}

}  // namespace detail

struct Values {
#if PY_VERSION_HEX >= 0x030d0000
  std::uint8_t capacity;
  std::uint8_t size;
  std::uint8_t is_embedded;
  std::uint8_t is_valid;
#endif
  PyObject* first[1];
};

// The values, or null: there are none, or a dictionary has them.
inline const Values* values_of(PyObject* object) noexcept {
  const PyTypeObject* const type = Py_TYPE(object);
#if PY_VERSION_HEX >= 0x030d0000
  if ((type->tp_flags & Py_TPFLAGS_INLINE_VALUES) == 0) return nullptr;
  const auto* const values = reinterpret_cast<const Values*>(reinterpret_cast<char*>(object) + type->tp_basicsize);
  return values->is_valid != 0 ? values : nullptr;
#else
  if ((type->tp_flags & Py_TPFLAGS_MANAGED_DICT) == 0) return nullptr;
#if PY_VERSION_HEX >= 0x030c0000
  // One word for both; that of values is one less.
  const auto word = reinterpret_cast<std::uintptr_t>(detail::word_before(object, 3));
  return (word & 1) != 0 ? reinterpret_cast<const Values*>(word + 1) : nullptr;
#else
  return reinterpret_cast<const Values*>(detail::word_before(object, 4));
#endif
#endif
}

// Its dictionary where it has one already, or null.
inline PyObject* dict_of(PyObject* object) noexcept {
  const PyTypeObject* const type = Py_TYPE(object);
  if ((type->tp_flags & Py_TPFLAGS_MANAGED_DICT) != 0) {
#ifdef Py_GIL_DISABLED
    return detail::word_before(object, 1);
#elif PY_VERSION_HEX >= 0x030c0000 && PY_VERSION_HEX < 0x030d0000
    return values_of(object) != nullptr ? nullptr : detail::word_before(object, 3);
#else
    return detail::word_before(object, 3);
#endif
  }
  if (type->tp_dictoffset == 0) return nullptr;
  PyObject** const dict = _PyObject_GetDictPtr(object);
  return dict == nullptr ? nullptr : *dict;
}

// f(name, value) for each of the values.
template <typename F>
void for_each_value(PyObject* object, F&& f) {
  const Values* const values = values_of(object);
  if (values == nullptr) return;
  const auto* const keys =
      reinterpret_cast<const detail::Keys*>(reinterpret_cast<PyHeapTypeObject*>(Py_TYPE(object))->ht_cached_keys);
  if (keys == nullptr) return;
  Py_ssize_t count = keys->count;
#if PY_VERSION_HEX >= 0x030d0000
  count = std::min<Py_ssize_t>(count, values->capacity);
#endif
  for (Py_ssize_t i = 0; i < count; ++i)
    if (values->first[i] != nullptr) f(keys->entries()[i].name, values->first[i]);
}

// A class's own dictionary: a borrowed reference, or null.
inline PyObject* class_dict(PyTypeObject* type) noexcept {
  if (type->tp_dict != nullptr) return type->tp_dict;
#if PY_VERSION_HEX >= 0x030c0000
  // Each interpreter has its own of the builtin classes, and they live as long as it.
  PyObject* const dict = PyType_GetDict(type);
  Py_XDECREF(dict);
  return dict;
#else
  return nullptr;
#endif
}

}  // namespace memtrace::compat
