// What Python calls the calling thread, from inside a hook.
#pragma once

#include "hooks/compat/python.h"
#include "src/intern/thread_table.h"

namespace memtrace::compat {

// With the main interpreter's GIL. Before it, and after forget_thread_names(), no thread has a name.
void prepare_thread_names() noexcept;
// That interpreter is gone.
void forget_thread_names() noexcept;

enum class NameFound { kYes, kNotYet, kNever };

// Looks for the Thread object in the outermost frame, where threading keeps it as long as the thread runs, and reads its
// name: it is gone when somebody asks. Runs no Python code and keeps nothing: the attribute is one of the instance's
// own, or is not read. Cut to fit, in UTF-8. O(depth of the stack). pre: the caller holds the main
// interpreter's GIL, with `thread` of it.
//
// kNotYet: there is no frame yet. kNever: it is not a Thread's; or there is no GIL, without which reading an attribute
// can mean to wait.
NameFound find_thread_name(const PyThreadState* thread, ThreadTable::Name& name) noexcept;

}  // namespace memtrace::compat
