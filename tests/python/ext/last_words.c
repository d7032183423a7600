// Blocks that are used after the interpreter has gone: by exit handlers of the C library, by Py_AtExit, and by static destructors.
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "free_threading.h"
#include <stdlib.h>
#include <unistd.h>

static void *by_atexit, *by_py_atexit, *by_destructor;

static void say(const char *text, size_t size) {
  if (write(STDOUT_FILENO, text, size) < 0) _exit(99);
}

// Frees `block`, having used the domain in every other way first.
static void use_and_free(void *block) {
  void *other = PyMem_RawCalloc(10, 10);
  other = PyMem_RawRealloc(other, 100000);
  PyMem_RawFree(PyMem_RawMalloc(0));
  block = PyMem_RawRealloc(block, 5000);
  PyMem_RawFree(block);
  PyMem_RawFree(other);
}

static void at_exit(void) {
  use_and_free(by_atexit);
  say("atexit\n", 7);
}

static void at_python_exit(void) {
  use_and_free(by_py_atexit);
  say("Py_AtExit\n", 10);
}

__attribute__((destructor)) static void at_unload(void) {
  if (by_destructor == NULL) return;
  use_and_free(by_destructor);
  say("destructor\n", 11);
}

// hold(): allocates what the handlers will free.
static PyObject *hold(PyObject *self, PyObject *unused) {
  (void)self, (void)unused;
  by_atexit = PyMem_RawMalloc(1000);
  by_py_atexit = PyMem_RawMalloc(2000);
  by_destructor = PyMem_RawMalloc(3000);
  if (atexit(at_exit) != 0 || Py_AtExit(at_python_exit) != 0) return PyErr_NoMemory();
  Py_RETURN_NONE;
}

static PyMethodDef methods[] = {{"hold", hold, METH_NOARGS, NULL}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "last_words", NULL, -1, methods, NULL, NULL, NULL, NULL};
PyMODINIT_FUNC PyInit_last_words(void) { return without_gil(PyModule_Create(&definition)); }
