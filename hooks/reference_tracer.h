// Blocks that CPython reuses without asking an allocator: objects from free lists get their new owner's trace.
//
// CPython 3.13 and later tell of every new object (PyRefTracer). Those in a block that was allocated just now are
// already right and recognised by their address; the others came from a free list. A tracer that was set before ours is
// called too. Before 3.13 there is no such hook: a block from a free list keeps the trace of its first owner.
#pragma once

namespace memtrace::reference_tracer {

// pre: the GIL.
void install() noexcept;
void uninstall() noexcept;

}  // namespace memtrace::reference_tracer
