// A mark on a frame that is gone when the frame is left, and a number with it, where frames have room for them.
//
// From 3.14 on a frame has a byte, `visited`, that is zero when the frame is pushed. It served an incremental collector,
// which 3.14.5 went back from (gh-148726), and nothing reads it since. Who finds his mark there knows that the frame was
// not left since he put it there, so that what lies below it has not run. Behind it lie four bytes of padding. Its users
// have to know:
//
// - A generator's frame is not pushed when it is resumed, and would keep the byte. It has no room.
// - Two threads may take turns with one thread state, and so with the frames of one stack. So each has a mark of its
//   own, and the 254th thread none.
// - Somebody else's function that evaluates frames (PEP 523) may push them by itself. None is marked as long as there
//   is one.
// - Marks outlive a session: the number has to mean the same in all.
//
// 3.15 tells of generators, too: see low_water.h.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>

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
  bool can_be_put(const PyThreadState* thread) const noexcept { return value_ != kNever && are_believed(thread); }
  // Whether frames are as the interpreter pushes them.
  static bool are_believed(const PyThreadState* thread) noexcept {
    return _PyInterpreterState_GetEvalFrameFunc(thread->interp) == _PyEval_EvalFrameDefault;
  }
  // pre, for all of these: `frame` is live, and the caller's own.
  MT_HOT static bool has_room_on(const Frame* frame) noexcept { return frame->owner == FRAME_OWNED_BY_THREAD; }
  // With the number of the program's frames below it, and whether it is known to be one of them itself (see
  // is_complete), as it stays from then on.
  MT_HOT void put_on(const Frame* frame, std::uint32_t below, bool complete) const noexcept {
    if (!has_room_on(frame)) return;
    const_cast<Frame*>(frame)->visited = value_;
    const std::uint32_t number = below << 1 | static_cast<std::uint32_t>(complete);
    std::memcpy(const_cast<char*>(padding_of(frame)), &number, sizeof number);
  }
  MT_HOT bool is_on(const Frame* frame) const noexcept { return frame->visited == value_; }
  // pre, for these: is_on(frame). The program's frames below it, and below its callee.
  MT_HOT static std::uint32_t frames_below(const Frame* frame) noexcept { return number_on(frame) >> 1; }
  MT_HOT static std::uint32_t frames_below_callee(const Frame* frame) noexcept {
    const std::uint32_t number = number_on(frame);
    return (number >> 1) + ((number & 1) != 0 || is_complete(frame) ? 1 : 0);
  }

 private:
  // 0 and 1 were the collector's.
  static constexpr unsigned kFirst = 2;
  // On no frame.
  static constexpr std::uint8_t kNever = 0xff;

  static constexpr std::size_t kPadding = offsetof(Frame, visited) + 1;
  static_assert(kPadding + sizeof(std::uint32_t) == offsetof(Frame, localsplus));
  static const char* padding_of(const Frame* frame) noexcept { return reinterpret_cast<const char*>(frame) + kPadding; }
  MT_HOT static std::uint32_t number_on(const Frame* frame) noexcept {
    std::uint32_t number;
    std::memcpy(&number, padding_of(frame), sizeof number);
    return number;
  }

  std::uint8_t value_ = kNever;
};

#else

class FrameMark {
 public:
  static constexpr bool kPossible = false;

  bool can_be_put(const PyThreadState*) const noexcept { return false; }
  static bool are_believed(const PyThreadState*) noexcept { return false; }
  static bool has_room_on(const Frame*) noexcept { return false; }
  void put_on(const Frame*, std::uint32_t, bool) const noexcept {}
  bool is_on(const Frame*) const noexcept { return false; }
  static std::uint32_t frames_below(const Frame*) noexcept { return 0; }
  static std::uint32_t frames_below_callee(const Frame*) noexcept { return 0; }
};

#endif

}  // namespace memtrace::compat
