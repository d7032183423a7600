// What libraries report: blocks of their own, in domains of their own, that no allocator of Python's gave out.
//
// Called from any thread, in whatever state: with a GIL or without, inside a hook, past its end. Takes no lock and no
// GIL. The trace of a block is the stack of the call that reports it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "src/base/types.h"

namespace memtrace {

// Enters the block, in place of one that the domain has at this address. False when nothing is traced.
bool track(Domain domain, std::uint64_t address, std::size_t size) noexcept;
// Takes it out; does nothing when there is none. False when nothing is traced.
bool untrack(Domain domain, std::uint64_t address) noexcept;

}  // namespace memtrace
