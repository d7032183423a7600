/* Allocator hooks for the three domains that pass every call on and record nothing, and a reference
 * tracer (3.13+) that only returns: what a tracer built on these interfaces costs at least.
 * Installed once per process, never removed. */
#include <Python.h>

static PyMemAllocatorEx next_allocator[3];
static const PyMemAllocatorDomain domains[3] = {PYMEM_DOMAIN_RAW, PYMEM_DOMAIN_MEM, PYMEM_DOMAIN_OBJ};

static void *pass_malloc(void *ctx, size_t size) {
    const PyMemAllocatorEx *next = ctx;
    return next->malloc(next->ctx, size);
}

static void *pass_calloc(void *ctx, size_t count, size_t size) {
    const PyMemAllocatorEx *next = ctx;
    return next->calloc(next->ctx, count, size);
}

static void *pass_realloc(void *ctx, void *block, size_t size) {
    const PyMemAllocatorEx *next = ctx;
    return next->realloc(next->ctx, block, size);
}

static void pass_free(void *ctx, void *block) {
    const PyMemAllocatorEx *next = ctx;
    next->free(next->ctx, block);
}

static int domain_is_hooked(int index) {
    PyMemAllocatorEx current;
    PyMem_GetAllocator(domains[index], &current);
    return current.malloc == pass_malloc && current.ctx == &next_allocator[index];
}

static PyObject *install(PyObject *self, PyObject *unused) {
    (void)self;
    (void)unused;
    for (int i = 0; i < 3; ++i) {
        if (domain_is_hooked(i)) {
            continue;
        }
        PyMem_GetAllocator(domains[i], &next_allocator[i]);
        PyMemAllocatorEx hook = {&next_allocator[i], pass_malloc, pass_calloc, pass_realloc, pass_free};
        PyMem_SetAllocator(domains[i], &hook);
    }
    Py_RETURN_NONE;
}

static PyObject *is_installed(PyObject *self, PyObject *unused) {
    (void)self;
    (void)unused;
    return PyBool_FromLong(domain_is_hooked(0) && domain_is_hooked(1) && domain_is_hooked(2));
}

#if PY_VERSION_HEX >= 0x030D0000
static int ignore_reference(PyObject *object, PyRefTracerEvent event, void *data) {
    (void)object;
    (void)event;
    (void)data;
    return 0;
}

static PyObject *install_reference_tracer(PyObject *self, PyObject *unused) {
    (void)self;
    (void)unused;
    if (PyRefTracer_SetTracer(ignore_reference, NULL) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *has_reference_tracer(PyObject *self, PyObject *unused) {
    (void)self;
    (void)unused;
    void *data;
    return PyBool_FromLong(PyRefTracer_GetTracer(&data) == ignore_reference);
}
#endif

static PyMethodDef methods[] = {
    {"install", install, METH_NOARGS, "Hook the three domains; does nothing the second time."},
    {"is_installed", is_installed, METH_NOARGS, "Tell whether all three domains are hooked."},
#if PY_VERSION_HEX >= 0x030D0000
    {"install_reference_tracer", install_reference_tracer, METH_NOARGS, "Trace objects, doing nothing."},
    {"has_reference_tracer", has_reference_tracer, METH_NOARGS, "Tell whether our tracer is set."},
#endif
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT, "floor", "Pass-through allocator hooks.", -1, methods, NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit_floor(void) { return PyModule_Create(&module); }
