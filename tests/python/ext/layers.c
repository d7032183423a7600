// Allocator hooks of somebody else, above or below memtrace's: two layers that can be installed and removed in any order.
//
// A layer passes every call on and counts it. It can also be told to
//   - fail: malloc, calloc and realloc return NULL where kLarge bytes or more are asked for;
//   - pool: serve blocks of at most kPooled bytes from memory of its own, so that what is below never sees them;
//   - pretend: give a small block where more than 1 GiB is asked for.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "free_threading.h"

enum { kLayers = 2, kDomains = 3, kPooled = 64, kPoolBlocks = 1 << 16, kLarge = 100000 };

typedef struct {
  int domain;
  int layer;
} Context;

typedef struct {
  PyMemAllocatorEx below[kDomains];
  Context contexts[kDomains];
  unsigned long calls[kDomains];
  int installed, fail, pool, pretend;
} Layer;

static Layer layers[kLayers];
static const PyMemAllocatorDomain domains[kDomains] = {PYMEM_DOMAIN_RAW, PYMEM_DOMAIN_MEM, PYMEM_DOMAIN_OBJ};

// A pool that never gives anything back: what matters is who sees the calls.
static _Alignas(16) char pool[kPoolBlocks][kPooled];
static size_t pooled;

static int is_pooled(void *block) { return (char *)block >= pool[0] && (char *)block < pool[kPoolBlocks]; }

static void *from_pool(size_t size) {
  if (size > kPooled) return NULL;
  size_t index = __atomic_fetch_add(&pooled, 1, __ATOMIC_RELAXED);
  return index < kPoolBlocks ? pool[index] : NULL;
}

static Layer *layer_of(void *context, PyMemAllocatorEx **below) {
  Context *own = context;
  Layer *layer = &layers[own->layer];
  *below = &layer->below[own->domain];
  __atomic_fetch_add(&layer->calls[own->domain], 1, __ATOMIC_RELAXED);
  return layer;
}

static size_t pretended(const Layer *layer, size_t size) { return layer->pretend && size > (size_t)1 << 30 ? 64 : size; }

static void *layer_malloc(void *context, size_t size) {
  PyMemAllocatorEx *below;
  Layer *layer = layer_of(context, &below);
  if (layer->fail && size >= kLarge) return NULL;
  void *block = layer->pool ? from_pool(size) : NULL;
  return block != NULL ? block : below->malloc(below->ctx, pretended(layer, size));
}

static void *layer_calloc(void *context, size_t count, size_t size) {
  PyMemAllocatorEx *below;
  Layer *layer = layer_of(context, &below);
  if (layer->fail && count * size >= kLarge) return NULL;
  void *block = layer->pool ? from_pool(count * size) : NULL;
  return block != NULL ? block : below->calloc(below->ctx, 1, pretended(layer, count * size));
}

static void *layer_realloc(void *context, void *old, size_t size) {
  PyMemAllocatorEx *below;
  Layer *layer = layer_of(context, &below);
  if (layer->fail && size >= kLarge) return NULL;
  if (!is_pooled(old)) return below->realloc(below->ctx, old, pretended(layer, size));
  if (size <= kPooled) return old;
  void *block = below->malloc(below->ctx, size);
  if (block != NULL) memcpy(block, old, kPooled);
  return block;
}

static void layer_free(void *context, void *block) {
  PyMemAllocatorEx *below;
  layer_of(context, &below);
  if (!is_pooled(block)) below->free(below->ctx, block);
}

static Layer *chosen(PyObject *argument) {
  long index = PyLong_AsLong(argument);
  if (index < 0 || index >= kLayers) {
    if (!PyErr_Occurred()) PyErr_SetString(PyExc_IndexError, "no such layer");
    return NULL;
  }
  return &layers[index];
}

// install(layer): on top of what there is.
static PyObject *install(PyObject *self, PyObject *argument) {
  (void)self;
  Layer *layer = chosen(argument);
  if (layer == NULL) return NULL;
  for (int i = 0; i < kDomains; ++i) {
    layer->contexts[i] = (Context){i, (int)(layer - layers)};
    PyMem_GetAllocator(domains[i], &layer->below[i]);
    PyMemAllocatorEx own = {&layer->contexts[i], layer_malloc, layer_calloc, layer_realloc, layer_free};
    PyMem_SetAllocator(domains[i], &own);
  }
  layer->installed = 1;
  Py_RETURN_NONE;
}

// remove(layer): puts back what was below, whatever is on top by now; as hooks in the field do.
static PyObject *remove_layer(PyObject *self, PyObject *argument) {
  (void)self;
  Layer *layer = chosen(argument);
  if (layer == NULL) return NULL;
  for (int i = 0; i < kDomains && layer->installed; ++i) PyMem_SetAllocator(domains[i], &layer->below[i]);
  layer->installed = 0;
  Py_RETURN_NONE;
}

// calls(layer): those of the RAW domain, which Python objects make none of.
static PyObject *calls(PyObject *self, PyObject *argument) {
  (void)self;
  Layer *layer = chosen(argument);
  return layer == NULL ? NULL : PyLong_FromUnsignedLong(layer->calls[0]);
}

// set(layer, fail, pool, pretend)
static PyObject *set(PyObject *self, PyObject *arguments) {
  (void)self;
  int index, fail, use_pool, pretend;
  if (!PyArg_ParseTuple(arguments, "ippp", &index, &fail, &use_pool, &pretend)) return NULL;
  if (index < 0 || index >= kLayers) return PyErr_Format(PyExc_IndexError, "no such layer");
  layers[index].fail = fail;
  layers[index].pool = use_pool;
  layers[index].pretend = pretend;
  Py_RETURN_NONE;
}

// is_on_top(layer): whether calls to the OBJ domain reach this layer first.
static PyObject *is_on_top(PyObject *self, PyObject *argument) {
  (void)self;
  Layer *layer = chosen(argument);
  if (layer == NULL) return NULL;
  PyMemAllocatorEx top;
  PyMem_GetAllocator(PYMEM_DOMAIN_OBJ, &top);
  return PyBool_FromLong(top.ctx == &layer->contexts[2] && top.malloc == layer_malloc);
}

static PyMethodDef methods[] = {
    {"install", install, METH_O, NULL}, {"remove", remove_layer, METH_O, NULL}, {"calls", calls, METH_O, NULL},
    {"set", set, METH_VARARGS, NULL},   {"is_on_top", is_on_top, METH_O, NULL},    {NULL, NULL, 0, NULL},
};
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "layers", NULL, -1, methods, NULL, NULL, NULL, NULL};
PyMODINIT_FUNC PyInit_layers(void) { return without_gil(PyModule_Create(&definition)); }
