// RAW blocks allocated, resized and freed without the GIL: by threads that Python knows nothing of, and by Python's own with the GIL released.
//
// All live blocks are in one array, and every operation swaps a new block in and another, of whichever thread, out: most blocks are freed by a
// thread that did not allocate them. A block begins with its size, so that the array can be summed.
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "free_threading.h"

enum { kPlaces = 512, kMaxThreads = 64, kCounted = 64 };

typedef struct {
  size_t size;
} Header;

static _Atomic(Header *) places[kPlaces];
static atomic_int stopping;
static atomic_ulong operations;  // of the threads of the last start(), counted now and then
static pthread_t threads[kMaxThreads];
static int running;

static uint64_t next_random(uint64_t *state) {
  *state ^= *state << 13;
  *state ^= *state >> 7;
  *state ^= *state << 17;
  return *state;
}

static Header *fresh(uint64_t random) {
  const size_t size = sizeof(Header) + (random >> 8) % ((random & 15) == 0 ? 40000 : 200);
  Header *block = (random & 16) != 0 ? PyMem_RawCalloc(1, size) : PyMem_RawMalloc(size);
  if (block != NULL) block->size = size;
  return block;
}

static void once(uint64_t *state) {
  const uint64_t random = next_random(state);
  Header *block = atomic_exchange(&places[random % kPlaces], NULL);
  if (block != NULL && (random >> 32 & 3) == 0) {
    const size_t size = sizeof(Header) + (random >> 36) % 3000;
    Header *resized = PyMem_RawRealloc(block, size);
    if (resized != NULL) {
      block = resized;
      block->size = size;
    }
  } else {
    PyMem_RawFree(block);
    block = fresh(next_random(state));
  }
  PyMem_RawFree(atomic_exchange(&places[next_random(state) % kPlaces], block));
}

typedef struct {
  uint64_t seed;
  int attach;
} Task;

static void *run(void *argument) {
  Task task = *(Task *)argument;
  free(argument);
  for (unsigned round = 0; !atomic_load(&stopping); ++round) {
    once(&task.seed);
    if (round % kCounted != 0) continue;
    atomic_fetch_add(&operations, kCounted);
    if (!task.attach) continue;
    PyGILState_STATE state = PyGILState_Ensure();
    once(&task.seed);
    PyObject *list = Py_BuildValue("[iO{ss}]", 1000, Py_None, "key", "value");
    Py_XDECREF(list);
    PyGILState_Release(state);
  }
  return NULL;
}

// start(threads, seed, attach): threads that go on until stop(). With `attach` they get a thread state, and lose it, now and then.
static PyObject *start(PyObject *self, PyObject *arguments) {
  (void)self;
  int count, attach;
  unsigned long seed;
  if (!PyArg_ParseTuple(arguments, "ikp", &count, &seed, &attach)) return NULL;
  atomic_store(&stopping, 0);
  atomic_store(&operations, 0);
  for (int i = 0; i < count && running < kMaxThreads; ++i) {
    Task *task = malloc(sizeof *task);
    if (task == NULL) return PyErr_NoMemory();
    *task = (Task){.seed = (seed + (unsigned long)i + 1) * 0x9e3779b97f4a7c15u, .attach = attach};
    if (pthread_create(&threads[running], NULL, run, task) != 0) {
      free(task);
      PyErr_SetString(PyExc_RuntimeError, "no thread");
      return NULL;
    }
    ++running;
  }
  Py_RETURN_NONE;
}

// wait(count): until the threads have done about so many operations, however long that takes them.
static PyObject *wait_for(PyObject *self, PyObject *argument) {
  (void)self;
  const unsigned long count = PyLong_AsUnsignedLong(argument);
  if (PyErr_Occurred()) return NULL;
  Py_BEGIN_ALLOW_THREADS
  while (atomic_load(&operations) < count) usleep(1000);
  Py_END_ALLOW_THREADS
  Py_RETURN_NONE;
}

static PyObject *stop(PyObject *self, PyObject *unused) {
  (void)self, (void)unused;
  atomic_store(&stopping, 1);
  Py_BEGIN_ALLOW_THREADS
  for (; running > 0; --running) pthread_join(threads[running - 1], NULL);
  Py_END_ALLOW_THREADS
  Py_RETURN_NONE;
}

