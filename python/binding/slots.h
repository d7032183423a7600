// Many objects of one Python class with __slots__, made without calling the class.
//
//   unset   an object of the class whose slots have no value yet
//   slot    where objects of the class keep one of their __slots__
//   pause   no garbage collection in a scope
//
// A statistic or a trace is a handful of slots: going through the class' __init__, or even through its attributes,
// would cost more than computing it. Limits: the objects are those of make_unset(), and each slot is set once.
#pragma once

#include <pybind11/pybind11.h>
#include <structmember.h>  // PyMemberDef, which Python.h has from 3.12 on

#include <string>
#include <utility>

namespace memtrace::binding {

class Slot {
 public:
  // pybind11::type_error when `name` is none of the __slots__ of `cls`.
  Slot(const pybind11::type& cls, const char* name) {
    const pybind11::object member = cls.attr(name);
    if (!Py_IS_TYPE(member.ptr(), &PyMemberDescr_Type)) throw pybind11::type_error(std::string(name) + " is no slot");
    offset_ = reinterpret_cast<PyMemberDescrObject*>(member.ptr())->d_member->offset;
  }

  void set(const pybind11::object& object, pybind11::object value) const {
    *reinterpret_cast<PyObject**>(reinterpret_cast<char*>(object.ptr()) + offset_) = value.release().ptr();
  }

 private:
  Py_ssize_t offset_;
};

inline pybind11::object make_unset(const pybind11::type& cls) {
  auto* type = reinterpret_cast<PyTypeObject*>(cls.ptr());
  PyObject* object = type->tp_alloc(type, 0);
  if (object == nullptr) throw pybind11::error_already_set();
  return pybind11::reinterpret_steal<pybind11::object>(object);
}

// Making thousands of objects makes no garbage, and would have the collector look at them again and again. In a pause
// no finaliser runs either, so no code of others in the middle of it.
class CollectionPause {
 public:
#ifdef Py_GIL_DISABLED
  // There collections begin between instructions of Python code only, and the switch is everybody's.
  CollectionPause() = default;
  ~CollectionPause() = default;
#else
  CollectionPause() : was_enabled_(PyGC_Disable() != 0) {}
  ~CollectionPause() {
    if (was_enabled_) PyGC_Enable();
  }
#endif
  CollectionPause(const CollectionPause&) = delete;
  CollectionPause& operator=(const CollectionPause&) = delete;

 private:
#ifndef Py_GIL_DISABLED
  bool was_enabled_;
#endif
};

}  // namespace memtrace::binding
