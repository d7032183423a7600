// How one object refers to the next, in the words of a reader of Python: "attribute '_cache'", not "dict, value 17".
//
// What only the interpreter sees is folded: an instance's __dict__, a closure's tuple and cell. Names are found by looking
// for the referent where the holder keeps things; nothing of the program runs. Throws std::bad_alloc.
// Thread-safety: nobody changes objects meanwhile.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "hooks/compat/frame_values.h"
#include "hooks/compat/python.h"

namespace memtrace::references {

struct Step {
  std::string kind;
  std::string name;
  std::size_t objects = 1;  // of the path that the step goes over; it leads to the last of them
};

using Path = std::span<PyObject* const>;

// From an object to path[0], or further. pre: path is not empty, and each object refers to the next.
Step step_from(PyObject* holder, Path path);

// The same from a frame's own values.
Step step_from(const compat::Frame* frame, Path path);

}  // namespace memtrace::references