// here(rounds, seed, gil): the same in the calling thread, with the GIL or without.
static PyObject *here(PyObject *self, PyObject *arguments) {
  (void)self;
  unsigned long rounds, seed;
  int gil;
  if (!PyArg_ParseTuple(arguments, "kkp", &rounds, &seed, &gil)) return NULL;
  uint64_t state = (seed + 1) * 0xd1342543de82ef95u;
  PyThreadState *saved = gil ? NULL : PyEval_SaveThread();
  for (unsigned long i = 0; i < rounds; ++i) once(&state);
  if (saved != NULL) PyEval_RestoreThread(saved);
  Py_RETURN_NONE;
}

// held(): (blocks, bytes) in the array. pre: nobody is at work.
static PyObject *held(PyObject *self, PyObject *unused) {
  (void)self, (void)unused;
  size_t blocks = 0, bytes = 0;
  for (int i = 0; i < kPlaces; ++i) {
    const Header *block = atomic_load(&places[i]);
    if (block == NULL) continue;
    ++blocks;
    bytes += block->size;
  }
  return Py_BuildValue("(nn)", (Py_ssize_t)blocks, (Py_ssize_t)bytes);
}

// release(gil): frees all that is held, from the calling thread.
static PyObject *release(PyObject *self, PyObject *argument) {
  (void)self;
  PyThreadState *saved = PyObject_IsTrue(argument) ? NULL : PyEval_SaveThread();
  for (int i = 0; i < kPlaces; ++i) PyMem_RawFree(atomic_exchange(&places[i], NULL));
  if (saved != NULL) PyEval_RestoreThread(saved);
  Py_RETURN_NONE;
}

static pthread_key_t last_key;
static _Atomic(void *) left_behind;  // of the thread that ended last

// Runs when a thread ends, after the C++ library's thread-local destructors and in several rounds.
static void last_act(void *block) {
  PyMem_RawFree(PyMem_RawRealloc(PyMem_RawMalloc(100), 200));
  const size_t rounds = *(size_t *)block;
  if (rounds > 0) {
    *(size_t *)block = rounds - 1;
    pthread_setspecific(last_key, block);
  } else {
    PyMem_RawFree(block);
    PyMem_RawFree(atomic_exchange(&left_behind, PyMem_RawMalloc(4321)));
  }
}

// free_left(): what the thread that ended last had allocated at its very end.
static PyObject *free_left(PyObject *self, PyObject *unused) {
  (void)self, (void)unused;
  PyMem_RawFree(atomic_exchange(&left_behind, NULL));
  Py_RETURN_NONE;
}

static void *leave(void *unused) {
  (void)unused;
  size_t *block = PyMem_RawMalloc(1000);
  if (block == NULL) return NULL;
  *block = PTHREAD_DESTRUCTOR_ITERATIONS - 1;
  pthread_setspecific(last_key, block);
  return NULL;
}

// end_threads(count): one after the other, threads whose last block is freed by a destructor of thread-specific data.
static PyObject *end_threads(PyObject *self, PyObject *argument) {
  (void)self;
  const long count = PyLong_AsLong(argument);
  int failed = 0;
  Py_BEGIN_ALLOW_THREADS
  for (long i = 0; i < count; ++i) {
    pthread_t thread;
    failed |= pthread_create(&thread, NULL, leave, NULL) != 0 || pthread_join(thread, NULL) != 0;
  }
  Py_END_ALLOW_THREADS
  if (failed) PyErr_SetString(PyExc_RuntimeError, "no thread");
  return failed ? NULL : Py_NewRef(Py_None);
}

static PyMethodDef methods[] = {
    {"start", start, METH_VARARGS, NULL}, {"stop", stop, METH_NOARGS, NULL},   {"here", here, METH_VARARGS, NULL},
    {"held", held, METH_NOARGS, NULL},    {"release", release, METH_O, NULL},  {"end_threads", end_threads, METH_O, NULL},
    {"wait", wait_for, METH_O, NULL},     {"free_left", free_left, METH_NOARGS, NULL}, {NULL, NULL, 0, NULL},
};
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "unattached", NULL, -1, methods, NULL, NULL, NULL, NULL};
PyMODINIT_FUNC PyInit_unattached(void) {
  if (pthread_key_create(&last_key, last_act) != 0) return PyErr_NoMemory();
  return without_gil(PyModule_Create(&definition));
}
