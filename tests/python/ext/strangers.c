// What an extension may do to Python's allocators and to the process: blocks of others, fork() without the GIL.
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "free_threading.h"

// free_foreign(size, count): blocks of the C library, given to PyMem_RawFree(). Right as long as that is free() below.
static PyObject *free_foreign(PyObject *self, PyObject *arguments) {
  (void)self;
  Py_ssize_t size;
  int count;
  if (!PyArg_ParseTuple(arguments, "ni", &size, &count)) return NULL;
  for (int i = 0; i < count; ++i) PyMem_RawFree(malloc((size_t)size));
  Py_RETURN_NONE;
}

// resize_foreign(size, larger): a block of the C library resized and freed by Python's allocator. True when it had room.
static PyObject *resize_foreign(PyObject *self, PyObject *arguments) {
  (void)self;
  Py_ssize_t size, larger;
  if (!PyArg_ParseTuple(arguments, "nn", &size, &larger)) return NULL;
  void *block = PyMem_RawRealloc(malloc((size_t)size), (size_t)larger);
  PyMem_RawFree(block);
  return PyBool_FromLong(block != NULL);
}

// free_behind(size, count): blocks of PyMem_RawMalloc() given to free(), which no tracer of Python's allocators sees.
static PyObject *free_behind(PyObject *self, PyObject *arguments) {
  (void)self;
  Py_ssize_t size;
  int count;
  if (!PyArg_ParseTuple(arguments, "ni", &size, &count)) return NULL;
  for (int i = 0; i < count; ++i) free(PyMem_RawMalloc((size_t)size));
  Py_RETURN_NONE;
}

// A child in which Python cannot be used: whoever held the GIL is gone.
static void be_child(int blocks) {
  alarm(120);
  for (int i = 0; i < blocks; ++i) {
    char *block = PyMem_RawMalloc((size_t)i % 3000 + 1);
    if (block != NULL) memset(block, 1, (size_t)i % 3000 + 1);
    block = PyMem_RawRealloc(block, (size_t)i % 700 + 1);
    PyMem_RawFree(block);
  }
  _exit(0);
}

typedef struct {
  int forks, blocks, status;
} Forks;

static void *fork_often(void *argument) {
  Forks *forks = argument;
  for (int i = 0; i < forks->forks && forks->status == 0; ++i) {
    const pid_t child = fork();
    if (child == 0) be_child(forks->blocks);
    if (child < 0 || waitpid(child, &forks->status, 0) != child) forks->status = -1;
  }
  return NULL;
}

// fork_without_gil(forks, blocks, own_thread): children that allocate and end; the first bad status of theirs, or 0. The GIL
// is released; with `own_thread` a thread forks that Python does not know.
static PyObject *fork_without_gil(PyObject *self, PyObject *arguments) {
  (void)self;
  Forks forks = {0, 0, 0};
  int own_thread;
  if (!PyArg_ParseTuple(arguments, "iip", &forks.forks, &forks.blocks, &own_thread)) return NULL;
  Py_BEGIN_ALLOW_THREADS
  pthread_t thread;
  if (!own_thread)
    fork_often(&forks);
  else if (pthread_create(&thread, NULL, fork_often, &forks) != 0 || pthread_join(thread, NULL) != 0)
    forks.status = -1;
  Py_END_ALLOW_THREADS
  return PyLong_FromLong(forks.status);
}

static void *call_back(void *function) {
  const PyGILState_STATE state = PyGILState_Ensure();
  PyObject *result = PyObject_CallNoArgs(function);
  if (result == NULL) PyErr_Print();
  Py_XDECREF(result);
  PyGILState_Release(state);
  return NULL;
}

// call_in_thread(function): from a thread made by C, with a thread state of its own.
static PyObject *call_in_thread(PyObject *self, PyObject *function) {
  (void)self;
  int failed;
  Py_BEGIN_ALLOW_THREADS
  pthread_t thread;
  failed = pthread_create(&thread, NULL, call_back, function) != 0 || pthread_join(thread, NULL) != 0;
  Py_END_ALLOW_THREADS
  if (failed) return PyErr_Format(PyExc_RuntimeError, "no thread");
  Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
    {"free_foreign", free_foreign, METH_VARARGS, NULL},         {"resize_foreign", resize_foreign, METH_VARARGS, NULL},
    {"free_behind", free_behind, METH_VARARGS, NULL},           {"fork_without_gil", fork_without_gil, METH_VARARGS, NULL},
    {"call_in_thread", call_in_thread, METH_O, NULL},           {NULL, NULL, 0, NULL},
};
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "strangers", NULL, -1, methods, NULL, NULL, NULL, NULL};
PyMODINIT_FUNC PyInit_strangers(void) { return without_gil(PyModule_Create(&definition)); }
