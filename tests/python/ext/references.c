// A reference tracer of somebody else: set before or after memtrace's, alone or calling the one it found. For CPython 3.13 and later.
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "free_threading.h"

static unsigned long created, destroyed;
static int marker;
static PyRefTracer found;
static void *found_data;
static int chaining;

static int count(PyObject *object, PyRefTracerEvent event, void *data) {
  if (data != &marker) Py_FatalError("the reference tracer got data that is not its own");
  ++*(event == PyRefTracer_CREATE ? &created : &destroyed);
  return chaining && found != NULL ? found(object, event, found_data) : 0;
}

// install(chain): takes the place of the tracer there is, and calls it when told to.
static PyObject *install(PyObject *self, PyObject *argument) {
  (void)self;
  chaining = PyObject_IsTrue(argument);
  found = PyRefTracer_GetTracer(&found_data);
  if (PyRefTracer_SetTracer(count, &marker) < 0) return NULL;
  Py_RETURN_NONE;
}

// remove(): puts back what install() found.
static PyObject *remove_tracer(PyObject *self, PyObject *unused) {
  (void)self, (void)unused;
  if (PyRefTracer_SetTracer(found, found_data) < 0) return NULL;
  Py_RETURN_NONE;
}

static PyObject *counts(PyObject *self, PyObject *unused) {
  (void)self, (void)unused;
  const unsigned long values[] = {created, destroyed};
  return Py_BuildValue("(kk)", values[0], values[1]);
}

// current(): "ours", "none" or "another's".
static PyObject *current(PyObject *self, PyObject *unused) {
  (void)self, (void)unused;
  void *data = NULL;
  const PyRefTracer tracer = PyRefTracer_GetTracer(&data);
  return PyUnicode_FromString(tracer == NULL ? "none" : tracer == count && data == &marker ? "ours" : "another's");
}

static PyMethodDef methods[] = {
    {"install", install, METH_O, NULL},
    {"remove", remove_tracer, METH_NOARGS, NULL},
    {"counts", counts, METH_NOARGS, NULL},
    {"current", current, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "references", NULL, -1, methods, NULL, NULL, NULL, NULL};
PyMODINIT_FUNC PyInit_references(void) { return without_gil(PyModule_Create(&definition)); }
