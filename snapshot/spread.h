// How sure the sums of samples are: what groups of rows stand for besides their bytes. Private to snapshot/.
//
// For snapshots with samples, which have few rows: each row is looked at by itself. A block that counts k times in a
// group, as by recursion in cumulative statistics, adds k^2 of its variance.
// Thread-safety: pure functions.
#pragma once

#include <span>
#include <vector>

#include "snapshot/group.h"
#include "snapshot/snapshot.h"

namespace memtrace::snapshot {

// Completes the groups that sum_groups() has made of the same arguments: their spread, and their count, which is that
// of rounded rows. Does nothing for a snapshot without samples.
void add_spreads(std::vector<Group>& groups, const Dictionary& dictionary, const KeyTables& tables,
                 const Snapshot& snapshot, std::span<const StackId> stacks, Grouping group_by, bool cumulative);

// A standard error.
double error_of(double variance) noexcept;

}  // namespace memtrace::snapshot
