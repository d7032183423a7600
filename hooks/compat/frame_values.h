// The frames that are running, and what they hold: local variables, and the stack on which instructions compute.
//
// pre, for all of them: the frame's thread does not run meanwhile, and !is_internal(frame). Nothing is taken a reference
// of. Source: as for frame.h.
#pragma once

#include <cstdint>

#include "hooks/compat/frame.h"

namespace memtrace::compat {

struct FrameValue {
  PyObject* object;  // may be null
  bool is_counted;  // in the object's reference count: from 3.14 on a frame may borrow
};

namespace detail {

#if PY_VERSION_HEX >= 0x030e0000
inline FrameValue value_of(_PyStackRef reference) noexcept {
  if ((reference.bits & 3) == 3) return {nullptr, false};  // a number, not an object
  return {reinterpret_cast<PyObject*>(reference.bits & ~std::uintptr_t{3}), (reference.bits & 1) == 0};
}
#else
inline FrameValue value_of(PyObject* reference) noexcept { return {reference, true}; }
#endif

}  // namespace detail

// Variables are numbered as in the code: arguments, further ones, cells, closure variables.
inline int variable_count(const Frame* frame) noexcept { return code(frame)->co_nlocalsplus; }
inline FrameValue variable(const Frame* frame, int number) noexcept {
  return detail::value_of(frame->localsplus[number]);
}
inline PyObject* variable_name(const PyCodeObject* code, int number) noexcept {
  return PyTuple_GET_ITEM(code->co_localsplusnames, number);
}

inline FrameValue function(const Frame* frame) noexcept {
#if PY_VERSION_HEX >= 0x030c0000
  return detail::value_of(frame->f_funcobj);
#else
  return {reinterpret_cast<PyObject*>(frame->f_func), true};
#endif
}
inline FrameValue executable(const Frame* frame) noexcept {
#if PY_VERSION_HEX >= 0x030d0000
  return detail::value_of(frame->f_executable);
#else
  return {reinterpret_cast<PyObject*>(frame->f_code), true};
#endif
}
// The mapping of names where they are not variables: of a module, a class body, exec().
inline PyObject* names(const Frame* frame) noexcept { return frame->f_locals; }
inline PyObject* frame_object(const Frame* frame) noexcept { return reinterpret_cast<PyObject*>(frame->frame_obj); }

// Whether the object's address lies where the frame has its stack. What was popped may still lie there: it is believed of
// an object that is known to be alive, and held by something unknown.
inline bool may_have_on_stack(const Frame* frame, const PyObject* object) noexcept {
  const int first = variable_count(frame);
  for (int i = first; i < first + code(frame)->co_stacksize; ++i)
    if (detail::value_of(frame->localsplus[i]).object == object) return true;
  return false;
}

// The frame of a generator, coroutine or asynchronous generator, or null when it has ended.
inline const Frame* frame_of_generator(PyObject* object) noexcept {
#if PY_VERSION_HEX >= 0x030f0000
  constexpr int kCleared = 5;  // FRAME_CLEARED of Include/internal/pycore_frame.h
#else
  constexpr int kCleared = 4;
#endif
  auto* const generator = reinterpret_cast<PyGenObject*>(object);
  if (generator->gi_frame_state >= kCleared) return nullptr;
  return reinterpret_cast<const Frame*>(&generator->gi_iframe);
}

// The frame of a frame object.
inline const Frame* frame_of_object(PyObject* object) noexcept {
  struct Layout {  // struct _frame of Include/internal/pycore_frame.h
    PyObject base;
    PyObject* back;
    const Frame* frame;
  };
  return reinterpret_cast<const Layout*>(object)->frame;
}

inline int line(const Frame* frame) noexcept {
  const auto* const bytes = reinterpret_cast<const char*>(instruction(frame));
  const auto* const start = reinterpret_cast<const char*>(code_start(code(frame)));
  return PyCode_Addr2Line(const_cast<PyCodeObject*>(code(frame)), static_cast<int>(bytes - start));
}

// f(thread) for each thread of the calling interpreter.
template <typename F>
void for_each_thread(F&& f) {
  PyInterpreterState* const interpreter = PyThreadState_GetInterpreter(PyThreadState_Get());
  for (PyThreadState* thread = PyInterpreterState_ThreadHead(interpreter); thread != nullptr;
       thread = PyThreadState_Next(thread)) {
    f(thread);
  }
}

// f(frame) for each call of the thread that is running, innermost first.
template <typename F>
void for_each_frame(const PyThreadState* thread, F&& f) {
  for (const Frame* frame = top_frame(thread); frame != nullptr; frame = caller(frame))
    if (!is_internal(frame)) f(frame);
}

}  // namespace memtrace::compat
