/* Preloaded into the runs of the agreement check: extensions report no memory of their own, and whatever they
   allocate through Python's allocators stays in domain 0. -2 is what these functions return when not tracing. */

#include <stddef.h>
#include <stdint.h>

int PyTraceMalloc_Track(unsigned int domain, uintptr_t pointer, size_t size) {
  (void)domain, (void)pointer, (void)size;
  return -2;
}

int PyTraceMalloc_Untrack(unsigned int domain, uintptr_t pointer) {
  (void)domain, (void)pointer;
  return -2;
}

#ifdef KEEP_FIRST_OWNERS
/* CPython 3.11 and 3.12 tell tracemalloc here that an object comes from a free list; 1 is all else that happens. */
void _Py_NewReference(intptr_t *object) { *object = 1; }
#endif
