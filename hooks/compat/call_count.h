// How many frames a thread's stack has, from the count by which the interpreter limits recursion.
//
// From 3.12 on a thread state counts the calls of Python functions that are under way, resumed generators among them: one
// for each frame but the internal ones (see is_internal). An ordinary stack is empty when the count is zero; that of a
// greenlet begins at the count of whoever made it. So the frames are counted once, and from then on the difference tells.
// It is believed as long as nobody can have put another stack in place: that changes where frames are pushed
// (datastack_chunk), and invalidates what is cached for context variables (context_ver), as greenlet does at each switch.
// Somebody else's function that evaluates frames (PEP 523) may push them uncounted: then nothing is told. So does throw()
// with generators that wait for one another: see is_uncounted_below().
// Limit: Python code that runs before the exception thrown has its first traceback entry (a class of exceptions with an
// __init__() of its own that is thrown uncalled, a callback of sys.monitoring) is told a depth without those generators.
#pragma once

#include <cstdint>

#include "hooks/compat/frame.h"
#include "src/base/hot.h"

namespace memtrace::compat {

#if PY_VERSION_HEX >= 0x030c0000

// Whether throw() is under way, with `frame`, a generator's and the innermost, where the exception is thrown: the generators
// that wait for this one are on the stack, but not in the count. The first event of each throw() is one with such a frame.
MT_HOT bool is_uncounted_below(const Frame* frame) noexcept {
  if (may_be_at_yield(frame)) return true;
  const Frame* below = caller(frame);
  if (below == nullptr || !is_internal(below)) return false;
  below = caller(below);
  return below != nullptr && is_generator(below) && may_be_at_yield(below);
}

class CallCount {
 public:
  static constexpr bool kPossible = true;

  // `thread`, the caller's own, has this many frames but the internal ones.
  void set(PyThreadState* thread, std::uint32_t frames) noexcept {
    forget();
    if (!is_evaluated_by_interpreter(thread)) return;
    thread_ = thread;
    chunk_ = thread->datastack_chunk;
    context_version_ = thread->context_ver;
    difference_ = frames - calls(thread);
  }
  void forget() noexcept { thread_ = nullptr; }

  MT_HOT bool is_told(const PyThreadState* thread) const noexcept {
    return thread == thread_ && thread->datastack_chunk == chunk_ && thread->context_ver == context_version_;
  }
  // pre: is_told(thread)
  MT_HOT std::uint32_t frames(const PyThreadState* thread) const noexcept { return calls(thread) + difference_; }

 private:
  MT_HOT static std::uint32_t calls(const PyThreadState* thread) noexcept {
    return static_cast<std::uint32_t>(thread->py_recursion_limit - thread->py_recursion_remaining);
  }

  const PyThreadState* thread_ = nullptr;
  const void* chunk_ = nullptr;
  std::uint64_t context_version_ = 0;
  std::uint32_t difference_ = 0;
};

#else

inline bool is_uncounted_below(const Frame*) noexcept { return false; }

class CallCount {
 public:
  static constexpr bool kPossible = false;

  void set(PyThreadState*, std::uint32_t) noexcept {}
  void forget() noexcept {}
  bool is_told(const PyThreadState*) const noexcept { return false; }
  std::uint32_t frames(const PyThreadState*) const noexcept { return 0; }
};

#endif

}  // namespace memtrace::compat
