// A mark on a frame that is gone when the frame is left, where frames have room for one.
//
// From 3.14 on a frame has a byte, `visited`, that is zero when the frame is pushed. It served an incremental collector,
// which 3.14.5 went back from (gh-148726), and nothing reads it since. Who finds his mark there knows that the frame was
// not left since he put it there, so that what lies below it has not run. Its users have to know:
//
// - A generator's frame is not pushed when it is resumed, and would keep the byte. It has no room.
// - The frame that the interpreter puts below the first of each call from C lies on the C stack, where greenlet puts
//   another's in the same place, mark and all. It tells something only together with the frame right above it, which is
//   the same as long as it is there.
// - Two threads may take turns with one thread state, and so with the frames of one stack. So each has a mark of its
//   own, and the 254th thread none.
// - Somebody else's function that evaluates frames (PEP 523) may push them by itself. None is marked as long as there
//   is one.
//
// 3.15 tells of generators, too: see low_water.h.
#pragma once

#include <atomic>
#include <cstdint>

#include "hooks/compat/frame.h"
#include "src/base/hot.h"

namespace memtrace::compat {

#if PY_VERSION_HEX >= 0x030e0500 && !defined(Py_DEBUG) && !defined(Py_GIL_DISABLED)

class FrameMark {
 public:
  static constexpr bool kPossible = true;

  FrameMark() noexcept {
    static constinit std::atomic<unsigned> taken = kFirst;
    // The module may have been built for a later 3.14 than it runs on.
    if (Py_Version < 0x030e0500 || taken.load(std::memory_order_relaxed) >= kNever) return;
    const unsigned value = taken.fetch_add(1, std::memory_order_relaxed);
    if (value < kNever) value_ = static_cast<std::uint8_t>(value);
  }

  // Whether frames can be marked now. pre: `thread` is the caller's own state.
  bool can_be_put(const PyThreadState* thread) const noexcept {
    return value_ != kNever && is_evaluated_by_interpreter(thread);
  }
  // pre, for all of these: `frame` is live, and the caller's own.
  MT_HOT static bool has_room_on(const Frame* frame) noexcept { return frame->owner != FRAME_OWNED_BY_GENERATOR; }
  // Whether a mark on this frame says all by itself that the frame was not left.
  MT_HOT static bool tells_alone_on(const Frame* frame) noexcept { return frame->owner == FRAME_OWNED_BY_THREAD; }
  MT_HOT void put_on(const Frame* frame) const noexcept {
    if (has_room_on(frame)) const_cast<Frame*>(frame)->visited = value_;
  }
  MT_HOT bool is_on(const Frame* frame) const noexcept { return frame->visited == value_; }

 private:
  // 0 and 1 were the collector's.
  static constexpr unsigned kFirst = 2;
  // On no frame.
  static constexpr std::uint8_t kNever = 0xff;

  std::uint8_t value_ = kNever;
};

#else

class FrameMark {
 public:
  static constexpr bool kPossible = false;

  bool can_be_put(const PyThreadState*) const noexcept { return false; }
  static bool has_room_on(const Frame*) noexcept { return false; }
  static bool tells_alone_on(const Frame*) noexcept { return false; }
  void put_on(const Frame*) const noexcept {}
  bool is_on(const Frame*) const noexcept { return false; }
};

#endif

}  // namespace memtrace::compat
