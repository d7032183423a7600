#include "snapshot/statistics.h"

#include <array>
#include <numeric>
#include <utility>

#include "snapshot/group.h"
#include "snapshot/radix_sort.h"
#include "snapshot/spread.h"

namespace memtrace::snapshot {

namespace {

constexpr std::array<std::pair<std::string_view, GroupBy>, 10> kNames{{
    {"filename", GroupBy::filename},
    {"lineno", GroupBy::lineno},
    {"traceback", GroupBy::traceback},
    {"function", GroupBy::function},
    {"module", GroupBy::module},
    {"domain", GroupBy::domain},
    {"generation", GroupBy::generation},
    {"thread", GroupBy::thread},
    {"label", GroupBy::label},
    {"type", GroupBy::type},
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

bool is_frame_key(GroupBy group_by) noexcept { return group_by != GroupBy::traceback && !tag_of(group_by); }

std::optional<Tag> tag_of(GroupBy group_by) noexcept {
  switch (group_by) {
    case GroupBy::domain:
      return Tag::domain;
    case GroupBy::generation:
      return Tag::generation;
    case GroupBy::thread:
      return Tag::thread;
    case GroupBy::label:
      return Tag::label;
    case GroupBy::type:
      return Tag::type;
    default:
      return std::nullopt;
  }
}

std::vector<Frame> traceback_frames(const Dictionary& dictionary, GroupBy group_by, const Site& site) {
  if (group_by == GroupBy::filename) return {Frame{.filename = dictionary.frame(site.frame).filename}};
  if (group_by != GroupBy::traceback) return {dictionary.frame(site.frame)};
  std::vector<Frame> frames;
  for (const FrameId id : dictionary.frames_of(site.stack)) frames.push_back(dictionary.frame(id));
  return frames;
}

Statistics statistics(const Snapshot& snapshot, Grouping group_by, bool cumulative) {
  const auto stacks = snapshot.stacks();  // resolves, so the keys cover what this snapshot needs
  std::shared_ptr<const KeyTables> tables = snapshot.dictionary()->keys();
  std::vector<Group> groups =
      sum_groups(*snapshot.dictionary(), *tables, snapshot, snapshot.counters(), stacks, group_by, cumulative);
  add_spreads(groups, *snapshot.dictionary(), *tables, snapshot, stacks, group_by, cumulative);

  // Equal keys stay as they are, so the order begins with the last number.
  std::vector<std::uint32_t> order(groups.size());
  std::iota(order.rbegin(), order.rend(), 0u);
  sort_descending(order, [&](std::uint32_t i) { return groups[i].count; });
  sort_descending(order, [&](std::uint32_t i) { return groups[i].size; });

  Statistics result{group_by, cumulative, snapshot.counters().has_samples(), {}, snapshot.dictionary(), tables};
  result.items.reserve(order.size());
  for (const std::uint32_t i : order) {
    const Group& group = groups[i];
    result.items.push_back(
        {group.size, group.count, group.site, key_text(*snapshot.dictionary(), *tables, group_by, group.number),
         shown_number(group_by, group.number), joined_text(*snapshot.dictionary(), group_by, group.number),
         error_of(group.spread.bytes_variance), error_of(group.spread.count_variance)});
  }
  return result;
}

}  // namespace memtrace::snapshot
