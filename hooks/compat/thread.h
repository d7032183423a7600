// The calling thread's state, from inside a hook: never attaches, never waits, never allocates.
#pragma once

#include "hooks/compat/python.h"
#include "hooks/compat/thread_slot.h"

namespace memtrace::compat {

#if PY_VERSION_HEX >= 0x030d0000
inline constexpr auto& ask_interpreter = PyThreadState_GetUnchecked;
#else
inline constexpr auto& ask_interpreter = _PyThreadState_UncheckedGet;
#endif

// The thread state with which the caller holds a GIL, or null, where the domain promises that it holds one.
inline PyThreadState* attached_by_contract() noexcept {
#if PY_VERSION_HEX >= 0x030c0000
  if (thread_slot_offset != 0) [[likely]]
    return thread_in_slot();
#endif
  return ask_interpreter();
}

// As above, where the caller may hold none.
inline PyThreadState* attached() noexcept {
  PyThreadState* const state = attached_by_contract();
#if PY_VERSION_HEX < 0x030c0000
  // 3.11 has one variable for the process: whoever holds the GIL, which need not be the caller.
  if (state == nullptr || state != PyGILState_GetThisThreadState()) return nullptr;
#endif
  return state;
}

inline bool is_finalizing() noexcept {
#if PY_VERSION_HEX >= 0x030d0000
  return Py_IsFinalizing() != 0;
#else
  return _Py_IsFinalizing() != 0;
#endif
}

// The state of a thread that has released its GIL (its frames stand still as long as it is in a hook), or null. Once the interpreter finalizes,
// the states of other threads are freed under them.
inline PyThreadState* detached() noexcept { return is_finalizing() ? nullptr : PyGILState_GetThisThreadState(); }

// Whether holding `thread` means holding the main interpreter's GIL. Sub-interpreters that share it are served like those that do not.
inline bool holds_main_gil(const PyThreadState* thread, const PyInterpreterState* main) noexcept {
#ifdef Py_GIL_DISABLED
  static_cast<void>(thread);
  static_cast<void>(main);
  return false;
#elif PY_VERSION_HEX >= 0x030c0000
  return thread->interp == main;
#else
  static_cast<void>(thread);
  static_cast<void>(main);
  return true;  // one GIL for all
#endif
}

}  // namespace memtrace::compat
