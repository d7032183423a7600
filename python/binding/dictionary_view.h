// DictionaryView: the names, frames and tracebacks of a Dictionary as Python objects, made when they are asked for.
//
//   reference   what a traceback is made of, packed into one integer: a stack, one frame, or one file (line 0)
//   frame       tuple (filename, lineno), as tracemalloc's frame tuples; shared by all tracebacks of one view
//   detail      tuple (function, end_lineno, colno, end_colno) beside it, None for what is not known
//
// Keeps the Dictionary alive. Thread-safety: under the GIL.
#pragma once

#include <pybind11/pybind11.h>

#include <cstdint>
#include <memory>
#include <unordered_map>

#include "snapshot/dictionary.h"

namespace memtrace::binding {

class Reference {
 public:
  static Reference stack(snapshot::StackId id) { return Reference(id, Kind::stack); }
  static Reference frame(snapshot::FrameId id) { return Reference(id, Kind::frame); }
  // The file of a frame.
  static Reference file(snapshot::FrameId id) { return Reference(id, Kind::file); }

  static Reference unpack(std::uint64_t packed) {
    return Reference(static_cast<std::uint32_t>(packed >> 2), static_cast<Kind>(packed & 3));
  }
  std::uint32_t id() const { return id_; }
  std::uint64_t pack() const { return std::uint64_t{id_} << 2 | static_cast<std::uint64_t>(kind_); }

 private:
  friend class DictionaryView;
  enum class Kind : std::uint8_t { stack, frame, file };
  Reference(std::uint32_t id, Kind kind) : id_(id), kind_(kind) {}

  std::uint32_t id_;
  Kind kind_;
};

// One thread at a time where there is no GIL to see to it. Waits detached from the interpreter, so that whoever is inside
// can make objects.
class ViewMutex {
 public:
#ifdef Py_GIL_DISABLED
  void lock() { PyMutex_Lock(&mutex_); }
  void unlock() { PyMutex_Unlock(&mutex_); }

 private:
  PyMutex mutex_ = {};
#else
  void lock() {}
  void unlock() {}
#endif
};

class DictionaryView {
 public:
  explicit DictionaryView(std::shared_ptr<const snapshot::Dictionary> dictionary)
      : dictionary_(std::move(dictionary)) {}

  // Oldest first.
  pybind11::tuple frames(Reference reference);
  pybind11::tuple details(Reference reference);
  // Most recent first, as in a trace tuple.
  pybind11::tuple frames_of_trace(snapshot::StackId stack);

  const snapshot::Dictionary& dictionary() const { return *dictionary_; }

 private:
  const pybind11::object& name(snapshot::StringId id);
  const pybind11::object& frame(snapshot::FrameId id);
  pybind11::tuple detail(snapshot::FrameId id);

  ViewMutex mutex_;  // guards what follows
  std::shared_ptr<const snapshot::Dictionary> dictionary_;
  std::unordered_map<snapshot::StringId, pybind11::object> names_;
  std::unordered_map<snapshot::FrameId, pybind11::object> frames_;
};

}  // namespace memtrace::binding
