#include "snapshot/churn.h"

#include <algorithm>
#include <numeric>
#include <stdexcept>
#include <unordered_map>
#include <utility>

#include "snapshot/common_stacks.h"
#include "snapshot/group.h"
#include "snapshot/radix_sort.h"
#include "src/base/hash.h"

namespace memtrace::snapshot {

const Churn& LazyChurn::get() const {
  const std::lock_guard lock(mutex_);
  if (!churn_) {
    const Churn& whole = whole_->get();
    churn_ = Churn{select_(whole.allocated), whole.ended, whole.microseconds};
    whole_.reset();
    select_ = nullptr;
  }
  return *churn_;
}

Snapshot with_churn_of(const Snapshot& whole, Snapshot selected, LazyChurn::Select select) {
  if (whole.churn() == nullptr) return selected;
  return selected.with_churn(std::make_shared<const LazyChurn>(whole.churn(), std::move(select)));
}

namespace {

// What a row is known by in both of two churns.
struct Identity {
  StackId stack = kEmptyStack;  // of the common dictionary
  std::int32_t total_nframe = 0;
  std::uint32_t domain = 0, generation = 0, thread = 0, label = 0;

  friend bool operator==(const Identity&, const Identity&) = default;
};

struct HashIdentity {
  std::size_t operator()(const Identity& identity) const noexcept { return hash64(&identity, sizeof identity); }
};

Identity identity_of(const Snapshot& snapshot, std::span<const StackId> stacks, std::uint32_t row) {
  const ResolvedRecord& key = snapshot.keys()[row];
  return {stacks[row], snapshot.dictionary()->traceback(key.traceback).total_nframe,
          key.domain,  key.generation,
          key.thread,  key.label};
}

// What one churn knows of a row, or of several with the same identity.
struct Amounts {
  ResolvedRecord key;
  ChurnStatistic::Amount allocated, freed, temporary;
};

void add(ChurnStatistic::Amount& to, const Counters& from, std::uint32_t row) noexcept {
  to.count += from.count[row];
  to.size += from.size[row];
}

void append_rest(Counters& to, const ChurnStatistic::Amount& now, const ChurnStatistic::Amount& before) {
  to.count.push_back(now.count - std::min(now.count, before.count));
  to.size.push_back(now.size - std::min(now.size, before.size));
}

using AmountsByIdentity = std::unordered_map<Identity, Amounts, HashIdentity>;

AmountsByIdentity sum_rows(const Churn& churn, std::span<const StackId> stacks) {
  AmountsByIdentity sums;
  for (const std::uint32_t row : churn.allocated.rows()) {
    Amounts& amounts = sums[identity_of(churn.allocated, stacks, row)];
    amounts.key = churn.allocated.keys()[row];
    add(amounts.allocated, churn.allocated.counters(), row);
    add(amounts.freed, churn.ended->freed, row);
    add(amounts.temporary, churn.ended->temporary, row);
  }
  return sums;
}

struct Merged {
  std::uint64_t number = 0;  // as Group's
  ChurnStatistic item;
};

// Both in rising order of number.
std::vector<Merged> merge(const std::vector<Merged>& items, const std::vector<Group>& groups,
                          ChurnStatistic::Amount ChurnStatistic::* part) {
  std::vector<Merged> merged;
  merged.reserve(std::max(items.size(), groups.size()));
  auto item = items.begin();
  for (const Group& group : groups) {
    while (item != items.end() && item->number < group.number) merged.push_back(*item++);
    if (item != items.end() && item->number == group.number) {
      merged.push_back(*item++);
    } else {
      merged.push_back({group.number, {}});
      merged.back().item.site = group.site;
    }
    merged.back().item.*part = {group.count, group.size};
  }
  merged.insert(merged.end(), item, items.end());
  return merged;
}

}  // namespace

Churn subtract(const Churn& now, const Churn& before) {
  if (now.allocated.dictionary()->origin() != before.allocated.dictionary()->origin() ||
      now.microseconds < before.microseconds)
    throw std::invalid_argument("since must be an earlier snapshot of the same trace");
  const Snapshot& allocated = now.allocated;
  const CommonStacks common = common_stacks(allocated, before.allocated, StackDetail::all_frames);

  const AmountsByIdentity earlier = sum_rows(before, common.second);
  std::vector<ResolvedRecord> keys;
  Counters more;
  auto ended = std::make_shared<Churn::Ended>();
  for (const auto& [identity, amounts] : sum_rows(now, common.first)) {
    const auto found = earlier.find(identity);
    const Amounts less = found == earlier.end() ? Amounts{} : found->second;
    keys.push_back(amounts.key);
    append_rest(more, amounts.allocated, less.allocated);
    append_rest(ended->freed, amounts.freed, less.freed);
    append_rest(ended->temporary, amounts.temporary, less.temporary);
  }
  return {Snapshot::resolved(allocated.dictionary(), std::move(keys), std::move(more), std::nullopt,
                             allocated.traceback_limit(), allocated.dropped()),
          std::move(ended), now.microseconds - before.microseconds};
}

ChurnStatistics churn_statistics(const Churn& churn, Grouping group_by, bool cumulative) {
  const Snapshot& snapshot = churn.allocated;
  const auto stacks = snapshot.stacks();  // resolves, so the keys cover what is needed
  const Dictionary& dictionary = *snapshot.dictionary();
  std::shared_ptr<const KeyTables> tables = dictionary.keys();
  const auto groups = [&](const Counters& counters) {
    return sum_groups(dictionary, *tables, snapshot, counters, stacks, group_by, cumulative);
  };
  std::vector<Merged> merged = merge({}, groups(snapshot.counters()), &ChurnStatistic::allocated);
  merged = merge(merged, groups(churn.ended->freed), &ChurnStatistic::freed);
  merged = merge(merged, groups(churn.ended->temporary), &ChurnStatistic::temporary);

  // Equal ones stay in rising order of key.
  std::vector<std::uint32_t> order(merged.size());
  std::iota(order.begin(), order.end(), 0u);
  sort_descending(order, [&](std::uint32_t i) { return merged[i].item.allocated.count; });
  sort_descending(order, [&](std::uint32_t i) { return merged[i].item.allocated.size; });
  ChurnStatistics result{{}, snapshot.dictionary(), tables};
  result.items.reserve(order.size());
  for (const std::uint32_t i : order) {
    auto& [number, item] = merged[i];
    item.key = key_text(dictionary, *tables, group_by, number);
    item.number = shown_number(group_by, number);
    item.joined = joined_text(dictionary, group_by, number);
    result.items.push_back(item);
  }
  return result;
}

}  // namespace memtrace::snapshot
