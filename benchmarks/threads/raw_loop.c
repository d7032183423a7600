/* Allocates and frees blocks of the raw domain in a loop, without the GIL when called through ctypes. */
#include <Python.h>

/* Replaces the blocks of a ring of `length`, one after the other, `rounds` times in all: a free and an allocation each.
 * Returns 0, or -1 when there is no memory. */
int replace_blocks(void **ring, size_t length, size_t rounds) {
    for (size_t i = 0; i < rounds; ++i) {
        void **place = &ring[i % length];
        PyMem_RawFree(*place);
        size_t size = 16 + i % 31 * 16;
        *place = PyMem_RawMalloc(size);
        if (*place == NULL) {
            return -1;
        }
        *(volatile char *)*place = 1;
    }
    return 0;
}

void free_blocks(void **ring, size_t length) {
    for (size_t i = 0; i < length; ++i) {
        PyMem_RawFree(ring[i]);
        ring[i] = NULL;
    }
}
