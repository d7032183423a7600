// The attached thread state by one load instead of two calls.
//
// From 3.12 on the interpreter keeps it in a thread-local variable that it does not export; asking for it costs a call,
// and a second one to __tls_get_addr where Python is a shared library. Each event asks. When the library was loaded at
// start-up, the variable lies at one distance from every thread's thread pointer; find_slot() looks for it once, and
// gives up where that does not hold.
#pragma once

#include <cstddef>

#include "hooks/compat/python.h"
#include "src/base/hot.h"

namespace memtrace::compat {

// From the thread pointer to the variable; where it is not known, to one that is null in every thread.
extern std::ptrdiff_t thread_slot_offset;

// Looks for the variable. Releases the GIL for a moment. pre: the GIL is held, outside of any hook.
void find_thread_slot() noexcept;
// Compares slot and function in a thread that is new to us, and stops using the slot when they disagree.
void check_thread_slot() noexcept;

inline PyThreadState* thread_in_slot() noexcept {
#if defined(__x86_64__)
  // Relative to the segment register that the thread pointer is kept in: the compiler would load the pointer first.
  PyThreadState* state;
  asm volatile("movq %%fs:(%1), %0" : "=r"(state) : "r"(thread_slot_offset));
  return state;
#else
  return *reinterpret_cast<PyThreadState* const volatile*>(static_cast<char*>(__builtin_thread_pointer()) +
                                                           thread_slot_offset);
#endif
}
// The attached state where that has said null.
MT_COLD PyThreadState* attached_without_slot() noexcept;

}  // namespace memtrace::compat
