#include <vector>

#include "snapshot/group.h"
#include "snapshot/statistics.h"

namespace memtrace::snapshot {

namespace {

// By stack: whether one of its frames is of the group, the most recent one unless `cumulative`. Children have larger ids
// than their parent.
std::vector<std::uint8_t> stacks_of_group(const Dictionary& dictionary, const FrameGroups& groups, std::size_t count,
                                          std::uint32_t group, bool cumulative) {
  std::vector<std::uint8_t> chosen(count);
  for (StackId id = 1; id < count; ++id) {
    const Stack stack = dictionary.stack(id);
    chosen[id] = groups.of_frame[stack.frame] == group || (cumulative && chosen[stack.parent] != 0);
  }
  return chosen;
}

}  // namespace

Snapshot select_group(const Snapshot& snapshot, Grouping group_by, bool cumulative, const Site& site,
                      std::uint32_t number) {
  check_grouping(group_by, cumulative);
  const auto stacks = snapshot.stacks();  // resolves, so the keys cover what this snapshot needs
  const Dictionary& dictionary = *snapshot.dictionary();
  const std::shared_ptr<const KeyTables> tables = dictionary.keys();
  std::vector<std::uint8_t> keep(snapshot.column_count(), 1);
  if (const auto tag = group_by.tag()) {
    const auto keys = snapshot.keys();
    for (std::size_t row = 0; row < keep.size(); ++row) keep[row] = keys[row].number(*tag) == number;
  }
  if (group_by.by == GroupBy::traceback) {
    const std::vector<std::uint32_t>& path_of = tables->paths().of_stack;
    for (std::size_t row = 0; row < keep.size(); ++row) keep[row] = path_of[stacks[row]] == path_of[site.stack];
  } else if (is_frame_key(group_by.by)) {
    const FrameGroups& groups = frame_groups(*tables, group_by.by);
    const std::vector<std::uint8_t> chosen =
        stacks_of_group(dictionary, groups, tables->stack_count(), groups.of_frame[site.frame], cumulative);
    for (std::size_t row = 0; row < keep.size(); ++row) keep[row] &= chosen[stacks[row]];
  }
  return snapshot.select_rows(keep);
}

}  // namespace memtrace::snapshot
