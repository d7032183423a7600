#include "hooks/compat/frame.h"

#include <span>

// Macros for all instructions, with names such as COPY.
#include <opcode.h>

namespace memtrace::compat {

namespace {

constexpr int kAtYield[] = {
#if PY_VERSION_HEX >= 0x030d0000
    // The frame is at the instruction behind the one that yielded.
    RESUME,
    RESUME_CHECK,
#ifdef RESUME_CHECK_JIT
    RESUME_CHECK_JIT,
#endif
    INSTRUMENTED_RESUME,
    ENTER_EXECUTOR,
#elif PY_VERSION_HEX >= 0x030c0000
    YIELD_VALUE,
    INSTRUMENTED_YIELD_VALUE,
#else
    YIELD_VALUE,
#endif
#if PY_VERSION_HEX >= 0x030c0000
    INSTRUMENTED_LINE,
    INSTRUMENTED_INSTRUCTION,
#endif
};

constexpr OpcodeSet set_of(std::span<const int> opcodes) {
  OpcodeSet set{};
  for (const int opcode : opcodes) set[static_cast<std::size_t>(opcode)] = true;
  return set;
}

}  // namespace

constinit const OpcodeSet opcodes_at_yield = set_of(kAtYield);

}  // namespace memtrace::compat
