#include "snapshot/group.h"

#include <numeric>
#include <stdexcept>
#include <vector>

#include "snapshot/radix_sort.h"

namespace memtrace::snapshot {

namespace {

struct Sum {
  std::uint64_t size = 0;
  std::uint64_t count = 0;

  Sum& operator+=(const Sum& other) noexcept {
    size += other.size;
    count += other.count;
    return *this;
  }
};

bool heavier(const Sum& a, const Sum& b) noexcept { return a.size != b.size ? a.size > b.size : a.count > b.count; }

std::vector<Sum> sums_by_stack(const KeyTables& tables, const Snapshot& snapshot, const Counters& counters,
                               std::span<const StackId> stacks) {
  std::vector<Sum> sums(tables.stack_count());
  for (const std::uint32_t row : snapshot.rows()) sums[stacks[row]] += {counters.size[row], counters.count[row]};
  return sums;
}

std::vector<Sum> sums_by_last_frame(const Dictionary& dictionary, const KeyTables& tables, const Snapshot& snapshot,
                                    const Counters& counters, std::span<const StackId> stacks) {
  std::vector<Sum> sums(tables.frame_count());
  for (const std::uint32_t row : snapshot.rows()) {
    sums[dictionary.stack(stacks[row]).frame] += {counters.size[row], counters.count[row]};
  }
  return sums;
}

// Adds to each stack what the stacks above it hold. Children have larger ids than their parent.
void make_inclusive(const Dictionary& dictionary, std::vector<Sum>& sums) {
  for (std::size_t id = sums.size(); id-- > 1;) {
    if (sums[id].count != 0) sums[dictionary.stack(static_cast<StackId>(id)).parent] += sums[id];
  }
}

std::vector<Sum> sums_by_every_frame(const Dictionary& dictionary, const KeyTables& tables,
                                     const std::vector<Sum>& inclusive) {
  std::vector<Sum> sums(tables.frame_count());
  for (std::size_t id = 1; id < inclusive.size(); ++id) {
    sums[dictionary.stack(static_cast<StackId>(id)).frame] += inclusive[id];
  }
  return sums;
}

// Ids in preorder of the tree of stacks, and how many stacks each subtree has.
struct Preorder {
  std::vector<StackId> order;
  std::vector<std::uint32_t> subtree;
};

Preorder preorder_of(const Dictionary& dictionary, std::size_t count) {
  Preorder result{std::vector<StackId>(count), std::vector<std::uint32_t>(count, 1)};
  const auto parent = [&](std::size_t id) { return dictionary.stack(static_cast<StackId>(id)).parent; };
  for (std::size_t id = count; id-- > 1;) result.subtree[parent(id)] += result.subtree[id];
  std::vector<std::uint32_t> next(count, 1);  // where the next child goes
  result.order[0] = kEmptyStack;
  for (std::size_t id = 1; id < count; ++id) {
    std::uint32_t& place = next[parent(id)];
    result.order[place] = static_cast<StackId>(id);
    next[id] = place + 1;
    place += result.subtree[id];
  }
  return result;
}

// As sums_by_every_frame, but of the frames of one group in a traceback only the oldest counts. In preorder the stacks
// below a frame of a group are an interval, so whether one of its ancestors is of the same group is a comparison with
// the end of the group's latest interval.
std::vector<Sum> sums_by_oldest_frame_of_group(const Dictionary& dictionary, const KeyTables& tables,
                                               const FrameGroups& groups, const std::vector<Sum>& inclusive) {
  std::vector<Sum> sums(tables.frame_count());
  std::vector<std::uint32_t> interval_end(groups.count, 0);
  const Preorder preorder = preorder_of(dictionary, inclusive.size());
  for (std::uint32_t at = 1; at < preorder.order.size(); ++at) {
    const StackId id = preorder.order[at];
    const FrameId frame = dictionary.stack(id).frame;
    std::uint32_t& end = interval_end[groups.of_frame[frame]];
    if (at < end) continue;
    end = at + preorder.subtree[id];
    sums[frame] += inclusive[id];
  }
  return sums;
}

// Sums of finer groups with their sites, gathered into coarser ones: the heaviest part gives the site, the first of
// equally heavy ones. part(i) is a Group, for i below group_of.size().
template <class Part>
std::vector<Group> gather(Part&& part, std::span<const std::uint32_t> group_of, std::size_t count) {
  std::vector<Group> groups(count);
  std::vector<Sum> best(count);
  for (std::size_t i = 0; i < group_of.size(); ++i) {
    const Group& added = part(i);
    if (added.count == 0) continue;
    Group& group = groups[group_of[i]];
    const Sum sum{added.size, added.count};
    if (group.count == 0 || heavier(sum, best[group_of[i]])) {
      best[group_of[i]] = sum;
      group.site = added.site;
    }
    group.number = group_of[i];
    group.size += added.size;
    group.count += added.count;
  }
  return groups;
}

void drop_empty(std::vector<Group>& groups) {
  std::erase_if(groups, [](const Group& group) { return group.count == 0; });
}

// Frames of one group and one line, as groups of their own: the candidates for the group's site.
struct Candidates {
  std::vector<std::uint32_t> of_frame;
  std::vector<std::uint32_t> group_of;  // by candidate
};

Candidates candidates_of(const FrameGroups& groups, const FrameGroups& lines) {
  std::vector<FrameId> order(lines.of_frame.size());
  std::iota(order.begin(), order.end(), FrameId{0});
  order = counting_sort(order, lines.count, [&](FrameId id) { return lines.of_frame[id]; });
  order = counting_sort(order, groups.count, [&](FrameId id) { return groups.of_frame[id]; });
  Candidates candidates{std::vector<std::uint32_t>(order.size()), {}};
  for (std::size_t i = 0; i < order.size(); ++i) {
    const std::uint32_t group = groups.of_frame[order[i]];
    const bool same =
        i > 0 && group == groups.of_frame[order[i - 1]] && lines.of_frame[order[i]] == lines.of_frame[order[i - 1]];
    if (!same) candidates.group_of.push_back(group);
    candidates.of_frame[order[i]] = static_cast<std::uint32_t>(candidates.group_of.size() - 1);
  }
  return candidates;
}

std::vector<Group> groups_of_frames(const KeyTables& tables, const std::vector<Sum>& by_frame, GroupBy group_by) {
  const auto frame = [&](std::size_t id) {
    return Group{0, by_frame[id].size, by_frame[id].count, {kEmptyStack, static_cast<FrameId>(id)}};
  };
  const FrameGroups& groups = frame_groups(tables, group_by);
  if (group_by == GroupBy::lineno || group_by == GroupBy::filename) return gather(frame, groups.of_frame, groups.count);

  const Candidates candidates = candidates_of(groups, tables.lines());
  const std::vector<Group> sites = gather(frame, candidates.of_frame, candidates.group_of.size());
  return gather([&](std::size_t i) { return sites[i]; }, candidates.group_of, groups.count);
}

// Rows sorted by (group, part) are runs of groups, made of runs of parts; the heaviest part gives the site.
template <class GroupOf, class PartOf, class SiteOf>
std::vector<Group> groups_of_rows(const Snapshot& snapshot, const Counters& counters, GroupOf&& group_of,
                                  PartOf&& part_of, SiteOf&& site_of) {
  std::vector<Keyed> rows;
  rows.reserve(snapshot.rows().size());
  for (const std::uint32_t row : snapshot.rows())
    if (counters.count[row] != 0) rows.push_back({part_of(row), row});
  radix_sort(rows);
  for (Keyed& row : rows) row.key = group_of(row.value);
  radix_sort(rows);

  std::vector<Group> groups;
  Sum best;
  for (std::size_t i = 0; i < rows.size();) {
    const std::uint64_t number = rows[i].key;
    const std::uint32_t row = rows[i].value;
    const std::uint32_t part = part_of(row);
    Sum sum;
    for (; i < rows.size() && rows[i].key == number && part_of(rows[i].value) == part; ++i) {
      sum += {counters.size[rows[i].value], counters.count[rows[i].value]};
    }
    if (groups.empty() || groups.back().number != number) {
      groups.push_back({number, sum.size, sum.count, site_of(row)});
      best = sum;
      continue;
    }
    if (heavier(sum, best)) {
      groups.back().site = site_of(row);
      best = sum;
    }
    groups.back().size += sum.size;
    groups.back().count += sum.count;
  }
  return groups;
}

std::vector<Group> groups_of_stacks(const KeyTables& tables, const Snapshot& snapshot, const Counters& counters,
                                    std::span<const StackId> stacks) {
  const PathGroups& paths = tables.paths();
  return groups_of_rows(
      snapshot, counters, [&](std::uint32_t row) { return paths.of_stack[stacks[row]]; },
      [&](std::uint32_t row) { return stacks[row]; },
      [&](std::uint32_t row) { return Site{stacks[row], kUnknownFrame}; });
}

// Groups of a number, or of a number and a key of frames.
std::vector<Group> groups_of_numbers(const Dictionary& dictionary, const KeyTables& tables, const Snapshot& snapshot,
                                     const Counters& counters, std::span<const StackId> stacks, Grouping group_by) {
  const FrameGroups* frames = group_by.joined ? &frame_groups(tables, group_by.by) : nullptr;
  const FrameGroups& lines = tables.lines();
  const std::span<const ResolvedRecord> keys = snapshot.keys();
  const Tag tag = *group_by.tag();
  const auto frame_of = [&](std::uint32_t row) { return dictionary.stack(stacks[row]).frame; };
  return groups_of_rows(
      snapshot, counters,
      [&](std::uint32_t row) {
        const std::uint64_t upper = frames == nullptr ? 0 : frames->of_frame[frame_of(row)];
        return upper << 32 | keys[row].number(tag);
      },
      [&](std::uint32_t row) { return lines.of_frame[frame_of(row)]; },
      [&](std::uint32_t row) { return Site{kEmptyStack, frame_of(row)}; });
}

}  // namespace

StackDetail detail_of(GroupBy group_by, bool cumulative) noexcept {
  return cumulative || group_by == GroupBy::traceback ? StackDetail::all_frames : StackDetail::most_recent_frame;
}

const FrameGroups& frame_groups(const KeyTables& tables, GroupBy group_by) {
  switch (group_by) {
    case GroupBy::filename:
      return tables.filenames();
    case GroupBy::function:
      return tables.functions();
    case GroupBy::module:
      return tables.modules();
    case GroupBy::lineno:
      return tables.lines();
    default:
      throw std::invalid_argument("not a key of frames");
  }
}

std::string_view key_text(const Dictionary& dictionary, const KeyTables& tables, Grouping group_by,
                          std::uint64_t number) {
  if (const auto tag = tag_of(group_by.by)) return dictionary.tag_name(*tag, static_cast<std::uint32_t>(number));
  if (group_by.by != GroupBy::function && group_by.by != GroupBy::module) return {};
  return frame_groups(tables, group_by.by).names[group_by.joined ? number >> 32 : number];
}

std::string_view joined_text(const Dictionary& dictionary, Grouping group_by, std::uint64_t number) {
  if (!group_by.joined) return {};
  return dictionary.tag_name(*group_by.joined, static_cast<std::uint32_t>(number));
}

std::uint32_t shown_number(Grouping group_by, std::uint64_t number) noexcept {
  return group_by.tag() ? static_cast<std::uint32_t>(number) : 0;
}

void check_grouping(Grouping group_by, bool cumulative) {
  if (group_by.joined && !is_frame_key(group_by.by)) throw std::invalid_argument("only a key of frames can be joined");
  if (cumulative && (group_by.joined || !is_frame_key(group_by.by)))
    throw std::invalid_argument("cumulative mode needs a key of frames");
}

std::vector<Group> sum_groups(const Dictionary& dictionary, const KeyTables& tables, const Snapshot& snapshot,
                              const Counters& counters, std::span<const StackId> stacks, Grouping group_by,
                              bool cumulative) {
  check_grouping(group_by, cumulative);
  if (group_by.tag()) return groups_of_numbers(dictionary, tables, snapshot, counters, stacks, group_by);
  const GroupBy key = group_by.by;
  if (key == GroupBy::traceback) return groups_of_stacks(tables, snapshot, counters, stacks);
  std::vector<Sum> by_frame;
  if (cumulative) {
    std::vector<Sum> inclusive = sums_by_stack(tables, snapshot, counters, stacks);
    make_inclusive(dictionary, inclusive);
    const bool once_per_traceback = key == GroupBy::function || key == GroupBy::module;
    by_frame = once_per_traceback
                   ? sums_by_oldest_frame_of_group(dictionary, tables, frame_groups(tables, key), inclusive)
                   : sums_by_every_frame(dictionary, tables, inclusive);
  } else {
    by_frame = sums_by_last_frame(dictionary, tables, snapshot, counters, stacks);
  }
  std::vector<Group> groups = groups_of_frames(tables, by_frame, key);
  drop_empty(groups);
  return groups;
}

}  // namespace memtrace::snapshot
