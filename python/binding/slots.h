// SlotMaker: many objects of one Python class with __slots__, made without calling the class.
//
// A statistic or a trace is a handful of slots; going through the class' __init__ would cost more than computing it.
// Limits: the class has no __dict__ and its __slots__ include every name that is set.
#pragma once

#include <pybind11/pybind11.h>

namespace memtrace::binding {

// The name of a slot. Meant for static storage, so the string is never given back: at exit it would be too late.
class Slot {
 public:
  explicit Slot(const char* name) : name_(PyUnicode_InternFromString(name)) {
    if (name_ == nullptr) throw pybind11::error_already_set();
  }

  void set(pybind11::handle object, pybind11::handle value) const {
    if (PyObject_GenericSetAttr(object.ptr(), name_, value.ptr()) != 0) throw pybind11::error_already_set();
  }

 private:
  PyObject* name_;
};

// An object whose slots are all unset.
inline pybind11::object make_unset(const pybind11::type& cls) {
  auto* type = reinterpret_cast<PyTypeObject*>(cls.ptr());
  PyObject* object = type->tp_alloc(type, 0);
  if (object == nullptr) throw pybind11::error_already_set();
  return pybind11::reinterpret_steal<pybind11::object>(object);
}

}  // namespace memtrace::binding
