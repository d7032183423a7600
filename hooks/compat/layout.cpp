#include "hooks/compat/layout.h"

#include "hooks/compat/python.h"

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace memtrace::compat {

#if PY_VERSION_HEX >= 0x030d0000

namespace {

struct Field {
  const char* name;
  std::uint64_t said;
  std::size_t compiled;
};

}  // namespace

const char* misplaced_field() noexcept {
  // The first member of _PyRuntime in every version that has it.
  const _Py_DebugOffsets& offsets = _PyRuntime.debug_offsets;
  if (std::memcmp(offsets.cookie, _Py_Debug_Cookie, sizeof offsets.cookie) != 0) return "_PyRuntime.debug_offsets";
  const auto& frame = offsets.interpreter_frame;
  const auto& thread = offsets.thread_state;
  const auto& code = offsets.code_object;
  const Field fields[] = {
      {"_PyInterpreterFrame.previous", frame.previous, offsetof(_PyInterpreterFrame, previous)},
      {"_PyInterpreterFrame.f_executable", frame.executable, offsetof(_PyInterpreterFrame, f_executable)},
      {"_PyInterpreterFrame.instr_ptr", frame.instr_ptr, offsetof(_PyInterpreterFrame, instr_ptr)},
      {"_PyInterpreterFrame.owner", frame.owner, offsetof(_PyInterpreterFrame, owner)},
      {"PyThreadState.interp", thread.interp, offsetof(PyThreadState, interp)},
      {"PyThreadState.current_frame", thread.current_frame, offsetof(PyThreadState, current_frame)},
#if PY_VERSION_HEX >= 0x030f0000
      {"PyThreadState.last_profiled_frame", thread.last_profiled_frame, offsetof(PyThreadState, last_profiled_frame)},
      {"PyThreadState.last_profiled_frame_seq", thread.last_profiled_frame_seq,
       offsetof(PyThreadState, last_profiled_frame_seq)},
#endif
      {"PyCodeObject.co_filename", code.filename, offsetof(PyCodeObject, co_filename)},
      {"PyCodeObject.co_qualname", code.qualname, offsetof(PyCodeObject, co_qualname)},
      {"PyCodeObject.co_linetable", code.linetable, offsetof(PyCodeObject, co_linetable)},
      {"PyCodeObject.co_firstlineno", code.firstlineno, offsetof(PyCodeObject, co_firstlineno)},
      {"PyCodeObject.co_code_adaptive", code.co_code_adaptive, offsetof(PyCodeObject, co_code_adaptive)},
  };
  for (const Field& field : fields)
    if (field.said != field.compiled) return field.name;
  return nullptr;
}

#else

const char* misplaced_field() noexcept { return nullptr; }

#endif

}  // namespace memtrace::compat
