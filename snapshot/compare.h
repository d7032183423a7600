// Comparison of two snapshots by group, in tracemalloc's order.
//
// Every group of either snapshot gives one difference; a group that is missing on one side counts as zero there.
// Snapshots that share a Dictionary are merged by integers; others are first translated into a Dictionary of the
// result's own. A function or module group shows its heaviest site of the new snapshot, or of the old one when it is
// gone.
//
// Order: largest first by (|size_diff|, size, |count_diff|, count, traceback).
// Thread-safety: pure function; the result is a value.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "snapshot/dictionary.h"
#include "snapshot/snapshot.h"
#include "snapshot/statistics.h"

namespace memtrace::snapshot {

struct StatisticDiff {
  std::uint64_t size = 0;  // bytes in the new snapshot
  std::int64_t size_diff = 0;  // new minus old
  std::uint64_t count = 0;  // blocks in the new snapshot
  std::int64_t count_diff = 0;  // new minus old
  // Of `size` and `count` what is in the old snapshot, too; 0 where that is not known.
  std::uint64_t survived_size = 0;
  std::uint64_t survived_count = 0;
  Site site;
  std::string_view key;  // as Statistic's
  std::uint32_t number = 0;
  std::string_view joined;
  // Standard errors, where these are estimates. Those of the differences leave out what is known to be in both
  // snapshots; where that is not known, they are upper bounds.
  double size_error = 0;
  double count_error = 0;
  double size_diff_error = 0;
  double count_diff_error = 0;
};

struct Comparison {
  Grouping group_by = GroupBy::lineno;
  bool cumulative = false;
  bool knows_survivors = false;  // the old snapshot is of the same era, and ended a generation
  bool has_errors = false;  // one of the snapshots has samples
  std::vector<StatisticDiff> items;
  std::shared_ptr<const Dictionary> dictionary;  // of the sites' ids; may be neither snapshot's
  std::shared_ptr<const void> keep_alive;
};

// std::invalid_argument as statistics().
Comparison compare(const Snapshot& current, const Snapshot& old, Grouping group_by, bool cumulative = false);

}  // namespace memtrace::snapshot
