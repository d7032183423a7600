// How far a thread's stack was unwound since a moment, where the interpreter tells.
//
// From 3.15 on a thread state has a field for the interpreter's own sampling profiler, last_profiled_frame. Whoever puts
// the innermost frame there finds in it, later, the innermost frame that was not left since: when that very frame leaves
// the stack, by a return, a yield or an exception, the interpreter puts its caller there and counts this in
// last_profiled_frame_seq (gh-142137, gh-151436, gh-151613). What lies below that frame has not run since. Its users
// have to know:
//
// - An internal frame (see is_internal) leaves without a word: the field keeps its address, where the next one soon lies.
//   The same holds for all frames where somebody else's function evaluates them (PEP 523).
// - The profiler writes the field, too, from another process and at any time. It never writes the count, so a frame that
//   is not as many callers below ours as were counted is its own. Then the field is left to it: it would find our frames
//   there instead of its own, which costs it its cache.
//
// Thread-safety: belongs to one thread, as the field does but for that profiler.
#pragma once

#include <cstdint>

#include "hooks/compat/frame.h"
#include "src/base/hot.h"

namespace memtrace::compat {

#if PY_VERSION_HEX >= 0x030f0000

class LowWater {
 public:
  static constexpr bool kTold = true;
  static constexpr std::uint64_t kUnknown = ~std::uint64_t{0};

  // Begins to measure. pre: `top` is the innermost frame of `thread`, the caller's own.
  void set(PyThreadState* thread, const Frame* top) noexcept {
    thread_ = nullptr;
    if (left_to_others_ || is_internal(top)) return;
    if (!is_evaluated_by_interpreter(thread)) return;
    thread_ = thread;
    count_ = thread->last_profiled_frame_seq;
    thread->last_profiled_frame = const_cast<Frame*>(top);
  }
  void forget() noexcept { thread_ = nullptr; }

  // Whether `top` is the frame of set(), and was not left.
  MT_HOT bool is_at(const PyThreadState* thread, const Frame* top) const noexcept {
    return thread->last_profiled_frame == top && thread->last_profiled_frame_seq == count_ && thread == thread_;
  }
  // How many frames were left, from that of set() on. To be believed only of frame() and if that is not internal.
  std::uint64_t frames_left(const PyThreadState* thread) const noexcept {
    return thread == thread_ ? thread->last_profiled_frame_seq - count_ : kUnknown;
  }
  static const Frame* frame(const PyThreadState* thread) noexcept { return thread->last_profiled_frame; }

  // Somebody else writes the field: nothing is told until claim().
  void leave_to_others() noexcept {
    thread_ = nullptr;
    left_to_others_ = true;
  }
  void claim() noexcept { left_to_others_ = false; }

 private:
  const PyThreadState* thread_ = nullptr;
  std::uint64_t count_ = 0;
  bool left_to_others_ = false;
};

#else

class LowWater {
 public:
  static constexpr bool kTold = false;
  static constexpr std::uint64_t kUnknown = ~std::uint64_t{0};

  void set(PyThreadState*, const Frame*) noexcept {}
  void forget() noexcept {}
  bool is_at(const PyThreadState*, const Frame*) const noexcept { return false; }
  std::uint64_t frames_left(const PyThreadState*) const noexcept { return kUnknown; }
  static const Frame* frame(const PyThreadState*) noexcept { return nullptr; }
  void leave_to_others() noexcept {}
  void claim() noexcept {}
};

#endif

}  // namespace memtrace::compat
