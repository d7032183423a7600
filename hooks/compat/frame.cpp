#include "hooks/compat/frame.h"

// Macros for all instructions, with names such as COPY.
#include <opcode.h>

namespace memtrace::compat {

bool may_be_at_yield(const Frame* frame) noexcept {
  switch (*instruction(frame) & 0xff) {
#if PY_VERSION_HEX >= 0x030d0000
    // The frame is at the instruction behind the one that yielded.
    case RESUME:
    case RESUME_CHECK:
#ifdef RESUME_CHECK_JIT
    case RESUME_CHECK_JIT:
#endif
    case INSTRUMENTED_RESUME:
    case ENTER_EXECUTOR:
#elif PY_VERSION_HEX >= 0x030c0000
    case YIELD_VALUE:
    case INSTRUMENTED_YIELD_VALUE:
#else
    case YIELD_VALUE:
#endif
#if PY_VERSION_HEX >= 0x030c0000
    case INSTRUMENTED_LINE:
    case INSTRUMENTED_INSTRUCTION:
#endif
      return true;
    default:
      return false;
  }
}

}  // namespace memtrace::compat
