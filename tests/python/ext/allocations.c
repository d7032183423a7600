// Blocks of all domains, kept in numbered slots: no call leaves a Python object behind, so that a trace shows the blocks and nothing else.
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdlib.h>

enum { kRaw, kMem, kObj, kRawWithoutGil };
enum { kSlots = 4096 };

static void *slots[kSlots];

// Fetches `count` non-negative integers; false with an exception set when they are not there.
static int integers(PyObject *const *arguments, Py_ssize_t given, size_t *values, Py_ssize_t count) {
  if (given != count) {
    PyErr_Format(PyExc_TypeError, "%zd arguments expected, %zd given", count, given);
    return 0;
  }
  for (Py_ssize_t i = 0; i < count; ++i) {
    values[i] = PyLong_AsSize_t(arguments[i]);
    if (values[i] == (size_t)-1 && PyErr_Occurred()) return 0;
  }
  if (values[0] >= kSlots) {
    PyErr_SetString(PyExc_IndexError, "no such slot");
    return 0;
  }
  return 1;
}

static void *raw_without_gil(void *(*call)(void *, size_t, size_t), void *old, size_t count, size_t size) {
  void *block;
  Py_BEGIN_ALLOW_THREADS
  block = call(old, count, size);
  Py_END_ALLOW_THREADS
  return block;
}

static void *raw_malloc(void *old, size_t count, size_t size) { (void)old, (void)count; return PyMem_RawMalloc(size); }
static void *raw_calloc(void *old, size_t count, size_t size) { (void)old; return PyMem_RawCalloc(count, size); }
static void *raw_realloc(void *old, size_t count, size_t size) { (void)count; return PyMem_RawRealloc(old, size); }
static void *raw_free(void *old, size_t count, size_t size) { (void)count, (void)size; PyMem_RawFree(old); return NULL; }

// malloc(slot, domain, size): whether it succeeded.
static PyObject *slot_malloc(PyObject *self, PyObject *const *arguments, Py_ssize_t given) {
  (void)self;
  size_t v[3];
  if (!integers(arguments, given, v, 3)) return NULL;
  void *block = NULL;
  switch (v[1]) {
    case kRaw: block = PyMem_RawMalloc(v[2]); break;
    case kMem: block = PyMem_Malloc(v[2]); break;
    case kObj: block = PyObject_Malloc(v[2]); break;
    default: block = raw_without_gil(raw_malloc, NULL, 0, v[2]);
  }
  slots[v[0]] = block;
  return PyBool_FromLong(block != NULL);
}

// calloc(slot, domain, count, size): whether it succeeded.
static PyObject *slot_calloc(PyObject *self, PyObject *const *arguments, Py_ssize_t given) {
  (void)self;
  size_t v[4];
  if (!integers(arguments, given, v, 4)) return NULL;
  void *block = NULL;
  switch (v[1]) {
    case kRaw: block = PyMem_RawCalloc(v[2], v[3]); break;
    case kMem: block = PyMem_Calloc(v[2], v[3]); break;
    case kObj: block = PyObject_Calloc(v[2], v[3]); break;
    default: block = raw_without_gil(raw_calloc, NULL, v[2], v[3]);
  }
  slots[v[0]] = block;
  return PyBool_FromLong(block != NULL);
}

// realloc(slot, domain, size): whether it succeeded. An empty slot is NULL; after a failure the slot keeps its block.
static PyObject *slot_realloc(PyObject *self, PyObject *const *arguments, Py_ssize_t given) {
  (void)self;
  size_t v[3];
  if (!integers(arguments, given, v, 3)) return NULL;
  // Out of its slot meanwhile: who forks now must not find a block there that the other thread has given back.
  void *const old = slots[v[0]];
  slots[v[0]] = NULL;
  void *block = NULL;
  switch (v[1]) {
    case kRaw: block = PyMem_RawRealloc(old, v[2]); break;
    case kMem: block = PyMem_Realloc(old, v[2]); break;
    case kObj: block = PyObject_Realloc(old, v[2]); break;
    default: block = raw_without_gil(raw_realloc, old, 0, v[2]);
  }
  slots[v[0]] = block != NULL ? block : old;
  return PyBool_FromLong(block != NULL);
}

// free(slot, domain)
static PyObject *slot_free(PyObject *self, PyObject *const *arguments, Py_ssize_t given) {
  (void)self;
  size_t v[2];
  if (!integers(arguments, given, v, 2)) return NULL;
  void *const old = slots[v[0]];
  slots[v[0]] = NULL;
  switch (v[1]) {
    case kRaw: PyMem_RawFree(old); break;
    case kMem: PyMem_Free(old); break;
    case kObj: PyObject_Free(old); break;
    default: raw_without_gil(raw_free, old, 0, 0);
  }
  Py_RETURN_NONE;
}

// system_malloc(slot, size), system_free(slot): behind Python's back, for RAW blocks whose beginning or end no hook sees.
static PyObject *system_malloc(PyObject *self, PyObject *const *arguments, Py_ssize_t given) {
  (void)self;
  size_t v[2];
  if (!integers(arguments, given, v, 2)) return NULL;
  slots[v[0]] = malloc(v[1]);
  return PyBool_FromLong(slots[v[0]] != NULL);
}

static PyObject *system_free(PyObject *self, PyObject *const *arguments, Py_ssize_t given) {
  (void)self;
  size_t v[1];
  if (!integers(arguments, given, v, 1)) return NULL;
  free(slots[v[0]]);
  slots[v[0]] = NULL;
  Py_RETURN_NONE;
}

static PyObject *address(PyObject *self, PyObject *const *arguments, Py_ssize_t given) {
  (void)self;
  size_t v[1];
  if (!integers(arguments, given, v, 1)) return NULL;
  return PyLong_FromVoidPtr(slots[v[0]]);
}

#define FAST(function) (PyCFunction)(void (*)(void))(function), METH_FASTCALL, NULL
static PyMethodDef methods[] = {
    {"malloc", FAST(slot_malloc)},       {"calloc", FAST(slot_calloc)},         {"realloc", FAST(slot_realloc)},
    {"free", FAST(slot_free)},           {"system_malloc", FAST(system_malloc)}, {"system_free", FAST(system_free)},
    {"address", FAST(address)},          {NULL, NULL, 0, NULL},
};

static int execute(PyObject *module) {
  return PyModule_AddIntConstant(module, "RAW", kRaw) < 0 || PyModule_AddIntConstant(module, "MEM", kMem) < 0 ||
                 PyModule_AddIntConstant(module, "OBJ", kObj) < 0 ||
                 PyModule_AddIntConstant(module, "RAW_WITHOUT_GIL", kRawWithoutGil) < 0
             ? -1
             : 0;
}

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, (void *)execute},
#if PY_VERSION_HEX >= 0x030c0000
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
#endif
#ifdef Py_GIL_DISABLED
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL},
};
static PyModuleDef definition = {PyModuleDef_HEAD_INIT, "allocations", NULL, 0, methods, module_slots, NULL, NULL, NULL};
PyMODINIT_FUNC PyInit_allocations(void) { return PyModuleDef_Init(&definition); }
