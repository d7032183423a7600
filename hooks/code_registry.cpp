#include "hooks/code_registry.h"

#include <string_view>

#include "src/base/wtf8.h"
#include "src/mem/heap.h"

namespace memtrace {

namespace {

// A str as bytes: UTF-8, lone surrogates as three bytes. Reads the object's own storage and none of its caches, which
// other threads may be filling.
class Wtf8 {
 public:
  explicit Wtf8(PyObject* object) noexcept {
    if (object == nullptr || !PyUnicode_Check(object)) return;
    const void* data = PyUnicode_DATA(object);
    const auto length = static_cast<std::size_t>(PyUnicode_GET_LENGTH(object));
    if (PyUnicode_IS_ASCII(object)) {
      view_ = {static_cast<const char*>(data), length};
      return;
    }
    if (!buffer_.reserve(length * kLongestWtf8, 0)) return;
    const auto kind = PyUnicode_KIND(object);
    std::size_t size = 0;
    for (std::size_t i = 0; i < length; ++i)
      size += encode_wtf8(PyUnicode_READ(kind, data, static_cast<Py_ssize_t>(i)), &buffer_[size]);
    view_ = {buffer_.data(), size};
  }

  std::string_view view() const noexcept { return view_; }

 private:
  heap::Buffer<char> buffer_;
  std::string_view view_ = "<unknown>";
};

[[gnu::noinline]] CodeId register_code(Era& era, const PyCodeObject* code) noexcept {
  const Wtf8 filename(code->co_filename);
  const Wtf8 qualname(code->co_qualname);
  std::string_view linetable;
  if (code->co_linetable != nullptr && PyBytes_Check(code->co_linetable))
    linetable = {PyBytes_AS_STRING(code->co_linetable), static_cast<std::size_t>(PyBytes_GET_SIZE(code->co_linetable))};
  const CodeId id = era.tables().codes.intern({filename.view(), qualname.view(), linetable, code->co_firstlineno,
                                               compat::code_units(code), compat::first_traceable(code)});
  // Without the mark (no memory, or a place the table does not cover) the code is interned anew each time: slower, but
  // right.
  if (id != kNone && BlockTable::reaches(code)) era.mark_code(code, id);
  return id;
}

}  // namespace

const Code* find_code(Era& era, const PyCodeObject* code) noexcept {
  CodeId id = BlockTable::reaches(code) ? era.code_at(code) : kNone;
  if (id == kNone) [[unlikely]] {
    id = register_code(era, code);
    if (id == kNone) return nullptr;
  }
  return &era.tables().codes[id];
}

}  // namespace memtrace
