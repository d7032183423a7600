// CPython's C API for tracemalloc.
//
// By their symbols: the headers of some versions declare them without C linkage, and _PyTraceMalloc_GetTraceback() moves
// between public and internal ones.
#pragma once

#include <cstddef>
#include <cstdint>

#include "hooks/compat/python.h"

namespace memtrace::compat {

// 0; -1 when there is no memory, and the caller frees its block; -2 when tracemalloc does not trace.
extern "C" int tracemalloc_track(unsigned int domain, std::uintptr_t address,
                                 std::size_t size) __asm__("PyTraceMalloc_Track");
extern "C" int tracemalloc_untrack(unsigned int domain, std::uintptr_t address) __asm__("PyTraceMalloc_Untrack");
// Null where it is not exported.
extern "C" [[gnu::weak]] PyObject* tracemalloc_get_traceback(unsigned int domain, std::uintptr_t address) __asm__(
    "_PyTraceMalloc_GetTraceback");

}  // namespace memtrace::compat
