#include "snapshot/spread.h"

#include <algorithm>
#include <cmath>

namespace memtrace::snapshot {

namespace {

// Calls add(number, times) for each group that the row counts in.
template <class Add>
void for_each_group_of(std::uint32_t row, const Dictionary& dictionary, const KeyTables& tables,
                       const Snapshot& snapshot, StackId stack, Grouping group_by, bool cumulative, Add&& add) {
  if (const auto tag = group_by.tag()) {
    const std::uint64_t frame =
        group_by.joined ? frame_groups(tables, group_by.by).of_frame[dictionary.stack(stack).frame] : 0;
    return add(frame << 32 | snapshot.keys()[row].number(*tag), 1);
  }
  if (group_by.by == GroupBy::traceback) return add(tables.paths().of_stack[stack], 1);
  const std::vector<std::uint32_t>& group_of = frame_groups(tables, group_by.by).of_frame;
  if (!cumulative) return add(group_of[dictionary.stack(stack).frame], 1);
  std::vector<std::uint32_t> numbers;
  for (; stack != kEmptyStack; stack = dictionary.stack(stack).parent)
    numbers.push_back(group_of[dictionary.stack(stack).frame]);
  std::sort(numbers.begin(), numbers.end());
  const bool once = group_by.by == GroupBy::function || group_by.by == GroupBy::module;
  for (auto first = numbers.begin(); first != numbers.end();) {
    const auto end = std::upper_bound(first, numbers.end(), *first);
    add(*first, once ? 1 : static_cast<double>(end - first));
    first = end;
  }
}

}  // namespace

void add_spreads(std::vector<Group>& groups, const Dictionary& dictionary, const KeyTables& tables,
                 const Snapshot& snapshot, std::span<const StackId> stacks, Grouping group_by, bool cumulative) {
  const Counters& counters = snapshot.counters();
  if (!counters.has_samples()) return;
  for (const std::uint32_t row : snapshot.rows()) {
    if (counters.count[row] == 0) continue;
    const Spread& spread = counters.spread[row];
    const auto add = [&](std::uint64_t number, double times) {
      const auto by_number = [](const Group& group, std::uint64_t wanted) { return group.number < wanted; };
      const auto group = std::lower_bound(groups.begin(), groups.end(), number, by_number);
      if (group == groups.end() || group->number != number) return;
      group->spread +=
          {times * spread.count, times * times * spread.count_variance, times * times * spread.bytes_variance};
    };
    for_each_group_of(row, dictionary, tables, snapshot, stacks[row], group_by, cumulative, add);
  }
  for (Group& group : groups) group.count = rounded(group.spread.count);
}

double error_of(double variance) noexcept { return std::sqrt(std::max(variance, 0.0)); }

}  // namespace memtrace::snapshot
