// From live code objects to interned codes.
//
// What a code object says of itself is copied at first sight; nothing of Python's is kept. Its id goes into the slots
// of its own memory block (BlockTable::mark_code), so that looking it up is an address computation and the block's free
// retires it: no watcher, the same on every version.
// Thread-safety: lock-free, with or without the GIL: the fields that are read never change while a frame keeps the code
// object alive.
#pragma once

#include "hooks/compat/frame.h"
#include "src/tracer/era.h"

namespace memtrace {

// The interned code of `code`, or null when memory cannot be had. pre: `code` is alive.
const Code* find_code(Era& era, const PyCodeObject* code) noexcept;

}  // namespace memtrace
