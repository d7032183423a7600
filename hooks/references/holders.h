// Who holds an object: chains of references from a root to it, in words.
//
// A chain keeps text and addresses, no object. Costs a walk over all objects, see walk.h: about a second for a million.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "hooks/compat/python.h"

namespace memtrace::references {

struct Link {
  std::string kind;  // how the holder refers to the object: "attribute", "value of key", ...
  std::string name;  // which one: the attribute's name, the key
  std::string type;  // of the object
  std::string object;  // what the object itself is called, or nothing
  std::uintptr_t address;
};

struct Chain {
  std::string root_kind;  // of Root, or "caller": the frame that asks
  std::string root_name;
  std::size_t skipped = 0;  // objects that are left out in the middle, folded ones too
  std::size_t head = 0;  // links before these
  std::vector<Link> links;  // the last leads to the target
};

struct Question {
  std::span<PyObject* const> targets;
  PyObject* own;  // the object that holds the targets for the caller
  unsigned own_frames;  // innermost frames of the calling thread that are the caller's own
  std::size_t limit;  // chains for each target, each from another holder of it
  std::size_t longest;  // links of a chain; at least 2
};

// For each target its chains, the most telling first: those of the program, of the calling thread's frames, of C code, a
// cycle where there is none of these, and of the frame that asks. pre: an attached thread, and the targets are alive.
// Throws std::bad_alloc.
std::vector<std::vector<Chain>> find_holders(const Question& question);

}  // namespace memtrace::references
