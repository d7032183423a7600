// Keeping other threads out: those of the calling interpreter, or those that hold the main interpreter's GIL.
//
// with_world_stopped() is an instant at which no other thread of the interpreter is in the middle of anything. With a
// GIL, whoever holds it has that anyway. Without one the interpreter can stop all attached threads at points
// where they hold nothing (not inside an allocation, say); 3.13 exports no function for just that, but
// PyUnstable_GC_VisitObjects() does it for as long as it calls back.
#pragma once

#include "hooks/compat/python.h"

namespace memtrace::compat {

// Calls f(), once. f throws nothing, makes no Python object, and waits for no other thread. pre: an attached thread.
template <typename F>
void with_world_stopped(F&& f) noexcept {
#ifdef Py_GIL_DISABLED
  struct Call {
    F& f;
    bool done = false;
  } call{f};
  const auto once = [](PyObject*, void* argument) {
    Call& c = *static_cast<Call*>(argument);
    c.f();
    c.done = true;
    return 0;
  };
  PyUnstable_GC_VisitObjects(once, &call);
  if (!call.done) f();  // not an object in the world: there is no other thread that had made one
#else
  f();
#endif
}

// In the child of a fork(), when it is alone: the lock with which the world is stopped is free. CPython leaves it as a
// thread held it that had begun to collect garbage, or to take a snapshot, when the parent forked.
inline void free_world_lock() noexcept {
#ifdef Py_GIL_DISABLED
  PyInterpreterState_Main()->stoptheworld.mutex = PyMutex{};
#endif
}

// Calls f() while the calling thread holds the GIL of `main`: its own interpreter's is let go meanwhile when that is
// another one. False, and nothing called, when there is no memory for that. Without GILs it is just a call. pre: an
// attached thread.
template <typename F>
bool with_main_gil([[maybe_unused]] PyInterpreterState* main, F&& f) noexcept {
#if PY_VERSION_HEX >= 0x030c0000 && !defined(Py_GIL_DISABLED)
  PyThreadState* const own = PyThreadState_Get();
  if (own->interp != main) {
    PyThreadState* const guest = PyThreadState_New(main);
    if (guest == nullptr) return false;
    PyThreadState_Swap(guest);
    f();
    PyThreadState_Clear(guest);
    PyThreadState_Swap(own);
    PyThreadState_Delete(guest);
    return true;
  }
#endif
  f();
  return true;
}

}  // namespace memtrace::compat
