#include "snapshot/compare.h"

#include "snapshot/group.h"
#include "snapshot/radix_sort.h"

namespace memtrace::snapshot {

namespace {

std::uint64_t magnitude(std::int64_t value) noexcept {
  const auto bits = static_cast<std::uint64_t>(value);
  return value < 0 ? 0 - bits : bits;
}

// Largest first by (|size_diff|, size, |count_diff|, count, number); the numbers are given in falling order.
void sort_differences(std::vector<std::uint32_t>& order, const std::vector<StatisticDiff>& items) {
  sort_descending(order, [&](std::uint32_t i) { return items[i].count; });
  sort_descending(order, [&](std::uint32_t i) { return magnitude(items[i].count_diff); });
  sort_descending(order, [&](std::uint32_t i) { return items[i].size; });
  sort_descending(order, [&](std::uint32_t i) { return magnitude(items[i].size_diff); });
}

}  // namespace

Comparison compare(const Snapshot& current, const Snapshot& old, GroupBy group_by, bool cumulative) {
  current.stacks();  // both resolve before the keys are asked for
  old.stacks();
  const CommonStacks common = common_stacks(current, old, detail_of(group_by, cumulative));
  const Dictionary& dictionary = *common.dictionary;
  const std::shared_ptr<const KeyTables> tables = dictionary.keys();
  const std::vector<Group> now = sum_groups(dictionary, *tables, current, common.first, group_by, cumulative);
  const std::vector<Group> before = sum_groups(dictionary, *tables, old, common.second, group_by, cumulative);

  std::vector<StatisticDiff> items;
  for (std::size_t number = now.size(); number-- > 0;) {
    const Group& a = now[number];
    const Group& b = before[number];
    if (a.count == 0 && b.count == 0) continue;
    items.push_back({a.size, static_cast<std::int64_t>(a.size - b.size), a.count,
                     static_cast<std::int64_t>(a.count - b.count), a.count != 0 ? a.site : b.site,
                     key_text(*tables, group_by, static_cast<std::uint32_t>(number))});
  }
  std::vector<std::uint32_t> order(items.size());
  for (std::uint32_t i = 0; i < order.size(); ++i) order[i] = i;
  sort_differences(order, items);

  Comparison result{group_by, cumulative, {}, common.dictionary, tables};
  result.items.reserve(items.size());
  for (const std::uint32_t i : order) result.items.push_back(items[i]);
  return result;
}

}  // namespace memtrace::snapshot
