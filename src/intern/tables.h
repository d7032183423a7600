// All that is interned in one era, from one start() or clear_traces() to the next.
//
// Snapshots share it with the tracer and outlive the era: nothing in it ever changes, it only grows.
// Position-independent: elements refer to one another by id alone.
#pragma once

#include "src/intern/code_table.h"
#include "src/intern/context_table.h"
#include "src/intern/node_tree.h"
#include "src/intern/string_table.h"
#include "src/intern/thread_table.h"

namespace memtrace {

struct Tables {
  StringTable strings;
  CodeTable codes{strings};
  NodeTree tree;
  ContextTable contexts;
  ThreadTable threads;

  std::size_t resident_bytes() const noexcept {
    return strings.resident_bytes() + codes.resident_bytes() + tree.resident_bytes() + contexts.resident_bytes() +
           threads.resident_bytes();
  }
  // What can be resident of what grows, without asking the system.
  std::size_t used_bytes() const noexcept {
    return strings.used_bytes() + codes.used_bytes() + tree.used_bytes() + contexts.used_bytes();
  }
};

}  // namespace memtrace
