#include "hooks/compat/object_layout.h"

#include <string_view>

namespace memtrace::compat {

namespace {

// The class of the standard library that has this name, or one that is derived from it: their types are not exported. A
// class statement or type() makes none that is immutable.
bool is_derived_from(const PyTypeObject* type, std::string_view name) noexcept {
  for (; type != nullptr; type = type->tp_base)
    if (type->tp_name == name && PyType_HasFeature(const_cast<PyTypeObject*>(type), Py_TPFLAGS_IMMUTABLETYPE))
      return true;
  return false;
}

Kind kind_of(PyTypeObject* type) noexcept {
  if (PyType_HasFeature(type, Py_TPFLAGS_LONG_SUBCLASS)) return Kind::kInteger;
  if (PyType_HasFeature(type, Py_TPFLAGS_UNICODE_SUBCLASS)) return Kind::kText;
  if (PyType_HasFeature(type, Py_TPFLAGS_LIST_SUBCLASS)) return Kind::kItems;
  if (PyType_HasFeature(type, Py_TPFLAGS_DICT_SUBCLASS)) return Kind::kDict;
  if (PyType_IsSubtype(type, &PySet_Type) || PyType_IsSubtype(type, &PyFrozenSet_Type)) return Kind::kSet;
  if (PyType_IsSubtype(type, &PyByteArray_Type)) return Kind::kByteArray;
  if (is_derived_from(type, "collections.deque")) return Kind::kDeque;
  if (is_derived_from(type, "array.array")) return Kind::kItems;
  return Kind::kPlain;
}

// The size of an item, where objects say how many they have. Generators and frames have items, too, but keep something
// else in the place of their number, as types of extensions may.
std::uint64_t item_size(PyTypeObject* type) noexcept {
  constexpr unsigned long kCounted = Py_TPFLAGS_LONG_SUBCLASS | Py_TPFLAGS_TUPLE_SUBCLASS | Py_TPFLAGS_BYTES_SUBCLASS;
  return (type->tp_flags & kCounted) != 0 ? static_cast<std::uint64_t>(type->tp_itemsize) : 0;
}

}  // namespace

Shape shape_of(PyTypeObject* type) noexcept {
  return {.pre_header = static_cast<std::uint32_t>(pre_header_size(type)),
          .kind = kind_of(type),
          .has_managed_dict = PyType_HasFeature(type, Py_TPFLAGS_MANAGED_DICT) != 0,
          .basic_size = static_cast<std::uint64_t>(type->tp_basicsize),
          .item_size = item_size(type)};
}

}  // namespace memtrace::compat
