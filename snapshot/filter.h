// Filters: which traces of a snapshot are kept. filter_kinds.h says what filters look at.
//
//   inclusive filters are pooled: a trace is kept when any of them matches (or when there is none)
//   exclusive filters are pooled: a trace is dropped when any of them matches
//
// As an operand of a Combined, a filter stands for the traces that it keeps when it is the only one.
//
// Decided by row, never per block; where a filter looks at blocks, those rows alone are decided by block on which the
// others leave that open.
// Thread-safety: pure functions.
#pragma once

#include <cstdint>
#include <span>

#include "snapshot/filter_kinds.h"
#include "snapshot/snapshot.h"

namespace memtrace::snapshot {

// A new snapshot with the traces that pass. Without filters: the same traces. O(rows) for each filter and one more
// operand, O(stacks) for all_frames, O(blocks) where blocks are looked at. std::invalid_argument for a filter of blocks
// when there are none.
Snapshot filter_traces(const Snapshot& snapshot, std::span<const AnyFilter> filters);

// The traces with a generation from `first` up to, but not with, `end`. O(rows).
Snapshot select_generations(const Snapshot& snapshot, std::uint64_t first, std::uint64_t end);

}  // namespace memtrace::snapshot
