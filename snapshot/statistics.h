// Statistics: live blocks and bytes by group, in tracemalloc's order.
//
//   group key    traceback of the statistic
//   filename     one frame: the file, line 0
//   lineno       one frame: the file and line; frames that differ only in function or columns are one group
//   traceback    all frames, compared by (file, line); total_nframe takes no part
//   function     key "module.qualname"; the one frame is the group's heaviest site
//   module       key "package.module"; the one frame is the group's heaviest site
//   domain, generation, thread, label, type
//                the number, and its name if it has one; the one frame is the group's heaviest site
//
// A key of frames can be joined by one of numbers: a group is then what has both in common, and its frame that of the key
// of frames.
//
// Grouping is by the most recent frame. With `cumulative` every frame of a traceback counts: filename and lineno count
// a key as often as it occurs in the traceback (tracemalloc's code does, so recursion counts twice); function and
// module count it once per traceback. Tracebacks and numbers cannot be counted so.
//
// Order: largest first by (size, count, traceback), traceback as the tuple of (file, line), oldest first; function and
// module groups by (size, count, key), those of a number by (size, count, number).
// Cost: O(rows + stacks + groups log groups). Thread-safety: pure functions; results are values.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "snapshot/dictionary.h"
#include "snapshot/snapshot.h"

namespace memtrace::snapshot {

enum class GroupBy : std::uint8_t {
  filename,
  lineno,
  traceback,
  function,
  module,
  domain,
  generation,
  thread,
  label,
  type
};

// Their names are those of the enumerators.
std::optional<GroupBy> parse_group_by(std::string_view name) noexcept;
std::string_view name_of(GroupBy group_by) noexcept;
// A key of single frames, which `cumulative` needs.
bool is_frame_key(GroupBy group_by) noexcept;
// What rows are grouped by, where that is a number of theirs.
std::optional<Tag> tag_of(GroupBy group_by) noexcept;

// What makes a group: a key, or a key of frames and a number of the rows.
struct Grouping {
  GroupBy by;
  std::optional<Tag> joined;

  Grouping(GroupBy key, std::optional<Tag> tag = std::nullopt) noexcept : by(key), joined(tag) {}
  // The number that its groups have, if they have one.
  std::optional<Tag> tag() const noexcept { return joined ? joined : tag_of(by); }
};

// Where a group's traceback comes from; see traceback_frames().
struct Site {
  StackId stack = kEmptyStack;  // traceback groups: the whole stack, the heaviest of those merged
  FrameId frame = kUnknownFrame;  // other groups: the frame, the heaviest of those merged
};

struct Statistic {
  std::uint64_t size = 0;  // bytes
  std::uint64_t count = 0;  // blocks
  Site site;
  // Function and module groups, and numbers that have a name; empty for the others. Lives as long as the result it is
  // part of.
  std::string_view key;
  std::uint32_t number = 0;  // groups of one
  std::string_view joined;  // as key: of the number, where a key of frames is joined by one
  // Standard errors, where size and count are estimates.
  double size_error = 0;
  double count_error = 0;
};

// Frames of a group's traceback, oldest first. A filename group has one frame with line 0 and no function or columns.
std::vector<Frame> traceback_frames(const Dictionary& dictionary, GroupBy group_by, const Site& site);

struct Statistics {
  Grouping group_by = GroupBy::lineno;
  bool cumulative = false;
  bool has_errors = false;  // the snapshot has samples
  std::vector<Statistic> items;
  std::shared_ptr<const Dictionary> dictionary;  // of the sites' ids
  std::shared_ptr<const void> keep_alive;  // owner of the keys' text
};

// std::invalid_argument for `cumulative` without a key of frames or with a number, and for a number joined to what is no
// key of frames.
Statistics statistics(const Snapshot& snapshot, Grouping group_by, bool cumulative = false);

// The rows of one group, of which `site` and `number` were shown. std::invalid_argument as statistics().
Snapshot select_group(const Snapshot& snapshot, Grouping group_by, bool cumulative, const Site& site,
                      std::uint32_t number);

}  // namespace memtrace::snapshot
