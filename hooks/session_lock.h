// Who may start, stop and read the tracer: one thread at a time, in whatever interpreter and with whatever GIL.
//
// The main interpreter's GIL is not enough: sub-interpreters have others, and free-threaded builds have none. Whoever
// waits for the lock lets go of his GIL first, and whoever has it never waits for anybody, so nothing can go in a circle.
// A thread that has it can take it again: a finalizer may run inside.
//
// fork() waits for the lock, up to a second: its holder may be a finalizer that wants the GIL of the forking thread. The
// child finds it free.
#pragma once

namespace memtrace::session {

class Lock {
 public:
  Lock() noexcept;
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;
  ~Lock();

  // Around os.fork() where there is no GIL, before the interpreter stops the world for it: a holder would be stopped
  // with it. Called by the thread that forks, in parent and child.
  static void before_fork_in_python() noexcept;
  static void after_fork_in_python() noexcept;
  // Around any fork().
  static void prepare_fork() noexcept;
  static void after_fork_in_parent() noexcept;
  static void after_fork_in_child() noexcept;
};

}  // namespace memtrace::session
