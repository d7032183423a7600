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

// What a thread remembers of its own thread states: on 3.11, the last one it was seen to hold the GIL with.
struct OwnStates {
#if PY_VERSION_HEX < 0x030c0000
  static constexpr bool kAsksForFrees = true;
  PyThreadState* last = nullptr;
#else
  static constexpr bool kAsksForFrees = false;
#endif

  // To be told of each block of the RAW domain that the thread frees: thread states are among them.
  void freed([[maybe_unused]] const void* block) noexcept {
#if PY_VERSION_HEX < 0x030c0000
    if (block == last) last = nullptr;
#endif
  }
};

// The thread state with which the caller holds a GIL, or null, where the domain promises that it holds one.
inline PyThreadState* attached_by_contract([[maybe_unused]] OwnStates& own) noexcept {
#if PY_VERSION_HEX >= 0x030c0000
  PyThreadState* const state = thread_in_slot();
  return state != nullptr ? state : attached_without_slot();
#else
  return own.last = ask_interpreter();
#endif
}

// The same as far as one load tells: null where it does not.
inline PyThreadState* attached_in_slot() noexcept {
#if PY_VERSION_HEX >= 0x030c0000
  return thread_in_slot();
#else
  return nullptr;
#endif
}

// As attached_by_contract(), where the caller may hold none.
inline PyThreadState* attached(OwnStates& own) noexcept {
#if PY_VERSION_HEX >= 0x030c0000
  return attached_by_contract(own);
#else
  // 3.11 has one variable for the process: whoever holds the GIL, which need not be the caller. The function below it
  // knows a thread's first state; those of sub-interpreters are known from events with the GIL. The ident tells a state
  // of ours from another thread's at the same address.
  PyThreadState* const holder = ask_interpreter();
  if (holder == nullptr || holder == PyGILState_GetThisThreadState()) return holder;
  return holder == own.last && holder->thread_id == PyThread_get_thread_ident() ? holder : nullptr;
#endif
}

inline bool is_finalizing() noexcept {
#if PY_VERSION_HEX >= 0x030d0000
  return Py_IsFinalizing() != 0;
#else
  return _Py_IsFinalizing() != 0;
#endif
}

// The state of a thread that has released its GIL (its frames stand still as long as it is in a hook), or null. Once
// the interpreter finalizes, the states of other threads are freed under them.
inline PyThreadState* detached([[maybe_unused]] const OwnStates& own) noexcept {
  if (is_finalizing()) return nullptr;
#if PY_VERSION_HEX < 0x030c0000
  if (own.last != nullptr) return own.last;
#endif
  return PyGILState_GetThisThreadState();
}

// Whether holding `thread` means holding the main interpreter's GIL. Sub-interpreters that share it are served like
// those that do not.
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
