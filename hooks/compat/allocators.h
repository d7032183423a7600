// Replacing a domain's allocator while other threads allocate.
//
// PyMem_SetAllocator() copies its argument in whatever pieces the compiler chose. Debian's 3.14 and 3.15 do it four bytes
// at a time (`rep movsl`), and a thread that calls PyMem_RawFree() without the GIL at that moment jumps to half of one
// address and half of another. So the pointers are stored one by one, each of them whole. A caller may still find
// `malloc` of one allocator and `free` of the other: both have to go with either, and share one `ctx`.
//
// Limit: 3.11 does not export where its allocators are, and 3.12's header for it is none of C++. There it is
// PyMem_SetAllocator(), and up to the compiler.
#pragma once

#include <cstring>

#include "hooks/compat/python.h"

namespace memtrace::compat {

#if PY_VERSION_HEX >= 0x030d0000

// Where the runtime has the domain's allocator. A runtime of another patch release may have it elsewhere.
inline PyMemAllocatorEx* allocator_of(PyMemAllocatorDomain domain) noexcept {
  auto& standard = _PyRuntime.allocators.standard;
  switch (domain) {
    case PYMEM_DOMAIN_RAW:
      return &standard.raw;
    case PYMEM_DOMAIN_MEM:
      return &standard.mem;
    case PYMEM_DOMAIN_OBJ:
      return &standard.obj;
  }
  return nullptr;
}

// pre: no other thread sets allocators: the caller holds the GIL, or has stopped the world.
inline void set_allocator(PyMemAllocatorDomain domain, PyMemAllocatorEx allocator) noexcept {
  PyMemAllocatorEx present;
  PyMem_GetAllocator(domain, &present);
  PyMemAllocatorEx* place = allocator_of(domain);
  if (place == nullptr || std::memcmp(place, &present, sizeof present) != 0)
    return PyMem_SetAllocator(domain, &allocator);
  __atomic_store_n(&place->ctx, allocator.ctx, __ATOMIC_RELEASE);
  __atomic_store_n(&place->malloc, allocator.malloc, __ATOMIC_RELEASE);
  __atomic_store_n(&place->calloc, allocator.calloc, __ATOMIC_RELEASE);
  __atomic_store_n(&place->realloc, allocator.realloc, __ATOMIC_RELEASE);
  __atomic_store_n(&place->free, allocator.free, __ATOMIC_RELEASE);
}

#else

inline void set_allocator(PyMemAllocatorDomain domain, PyMemAllocatorEx allocator) noexcept {
  PyMem_SetAllocator(domain, &allocator);
}

#endif

}  // namespace memtrace::compat
