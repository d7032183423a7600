/* A pool of blocks that memtrace can see.

   The pool takes one large slab from malloc() and hands out pieces of it: to Python's allocators it is invisible, and
   so it is to a tracer, unless the pool reports what it hands out. */
#define Py_LIMITED_API 0x030b0000 /* one binary for Python 3.11 and later */
#include <Python.h>

#include <memtrace.h>
#include <stdlib.h>

enum { kDomain = 760001, kPieces = 1000, kPieceSize = 64 };

static char slab[kPieces][kPieceSize];
static unsigned short free_pieces[kPieces];
static int free_count;

/* take(size) -> address */
static PyObject* take(PyObject* module, PyObject* argument) {
  (void)module;
  const size_t size = PyLong_AsSize_t(argument);
  if (size == (size_t)-1 && PyErr_Occurred()) return NULL;
  if (size > kPieceSize || free_count == 0) return PyErr_NoMemory();
  char* piece = slab[free_pieces[--free_count]];
  memtrace_track(kDomain, (uintptr_t)piece, size);
  return PyLong_FromVoidPtr(piece);
}

/* resize(address, size) -> address: within its piece, so it never moves. */
static PyObject* resize(PyObject* module, PyObject* arguments) {
  (void)module;
  unsigned long long address;
  Py_ssize_t size;
  if (!PyArg_ParseTuple(arguments, "Kn", &address, &size)) return NULL;
  if (size < 0 || size > kPieceSize) return PyErr_NoMemory();
  memtrace_retrack(kDomain, (uintptr_t)address, (uintptr_t)address, (size_t)size);
  return PyLong_FromUnsignedLongLong(address);
}

/* give_back(address) */
static PyObject* give_back(PyObject* module, PyObject* argument) {
  (void)module;
  char* piece = PyLong_AsVoidPtr(argument);
  if (piece == NULL && PyErr_Occurred()) return NULL;
  /* First: the piece may be somebody else's the moment after. */
  memtrace_untrack(kDomain, (uintptr_t)piece);
  free_pieces[free_count++] = (unsigned short)((piece - slab[0]) / kPieceSize);
  Py_RETURN_NONE;
}

/* is_traced() -> bool: for what only a tracer needs. */
static PyObject* is_traced(PyObject* module, PyObject* unused) {
  (void)module, (void)unused;
  return PyBool_FromLong(memtrace_is_tracing());
}

static PyMethodDef methods[] = {
    {"take", take, METH_O, NULL},
    {"resize", resize, METH_VARARGS, NULL},
    {"give_back", give_back, METH_O, NULL},
    {"is_traced", is_traced, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "pool", "A pool that reports its blocks.", -1, methods, NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit_pool(void) {
  for (free_count = 0; free_count < kPieces; ++free_count) free_pieces[free_count] = (unsigned short)free_count;
  if (memtrace_import() < 0) return NULL;
  return PyModule_Create(&definition);
}
