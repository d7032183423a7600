// Resolver: turns the tracer's records into dictionary entries, at the first use of a live snapshot.
//
// A live snapshot copies counters only; names, lines and columns are decoded when somebody looks. The implementation
// (see take.h) works over the tracer's append-only tables and must keep them alive, and unchanged for the records it was
// given, for as long as it lives: a snapshot outlives stop(), clear_traces() and fork().
//
// Thread-safety: several snapshots of one era share a resolver, so resolve() may be called from several threads at once
// and must serialise itself (holding a Dictionary::Writer for the whole call does that). It must not call into Python.
#pragma once

#include <cstdint>
#include <span>

#include "snapshot/dictionary.h"
#include "src/base/types.h"

namespace memtrace::snapshot {

// What a resolver calls a record. The smaller the numbers, the smaller the snapshot (see block_columns.h).
using RecordNumber = std::uint32_t;

// What the blocks of one row have in common.
struct ResolvedRecord {
  TracebackId traceback = kUnknownTraceback;
  std::uint32_t domain = 0;
  std::uint32_t generation = 0;
  std::uint32_t thread = 0;
  std::uint32_t label = 0;
  std::uint32_t type = 0;  // the StringId of its name; 0 where the snapshot was taken without types

  std::uint32_t number(Tag tag) const noexcept {
    switch (tag) {
      case Tag::domain:
        return domain;
      case Tag::generation:
        return generation;
      case Tag::thread:
        return thread;
      case Tag::label:
        return label;
      case Tag::type:
        break;
    }
    return type;
  }
  friend bool operator==(const ResolvedRecord&, const ResolvedRecord&) = default;
};

class Resolver {
 public:
  virtual ~Resolver() = default;

  // Fills out[i] for records[i]; both spans have the same length; a record may come more than once. One that cannot
  // be decoded becomes kUnknownTraceback. May throw std::bad_alloc: the snapshot stays unresolved and the next use tries again.
  virtual void resolve(std::span<const RecordNumber> records, Dictionary& dictionary,
                       std::span<ResolvedRecord> out) = 0;
};

}  // namespace memtrace::snapshot
