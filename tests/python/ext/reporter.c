// Reports blocks through CPython's C API for tracemalloc, as numpy does. Built several times, as MODULE, with import slots of different kinds.
#include <stdint.h>

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "free_threading.h"

PyObject *_PyTraceMalloc_GetTraceback(unsigned int domain, uintptr_t address);

// report(domain, address, size, gil): what PyTraceMalloc_Track() returns.
static PyObject *report(PyObject *self, PyObject *arguments) {
  (void)self;
  unsigned int domain;
  unsigned long long address, size;
  int gil = 1;
  if (!PyArg_ParseTuple(arguments, "IKK|p", &domain, &address, &size, &gil)) return NULL;
  int result;
  if (gil) {
    result = PyTraceMalloc_Track(domain, (uintptr_t)address, (size_t)size);
  } else {
    Py_BEGIN_ALLOW_THREADS
    result = PyTraceMalloc_Track(domain, (uintptr_t)address, (size_t)size);
    Py_END_ALLOW_THREADS
  }
  return PyLong_FromLong(result);
}

// forget(domain, address): what PyTraceMalloc_Untrack() returns.
static PyObject *forget(PyObject *self, PyObject *arguments) {
  (void)self;
  unsigned int domain;
  unsigned long long address;
  if (!PyArg_ParseTuple(arguments, "IK", &domain, &address)) return NULL;
  return PyLong_FromLong(PyTraceMalloc_Untrack(domain, (uintptr_t)address));
}

static PyObject *traceback(PyObject *self, PyObject *arguments) {
  (void)self;
  unsigned int domain;
  unsigned long long address;
  if (!PyArg_ParseTuple(arguments, "IK", &domain, &address)) return NULL;
  return _PyTraceMalloc_GetTraceback(domain, (uintptr_t)address);
}

// What numpy's newer allocator does: RAW memory, taken out of domain 0 and entered in a domain of its own. The block's address.
static PyObject *take_over(PyObject *self, PyObject *arguments) {
  (void)self;
  unsigned int domain;
  Py_ssize_t size;
  if (!PyArg_ParseTuple(arguments, "In", &domain, &size)) return NULL;
  void *block = PyMem_RawMalloc((size_t)size);
  if (block == NULL) return PyErr_NoMemory();
  if (PyTraceMalloc_Untrack(0, (uintptr_t)block) != -2) PyTraceMalloc_Track(domain, (uintptr_t)block, (size_t)size);
  return PyLong_FromVoidPtr(block);
}

static PyObject *give_back(PyObject *self, PyObject *arguments) {
  (void)self;
  unsigned int domain;
  unsigned long long address;
  if (!PyArg_ParseTuple(arguments, "IK", &domain, &address)) return NULL;
  PyTraceMalloc_Untrack(domain, (uintptr_t)address);
  PyMem_RawFree((void *)(uintptr_t)address);
  Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
    {"report", report, METH_VARARGS, NULL},       {"forget", forget, METH_VARARGS, NULL},
    {"traceback", traceback, METH_VARARGS, NULL}, {"take_over", take_over, METH_VARARGS, NULL},
    {"give_back", give_back, METH_VARARGS, NULL}, {NULL, NULL, 0, NULL},
};

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define TEXT_(a) #a
#define TEXT(a) TEXT_(a)

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, TEXT(MODULE), NULL, -1, methods, NULL, NULL, NULL, NULL};
PyMODINIT_FUNC JOIN(PyInit_, MODULE)(void) {
  PyObject *module = without_gil(PyModule_Create(&definition));
  // Reported before the import has returned.
  if (module != NULL && PyModule_AddIntConstant(module, "at_import", PyTraceMalloc_Track(4242, 1, 100)) < 0) Py_CLEAR(module);
  return module;
}
