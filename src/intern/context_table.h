// Contexts: what a block is tagged with besides its place.
//
// Limit: 2^22 contexts. Thread-safety: lock-free.
#pragma once

#include "src/base/hash.h"
#include "src/base/types.h"
#include "src/intern/id_index.h"
#include "src/mem/chunked_array.h"

namespace memtrace {

struct Context {
  Domain domain = 0;
  std::uint32_t generation = 0;
  ThreadId thread = kNone;  // none: one of those for which there was no room
  std::uint32_t label = 0;  // 0: none
  std::uint32_t sampling = 0;  // 0: each block is recorded; else they are samples: see Era::interval_of()
  // Who alone may write the counters of its records, which are then from the upper half of the ids; 0: whoever holds the
  // main interpreter's GIL.
  ThreadIndex owner = 0;

  friend bool operator==(const Context&, const Context&) = default;
};

class ContextTable {
 public:
  ContextId intern(const Context& context) noexcept {
    const auto hash = static_cast<std::uint32_t>(hash64(&context, sizeof context));
    const auto equal = [&](ContextId id) { return contexts_[id] == context; };
    if (const ContextId present = index_.find(hash, equal)) return present;
    const ContextId id = contexts_.append();
    if (id == kNone) return kNone;
    contexts_[id] = context;
    return index_.insert(hash, id, equal);
  }

  const Context& operator[](ContextId id) const noexcept { return contexts_[id]; }
  std::size_t resident_bytes() const noexcept { return contexts_.resident_bytes() + index_.resident_bytes(); }
  std::size_t used_bytes() const noexcept { return contexts_.used_bytes() + index_.used_bytes(); }

 private:
  AppendArray<Context, 14, 256> contexts_;
  IdIndex<> index_;
};

}  // namespace memtrace
