// The sum of several snapshots, such as those of the processes of one program, as one snapshot of its own origin.
//
// Rows are added up by traceback, domain, generation, thread, label and type. Domains are the same where their numbers
// are; threads, labels, marks (see mark_order.h) and types where their names are. Blocks, types and churn are kept where every
// snapshot has them; one without live blocks needs no types. Rows of samples keep their weights and
// variances, and stay apart where their intervals differ. Where the marks contradict each other, all of it is before the
// first mark. The first snapshot's names of domains and modules hold.
//
// Thread-safety: a pure function.
#pragma once

#include <span>

#include "snapshot/snapshot.h"

namespace memtrace::snapshot {

// Its traceback limit and sampling interval are the largest of all, its churn is of the longest time.
// std::invalid_argument without snapshots, std::length_error when it is more than one can hold.
Snapshot merge(std::span<const Snapshot> snapshots);

}  // namespace memtrace::snapshot
