// Our allocators, in front of CPython's: one template for the RAW, MEM and OBJ domains.
//
// Installed by PyMem_SetAllocator, and valid for ever: another hook may have kept a copy, so after stop() they only
// pass on. A call that arrives while the thread is inside a hook (OBJ asking RAW for a large block, an allocator hooked
// below us) is part of that event.
#pragma once

namespace memtrace::allocator_hooks {

// Whether each block is recorded, and with a timeline, or an era can have samples: then the hooks are others, which look
// before they do more.
enum class Mode { kExact, kTimed, kSampled };

// Puts our hooks on top of each domain's allocator where they are no longer called. pre: the GIL.
void install(Mode mode) noexcept;
// Restores what was below, where our hooks are still on top; where somebody has hooked above us they stay, passing on.
// pre: the GIL.
void uninstall() noexcept;

// Seconds that our hooks add to one small allocation and its free, as they are on this stack and at this moment; 0 when
// they are not installed. They see these allocations as they do the program's. pre: the GIL, or an attached thread.
double measure() noexcept;

}  // namespace memtrace::allocator_hooks
