// Interpreter frames and code objects as the hooks read them: plain loads, nothing that can fail, allocate or take a
// reference.
//
// pre, for all of them: the frame belongs to the calling thread's own stack, which stands still while the thread is in
// a hook.
// Source: Include/internal/pycore_frame.h (3.11 to 3.13), pycore_interpframe_structs.h (3.14 and later).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "hooks/compat/python.h"

namespace memtrace::compat {

using Frame = _PyInterpreterFrame;
// A place in a code object's instructions. 3.11 and 3.12 keep the last unit executed, which may be an inline cache;
// later versions the instruction itself. Both decode to the same line.
using Instruction = const std::uint16_t*;

inline const Frame* top_frame(const PyThreadState* thread) noexcept {
#if PY_VERSION_HEX >= 0x030d0000
  return thread->current_frame;
#else
  return thread->cframe == nullptr ? nullptr : thread->cframe->current_frame;
#endif
}

inline const Frame* caller(const Frame* frame) noexcept { return frame->previous; }

inline Instruction instruction(const Frame* frame) noexcept {
#if PY_VERSION_HEX >= 0x030d0000
  return reinterpret_cast<Instruction>(frame->instr_ptr);
#else
  return reinterpret_cast<Instruction>(frame->prev_instr);
#endif
}

// A frame that the interpreter pushes for itself, with no code of the program's.
inline bool is_internal(const Frame* frame) noexcept {
#if PY_VERSION_HEX >= 0x030c0000
  return frame->owner >= 3;  // FRAME_OWNED_BY_CSTACK and, from 3.14, FRAME_OWNED_BY_INTERPRETER
#else
  static_cast<void>(frame);
  return false;
#endif
}

inline bool is_generator(const Frame* frame) noexcept { return frame->owner == FRAME_OWNED_BY_GENERATOR; }

// Whether the frame, a generator's, is where it yielded, or at an instruction that can hide that. It runs again soon, or
// does not run at all: throw() puts the frames of generators that wait for one another on the stack without resuming them.
using OpcodeSet = std::array<bool, 256>;
extern const OpcodeSet opcodes_at_yield;
inline bool may_be_at_yield(const Frame* frame) noexcept { return opcodes_at_yield[*instruction(frame) & 0xff]; }

// Whether it is the interpreter itself that evaluates the frames, and so pushes them: others may (PEP 523).
inline bool is_evaluated_by_interpreter(const PyThreadState* thread) noexcept {
  return _PyInterpreterState_GetEvalFrameFunc(thread->interp) == _PyEval_EvalFrameDefault;
}

// pre: !is_internal(frame)
inline const PyCodeObject* code(const Frame* frame) noexcept {
#if PY_VERSION_HEX >= 0x030e0000
  // A tagged reference; the tag says how it is counted.
  return reinterpret_cast<const PyCodeObject*>(frame->f_executable.bits & ~static_cast<std::uintptr_t>(3));
#elif PY_VERSION_HEX >= 0x030d0000
  return reinterpret_cast<const PyCodeObject*>(frame->f_executable);
#else
  return frame->f_code;
#endif
}

inline Instruction code_start(const PyCodeObject* code) noexcept {
  return reinterpret_cast<Instruction>(code->co_code_adaptive);
}
inline std::uint32_t code_units(const PyCodeObject* code) noexcept { return static_cast<std::uint32_t>(Py_SIZE(code)); }
// Units before the first that counts as executing: a frame that has not reached it is not complete and its caller is
// charged.
inline std::uint32_t first_traceable(const PyCodeObject* code) noexcept {
  return static_cast<std::uint32_t>(code->_co_firsttraceable);
}

// Whether a trace shows the frame. A generator counts from its first instruction.
inline bool is_complete(const Frame* frame) noexcept {
  if (is_generator(frame)) return true;
  if (is_internal(frame)) return false;
  const PyCodeObject* of = code(frame);
  return instruction(frame) - code_start(of) >= static_cast<std::ptrdiff_t>(first_traceable(of));
}

}  // namespace memtrace::compat
