// What is selected of a snapshot as one table, for those who write it in another format: a row for each stack, domain,
// generation, thread, label and type, with what is live and what has come and gone.
//
// Thread-safety: a pure function.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "snapshot/dictionary.h"
#include "snapshot/snapshot.h"

namespace memtrace::snapshot {

struct FlatRows {
  // One of its own: strings, frames and stacks that the rows have and no others, all ids dense. No tracebacks.
  std::shared_ptr<const Dictionary> dictionary;
  // With ids of `dictionary`: a type is a string, and in the place of the traceback is the stack.
  std::vector<ResolvedRecord> keys;
  Counters live;  // with the spread of samples where there may be some; no intervals
  // Empty columns without churn. Churn knows no types: in a snapshot with types it is in rows of their own.
  Counters allocated, freed, temporary;
};

// The rows in no order. Resolves; linear in the rows and the frames of their stacks. std::length_error when all sizes
// come to more than 2^63-1 bytes.
FlatRows flatten(const Snapshot& snapshot);

}  // namespace memtrace::snapshot
