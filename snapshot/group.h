// Sums by group: the common ground of statistics and comparison. Private to snapshot/.
//
// Counters go from rows to frames first and from there to groups, each step a scatter-add over dense ids; for
// tracebacks and numbers they go from rows, sorted by group, to groups. On the way the heaviest of what is merged is chosen as the
// group's site.
// Thread-safety: pure functions.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "snapshot/common_stacks.h"
#include "snapshot/keys.h"
#include "snapshot/snapshot.h"
#include "snapshot/statistics.h"

namespace memtrace::snapshot {

struct Group {
  // In KeyTables: of the frame's group, or of the path; or the rows' own. Where both make the group, the frame's is the upper
  // half.
  std::uint64_t number = 0;
  std::uint64_t size = 0;
  std::uint64_t count = 0;
  Site site;
  Spread spread{};  // of samples: see spread.h
};

// How much of a stack decides about the group.
StackDetail detail_of(GroupBy group_by, bool cumulative) noexcept;

// The numbering of frames for a frame key.
const FrameGroups& frame_groups(const KeyTables& tables, GroupBy group_by);

// Text of a function or module group, and of a number that has a name; empty for the others. Lives as long as the
// dictionary and its tables.
std::string_view key_text(const Dictionary& dictionary, const KeyTables& tables, Grouping group_by,
                          std::uint64_t number);
// The same of the number that joins a key of frames.
std::string_view joined_text(const Dictionary& dictionary, Grouping group_by, std::uint64_t number);

// The number of a group that is one of rows with the same; 0 for the other keys.
std::uint32_t shown_number(Grouping group_by, std::uint64_t number) noexcept;

// The groups that have blocks, in rising order of number. `counters`, those of the snapshot or others, and `stacks`, ids of
// the Dictionary of `tables`, are by row index of the snapshot. std::invalid_argument for `cumulative` without a key of
// frames.
std::vector<Group> sum_groups(const Dictionary& dictionary, const KeyTables& tables, const Snapshot& snapshot,
                              const Counters& counters, std::span<const StackId> stacks, Grouping group_by,
                              bool cumulative);

// std::invalid_argument for what no groups can be made of: see statistics().
void check_grouping(Grouping group_by, bool cumulative);

}  // namespace memtrace::snapshot
