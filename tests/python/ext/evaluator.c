// Somebody else's function that evaluates frames (PEP 523): it passes every frame on, and counts.
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "free_threading.h"

static unsigned long evaluated;

static PyObject *evaluate(PyThreadState *thread, struct _PyInterpreterFrame *frame, int throwing) {
  ++evaluated;
  return _PyEval_EvalFrameDefault(thread, frame, throwing);
}

static PyObject *install(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(none)) {
  _PyInterpreterState_SetEvalFrameFunc(PyInterpreterState_Get(), evaluate);
  Py_RETURN_NONE;
}

static PyObject *remove_(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(none)) {
  _PyInterpreterState_SetEvalFrameFunc(PyInterpreterState_Get(), _PyEval_EvalFrameDefault);
  Py_RETURN_NONE;
}

static PyObject *count(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(none)) {
  return PyLong_FromUnsignedLong(evaluated);
}

static PyMethodDef methods[] = {
    {"install", install, METH_NOARGS, "Frames are evaluated here from now on."},
    {"remove", remove_, METH_NOARGS, "By the interpreter alone, again."},
    {"count", count, METH_NOARGS, "How many were evaluated here."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, .m_name = "evaluator", .m_size = -1, .m_methods = methods};

PyMODINIT_FUNC PyInit_evaluator(void) { return without_gil(PyModule_Create(&definition)); }
