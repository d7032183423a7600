#include "snapshot/flat_rows.h"

#include <span>
#include <utility>

#include "snapshot/churn.h"
#include "snapshot/common_stacks.h"
#include "snapshot/row_sums.h"

namespace memtrace::snapshot {

FlatRows flatten(const Snapshot& snapshot) {
  const Churn* churn = snapshot.churn() == nullptr ? nullptr : &snapshot.churn()->get();
  snapshot.stacks();  // resolves, before anything is copied of the Dictionary
  if (churn != nullptr) churn->allocated.stacks();

  auto dictionary = std::make_shared<Dictionary>();
  Importer importer(*snapshot.dictionary(), *dictionary);
  RowNumbers rows;
  CounterSums live, allocated, freed, temporary;
  std::vector<Spread> spread;
  const Counters& counters = snapshot.counters();
  // The stack in the place of the traceback: rows that differ in their total_nframe alone are one.
  const auto row_of = [&](const ResolvedRecord& key, StackId stack) {
    ResolvedRecord flat = key;
    flat.traceback = stack;
    if (key.type != 0) flat.type = importer.string(key.type);
    return rows.of(flat);
  };

  const std::vector<StackId> stacks = importer.stacks(snapshot, StackDetail::all_frames);
  for (const std::uint32_t row : snapshot.rows()) {
    if (counters.count[row] == 0) continue;
    const std::uint32_t flat = row_of(snapshot.keys()[row], stacks[row]);
    live.add(flat, counters.count[row], counters.size[row]);
    if (!counters.has_samples()) continue;
    spread.resize(rows.count());
    spread[flat] += counters.spread[row];
  }
  if (churn != nullptr) {
    const std::vector<StackId> churn_stacks = importer.stacks(churn->allocated, StackDetail::all_frames);
    for (const std::uint32_t row : churn->allocated.rows()) {
      const std::uint32_t flat = row_of(churn->allocated.keys()[row], churn_stacks[row]);
      const auto add = [&](CounterSums& to, const Counters& from) { to.add(flat, from.count[row], from.size[row]); };
      add(allocated, churn->allocated.counters());
      add(freed, churn->ended->freed);
      add(temporary, churn->ended->temporary);
    }
  }

  const std::size_t count = rows.count();
  FlatRows result{std::move(dictionary), rows.take_keys(), live.take(count), {}, {}, {}};
  if (counters.has_samples()) {
    spread.resize(count);
    result.live.spread = std::move(spread);
  }
  if (churn != nullptr) {
    result.allocated = allocated.take(count);
    result.freed = freed.take(count);
    result.temporary = temporary.take(count);
  }
  return result;
}

}  // namespace memtrace::snapshot
