/* memtrace.h: tell memtrace of memory that your extension manages itself.

   A pool, an arena, memory of a device or of another library: what does not come from Python's allocators is not seen,
   unless it is reported. A report is a domain (any number of your own; memtrace.register_domain() gives it a name), an
   address (any number that is unique in the domain while the block lives) and a size in bytes. The traceback of a block
   is that of the call that reports it.

       #include <Python.h>
       #include <memtrace.h>               // compile with -I$(python -c "import memtrace; print(memtrace.get_include())")

       if (memtrace_import() < 0) return NULL;      // once, in the module's initialisation
       ...
       memtrace_track(DOMAIN, (uintptr_t)block, size);
       memtrace_untrack(DOMAIN, (uintptr_t)block);  // before the block is given back: its address may be another's soon

   Costs: while nobody traces each call is one load and a branch, inlined. memtrace need not be installed where the
   extension runs, and is not imported by it.

   Uses the limited API alone, so it is good for abi3 extensions, of Python 3.11 and later, in C99 and C++. Links with
   nothing. Each source file that includes it calls memtrace_import() itself.

   Thread-safety: track, untrack and retrack may be called from any thread, with the GIL or without, also where Python
   knows nothing of the thread; memtrace_import() needs an attached thread state. None of them takes a lock.

   Versions: memtrace_api may grow at its end; `version` says how far it goes. */
#ifndef MEMTRACE_H
#define MEMTRACE_H

#include <stddef.h>
#include <stdint.h>

#ifndef Py_PYTHON_H
#error "include Python.h before memtrace.h"
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define MEMTRACE_API_VERSION 1

/* What memtrace_track() and its siblings return. */
#define MEMTRACE_TRACED 0
#define MEMTRACE_NOT_TRACING (-2)

/* The functions, for as long as somebody traces. */
typedef struct memtrace_api {
  unsigned int version;
  int (*track)(unsigned int domain, uintptr_t address, size_t size);
  int (*untrack)(unsigned int domain, uintptr_t address);
  int (*retrack)(unsigned int domain, uintptr_t old_address, uintptr_t address, size_t size);
} memtrace_api;

/* One source file's connection. `active` is null unless somebody traces. */
typedef struct memtrace_client {
  const memtrace_api* volatile active;
  struct memtrace_client* next;
  int connected;
} memtrace_client;

/* Where extensions and memtrace meet, whichever of them is imported first: a capsule in the module sys. */
typedef struct memtrace_meeting {
  unsigned int version;
  memtrace_client* volatile first;
  void (*volatile on_connect)(memtrace_client* client); /* memtrace's; null before it is imported */
} memtrace_meeting;

#define MEMTRACE_MEETING_ATTRIBUTE "_memtrace_meeting"
#define MEMTRACE_MEETING_NAME "sys._memtrace_meeting"

#if defined(_MSC_VER)
#include <intrin.h>
#define MEMTRACE_UNUSED_
static __inline int memtrace_replace_(memtrace_client* volatile* where, memtrace_client* expected,
                                      memtrace_client* value) {
  return _InterlockedCompareExchangePointer((void* volatile*)where, value, expected) == expected;
}
#else
#define MEMTRACE_UNUSED_ __attribute__((unused))
static inline MEMTRACE_UNUSED_ int memtrace_replace_(memtrace_client* volatile* where, memtrace_client* expected,
                                                     memtrace_client* value) {
  return __atomic_compare_exchange_n(where, &expected, value, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}
#endif

static memtrace_client memtrace_client_;

/* The meeting of this interpreter; null with an exception. The first who comes provides it: extensions are never unloaded,
   so it lasts. */
static inline MEMTRACE_UNUSED_ memtrace_meeting* memtrace_meeting_(void) {
  static memtrace_meeting own = {MEMTRACE_API_VERSION, NULL, NULL};
  PyObject* capsule = PySys_GetObject(MEMTRACE_MEETING_ATTRIBUTE); /* borrowed */
  int failed;
  if (capsule != NULL) return (memtrace_meeting*)PyCapsule_GetPointer(capsule, MEMTRACE_MEETING_NAME);
  capsule = PyCapsule_New(&own, MEMTRACE_MEETING_NAME, NULL);
  if (capsule == NULL) return NULL;
  failed = PySys_SetObject(MEMTRACE_MEETING_ATTRIBUTE, capsule) < 0;
  Py_DECREF(capsule);
  return failed ? NULL : &own;
}

/* Connects this source file; again does nothing. 0, or -1 with an exception (no memory). */
static inline MEMTRACE_UNUSED_ int memtrace_import(void) {
  if (memtrace_client_.connected) return 0;
  memtrace_meeting* meeting = memtrace_meeting_();
  if (meeting == NULL) return -1;
  memtrace_client_.connected = 1;
  do {
    memtrace_client_.next = meeting->first;
  } while (!memtrace_replace_(&meeting->first, memtrace_client_.next, &memtrace_client_));
  if (meeting->on_connect != NULL) meeting->on_connect(&memtrace_client_);
  return 0;
}

/* Whether anybody traces: one load. */
static inline MEMTRACE_UNUSED_ int memtrace_is_tracing(void) { return memtrace_client_.active != NULL; }

/* Records a block, in place of one that the domain has at the same address: a block that is handed out again from a
   cache is simply tracked again. MEMTRACE_TRACED or MEMTRACE_NOT_TRACING; it cannot fail, what cannot be recorded is
   dropped and counted. */
static inline MEMTRACE_UNUSED_ int memtrace_track(unsigned int domain, uintptr_t address, size_t size) {
  const memtrace_api* api = memtrace_client_.active;
  return api == NULL ? MEMTRACE_NOT_TRACING : api->track(domain, address, size);
}

/* Forgets a block; one that is not known is ignored. */
static inline MEMTRACE_UNUSED_ int memtrace_untrack(unsigned int domain, uintptr_t address) {
  const memtrace_api* api = memtrace_client_.active;
  return api == NULL ? MEMTRACE_NOT_TRACING : api->untrack(domain, address);
}

/* A block was resized, and perhaps moved: forgets the one at `old_address`, records the one at `address`. For a resize
   that has succeeded. */
static inline MEMTRACE_UNUSED_ int memtrace_retrack(unsigned int domain, uintptr_t old_address, uintptr_t address,
                                                    size_t size) {
  const memtrace_api* api = memtrace_client_.active;
  return api == NULL ? MEMTRACE_NOT_TRACING : api->retrack(domain, old_address, address, size);
}

#ifdef __cplusplus
}
#endif

#endif
