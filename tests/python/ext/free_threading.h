// Says of a module that it needs no GIL, where there may be none: it would be switched on for the whole process otherwise.
#pragma once

#include <Python.h>

static inline PyObject* without_gil(PyObject* module) {
#ifdef Py_GIL_DISABLED
  if (module != NULL) PyUnstable_Module_SetGIL(module, Py_MOD_GIL_NOT_USED);
#endif
  return module;
}
