// Work on snapshots without the GIL, and how it goes together with fork().
#pragma once

#include <pybind11/pybind11.h>

#include <shared_mutex>

namespace memtrace::binding {

// While it lives, the calling thread has no GIL, and fork() waits.
//
// fork() copies mutexes as they are: one that another thread holds would be locked in the child for ever. The wait cannot
// deadlock: whoever is in here asks for no GIL before he has left the gate, and whoever forks is not in here.
class Detached {
 public:
  Detached() : gate_(gate()) {}

  // When the module is imported; the second time, in another interpreter, does nothing.
  static void watch_forks() noexcept;

 private:
  static std::shared_mutex& gate() noexcept;

  // In this order: the gate is left first.
  pybind11::gil_scoped_release release_;
  std::shared_lock<std::shared_mutex> gate_;
};

}  // namespace memtrace::binding
