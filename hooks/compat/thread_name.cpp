#include "hooks/compat/thread_name.h"

#include <cstdint>
#include <string_view>

#include "hooks/compat/frame_values.h"
#include "src/base/wtf8.h"

namespace memtrace::compat {

namespace {

PyObject* name_attribute = nullptr;

#ifndef Py_GIL_DISABLED

std::string_view ascii(PyObject* text) noexcept {
  if (text == nullptr || !PyUnicode_IS_COMPACT_ASCII(text)) return {};
  return {static_cast<const char*>(PyUnicode_DATA(text)), static_cast<std::size_t>(PyUnicode_GET_LENGTH(text))};
}

const Frame* outermost(const PyThreadState* thread) noexcept {
  const Frame* last = nullptr;
  for (const Frame* frame = top_frame(thread); frame != nullptr; frame = caller(frame))
    if (!is_internal(frame)) last = frame;
  return last;
}

// As many whole characters as there is room for.
void write_wtf8(PyObject* text, ThreadTable::Name& name) noexcept {
  const int kind = PyUnicode_KIND(text);
  const void* data = PyUnicode_DATA(text);
  std::size_t size = 0;
  for (Py_ssize_t i = 0; i < PyUnicode_GET_LENGTH(text); ++i) {
    const Py_UCS4 character = PyUnicode_READ(kind, data, i);
    if (size + wtf8_length(character) > name.size()) return;
    size += encode_wtf8(character, name.data() + size);
  }
}

#endif

}  // namespace

void prepare_thread_names() noexcept {
  if (PyInterpreterState_Get() != PyInterpreterState_Main()) return;
  if (name_attribute == nullptr) name_attribute = PyUnicode_InternFromString("_name");
  if (name_attribute == nullptr) PyErr_Clear();
}

void forget_thread_names() noexcept { name_attribute = nullptr; }

NameFound find_thread_name([[maybe_unused]] const PyThreadState* thread,
                           [[maybe_unused]] ThreadTable::Name& name) noexcept {
#ifdef Py_GIL_DISABLED
  return NameFound::kNever;
#else
  const Frame* const frame = outermost(thread);
  if (frame == nullptr) return NameFound::kNotYet;
  const PyCodeObject* const function = code(frame);
  if (name_attribute == nullptr || function->co_argcount != 1 || ascii(function->co_name) != "_bootstrap" ||
      !ascii(function->co_filename).ends_with("threading.py"))
    return NameFound::kNever;
  PyObject* const self = variable(frame, 0).object;  // no cell
  // Neither a class's own way of reading attributes nor a property.
  if (self == nullptr || Py_TYPE(self)->tp_getattro != PyObject_GenericGetAttr ||
      _PyType_Lookup(Py_TYPE(self), name_attribute) != nullptr)
    return NameFound::kNever;
  PyObject* const value = _PyObject_GenericGetAttrWithDict(self, name_attribute, nullptr, 1);
  if (value == nullptr) return NameFound::kNever;
  const bool is_text = PyUnicode_CheckExact(value);
  if (is_text) write_wtf8(value, name);
  Py_DECREF(value);  // the thread has another
  return is_text ? NameFound::kYes : NameFound::kNever;
#endif
}

}  // namespace memtrace::compat
