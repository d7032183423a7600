/* Preloaded into a run under tracemalloc: CPython 3.11 and 3.12 tell it here that an object comes from a free list. 1 is
   all else that happens. */

#include <stdint.h>

void _Py_NewReference(intptr_t *object) { *object = 1; }
