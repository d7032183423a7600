#include "snapshot/compare.h"

#include <algorithm>
#include <numeric>
#include <string>
#include <utility>

#include "snapshot/filter.h"
#include "snapshot/group.h"
#include "snapshot/radix_sort.h"
#include "snapshot/spread.h"

namespace memtrace::snapshot {

namespace {

std::uint64_t magnitude(std::int64_t value) noexcept {
  const auto bits = static_cast<std::uint64_t>(value);
  return value < 0 ? 0 - bits : bits;
}

// Of one group in both snapshots; one of them may lack it.
StatisticDiff difference(const Group* now, const Group* before) noexcept {
  static constexpr Group kNone;
  const Group& a = now != nullptr ? *now : kNone;
  const Group& b = before != nullptr ? *before : kNone;
  return {a.size,
          static_cast<std::int64_t>(a.size - b.size),
          a.count,
          static_cast<std::int64_t>(a.count - b.count),
          0,
          0,
          now != nullptr ? a.site : b.site,
          {},
          0,
          {},
          error_of(a.spread.bytes_variance),
          error_of(a.spread.count_variance),
          error_of(a.spread.bytes_variance + b.spread.bytes_variance),
          error_of(a.spread.count_variance + b.spread.count_variance)};
}

// The same samples are in both snapshots: they add nothing to the differences, nor to what is unknown of them.
void leave_out_survivors(StatisticDiff& item, const Group* now, const Group* before, const Group& survivor) noexcept {
  const auto rest = [&](double Spread::* variance) {
    const double sum =
        (now != nullptr ? now->spread.*variance : 0) + (before != nullptr ? before->spread.*variance : 0);
    return error_of(sum - 2 * survivor.spread.*variance);
  };
  item.size_diff_error = rest(&Spread::bytes_variance);
  item.count_diff_error = rest(&Spread::count_variance);
}

// Largest first by (|size_diff|, size, |count_diff|, count, number); the numbers are given in falling order.
void sort_differences(std::vector<std::uint32_t>& order, const std::vector<StatisticDiff>& items) {
  sort_descending(order, [&](std::uint32_t i) { return items[i].count; });
  sort_descending(order, [&](std::uint32_t i) { return magnitude(items[i].count_diff); });
  sort_descending(order, [&](std::uint32_t i) { return items[i].size; });
  sort_descending(order, [&](std::uint32_t i) { return magnitude(items[i].size_diff); });
}

// Gives `common` the names that `own` has for the groups' numbers. What numbers a run gave to its labels, threads and types
// says nothing in another: these are numbered by their names.
void use_names(std::vector<Group>& groups, Tag tag, const Dictionary& own, Dictionary& common) {
  const bool by_name = tag == Tag::label || tag == Tag::thread || tag == Tag::type;
  for (Group& group : groups) {
    auto number = static_cast<std::uint32_t>(group.number);  // the upper half is the frame's
    std::string name(own.tag_name(tag, number));
    if (name.empty() && by_name) name = std::to_string(number);
    if (name.empty()) continue;
    if (by_name) {
      group.number -= number;
      number = common.intern_string(name);
      group.number += number;
    }
    common.set_tag_name(tag, number, name);
  }
  std::sort(groups.begin(), groups.end(), [](const Group& a, const Group& b) { return a.number < b.number; });
  // Threads of one run may have the same name and id, one after the other.
  std::vector<Group> merged;
  for (const Group& group : groups) {
    if (merged.empty() || merged.back().number != group.number) {
      merged.push_back(group);
      continue;
    }
    if (group.size > merged.back().size) merged.back().site = group.site;
    merged.back().size += group.size;
    merged.back().count += group.count;
    merged.back().spread += group.spread;
  }
  groups = std::move(merged);
}

}  // namespace

Comparison compare(const Snapshot& current, const Snapshot& old, Grouping group_by, bool cumulative) {
  current.stacks();  // both resolve before the keys are asked for
  old.stacks();
  const CommonStacks common = common_stacks(current, old, detail_of(group_by.by, cumulative));
  Dictionary& dictionary = *common.dictionary;
  const std::shared_ptr<const KeyTables> tables = dictionary.keys();
  std::vector<Group> now =
      sum_groups(dictionary, *tables, current, current.counters(), common.first, group_by, cumulative);
  std::vector<Group> before = sum_groups(dictionary, *tables, old, old.counters(), common.second, group_by, cumulative);
  add_spreads(now, dictionary, *tables, current, common.first, group_by, cumulative);
  add_spreads(before, dictionary, *tables, old, common.second, group_by, cumulative);

  // What is of a generation before the one that began with the old snapshot was there then.
  const bool knows_survivors = old.mark() != 0 && old.dictionary()->origin() == current.dictionary()->origin();
  std::vector<Group> survivors;
  if (knows_survivors) {
    const Snapshot older = select_generations(current, 0, old.mark());
    survivors = sum_groups(dictionary, *tables, older, older.counters(), common.first, group_by, cumulative);
    add_spreads(survivors, dictionary, *tables, older, common.first, group_by, cumulative);
  }
  if (const auto tag = group_by.tag(); tag && current.dictionary() != old.dictionary()) {
    use_names(before, *tag, *old.dictionary(), dictionary);
    use_names(now, *tag, *current.dictionary(), dictionary);  // the names that hold
    use_names(survivors, *tag, *current.dictionary(), dictionary);
  }

  // Merged from the last number down: equal keys stay in this order when sorted.
  std::vector<StatisticDiff> items;
  items.reserve(std::max(now.size(), before.size()));
  auto a = now.rbegin();
  auto b = before.rbegin();
  auto survivor = survivors.rbegin();
  while (a != now.rend() || b != before.rend()) {
    const bool take_new = b == before.rend() || (a != now.rend() && a->number >= b->number);
    const bool take_old = a == now.rend() || (b != before.rend() && b->number >= a->number);
    items.push_back(difference(take_new ? &*a : nullptr, take_old ? &*b : nullptr));
    const std::uint64_t number = take_new ? a->number : b->number;
    items.back().key = key_text(dictionary, *tables, group_by, number);
    items.back().number = shown_number(group_by, number);
    items.back().joined = joined_text(dictionary, group_by, number);
    if (survivor != survivors.rend() && survivor->number == number) {
      items.back().survived_size = survivor->size;
      items.back().survived_count = survivor->count;
      leave_out_survivors(items.back(), take_new ? &*a : nullptr, take_old ? &*b : nullptr, *survivor);
      ++survivor;
    }
    if (take_new) ++a;
    if (take_old) ++b;
  }
  std::vector<std::uint32_t> order(items.size());
  std::iota(order.begin(), order.end(), 0u);
  sort_differences(order, items);

  const bool has_errors = current.counters().has_samples() || old.counters().has_samples();
  Comparison result{group_by, cumulative, knows_survivors, has_errors, {}, common.dictionary, tables};
  result.items.reserve(items.size());
  for (const std::uint32_t i : order) result.items.push_back(items[i]);
  return result;
}

}  // namespace memtrace::snapshot
