// Our allocators, in front of CPython's: one template for the RAW, MEM and OBJ domains.
//
// Installed by PyMem_SetAllocator, and valid for ever: another hook may have kept a copy, so after stop() they only
// pass on. A call that arrives while the thread is inside a hook (OBJ asking RAW for a large block, an allocator hooked
// below us) is part of that event.
#pragma once

namespace memtrace::allocator_hooks {

// Puts our hooks on top of each domain's allocator where they are no longer called. pre: the GIL.
void install() noexcept;
// Restores what was below, where our hooks are still on top; where somebody has hooked above us they stay, passing on.
// pre: the GIL.
void uninstall() noexcept;

}  // namespace memtrace::allocator_hooks
