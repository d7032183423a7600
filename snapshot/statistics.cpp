#include "snapshot/statistics.h"

#include <array>
#include <utility>

#include "snapshot/group.h"
#include "snapshot/radix_sort.h"

namespace memtrace::snapshot {

namespace {

constexpr std::array<std::pair<std::string_view, GroupBy>, 5> kNames{{
    {"filename", GroupBy::filename},
    {"lineno", GroupBy::lineno},
    {"traceback", GroupBy::traceback},
    {"function", GroupBy::function},
    {"module", GroupBy::module},
}};

}  // namespace

std::optional<GroupBy> parse_group_by(std::string_view name) noexcept {
  for (const auto& [known, group_by] : kNames) {
    if (known == name) return group_by;
  }
  return std::nullopt;
}

std::string_view name_of(GroupBy group_by) noexcept {
  for (const auto& [name, known] : kNames) {
    if (known == group_by) return name;
  }
  return {};
}

bool is_frame_key(GroupBy group_by) noexcept { return group_by != GroupBy::traceback; }

std::vector<Frame> traceback_frames(const Dictionary& dictionary, GroupBy group_by, const Site& site) {
  if (group_by == GroupBy::filename) return {Frame{.filename = dictionary.frame(site.frame).filename}};
  if (group_by != GroupBy::traceback) return {dictionary.frame(site.frame)};
  std::vector<Frame> frames;
  for (const FrameId id : dictionary.frames_of(site.stack)) frames.push_back(dictionary.frame(id));
  return frames;
}

Statistics statistics(const Snapshot& snapshot, GroupBy group_by, bool cumulative) {
  const auto stacks = snapshot.stacks();  // resolves, so the keys cover what this snapshot needs
  std::shared_ptr<const KeyTables> tables = snapshot.dictionary()->keys();
  const std::vector<Group> groups =
      sum_groups(*snapshot.dictionary(), *tables, snapshot, stacks, group_by, cumulative);

  std::vector<std::uint32_t> order;
  for (std::size_t number = groups.size(); number-- > 0;) {
    if (groups[number].count != 0) order.push_back(static_cast<std::uint32_t>(number));
  }
  sort_descending(order, [&](std::uint32_t number) { return groups[number].count; });
  sort_descending(order, [&](std::uint32_t number) { return groups[number].size; });

  Statistics result{group_by, cumulative, {}, snapshot.dictionary(), tables};
  result.items.reserve(order.size());
  for (const std::uint32_t number : order) {
    const Group& group = groups[number];
    result.items.push_back({group.size, group.count, group.site, key_text(*tables, group_by, number)});
  }
  return result;
}

}  // namespace memtrace::snapshot
