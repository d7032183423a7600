#include "snapshot/churn.h"

#include <catch2/catch_test_macros.hpp>
#include <map>
#include <memory>
#include <stdexcept>
#include <tuple>
#include <utility>
#include <vector>

#include "snapshot/filter.h"
#include "snapshot/format.h"
#include "tests/core/snapshot/model.h"

using namespace memtrace::snapshot;

namespace {

// Rows of random traces, each with three amounts.
struct Trace {
  std::shared_ptr<Dictionary> dictionary = std::make_shared<Dictionary>();
  std::vector<ResolvedRecord> keys;
  Counters allocated, freed, temporary;

  explicit Trace(model::Random& random) {
    for (const model::Trace& trace : random.traces(1 + random.below(60))) {
      keys.push_back({.traceback = model::intern(*dictionary, trace),
                      .domain = trace.domain,
                      .generation = random.below(3),
                      .label = random.below(3)});
      for (Counters* counters : {&allocated, &freed, &temporary}) {
        counters->count.push_back(0);
        counters->size.push_back(0);
      }
    }
  }

  void go_on(model::Random& random) {
    for (std::size_t row = 0; row < keys.size(); ++row) {
      if (random.chance(2)) continue;
      for (Counters* counters : {&allocated, &freed, &temporary}) {
        if (random.chance(3)) continue;
        counters->count[row] += 1 + random.below(5);
        counters->size[row] += random.below(1000);
      }
    }
  }

  Churn churn(std::uint64_t microseconds) const {
    return {Snapshot::resolved(dictionary, keys, allocated, std::nullopt, 25),
            std::make_shared<Churn::Ended>(Churn::Ended{freed, temporary}), microseconds};
  }
  Snapshot snapshot(std::uint64_t microseconds) const {
    return Snapshot::resolved(dictionary, {}, {}, std::nullopt, 25)
        .with_churn(std::make_shared<LazyChurn>(churn(microseconds)));
  }
  // A snapshot with these amounts for blocks.
  Snapshot holding(const Counters& counters) const {
    return Snapshot::resolved(dictionary, keys, counters, std::nullopt, 25);
  }
};

Counters difference(const Counters& now, const Counters& before) {
  Counters more = now;
  for (std::size_t row = 0; row < more.count.size(); ++row) {
    more.count[row] -= before.count[row];
    more.size[row] -= before.size[row];
  }
  return more;
}

// By group: blocks and bytes.
using Sums = std::map<std::pair<model::Places, std::string>, std::pair<std::uint64_t, std::uint64_t>>;

// What tells a group from others: for a function or module the site may be any of its places.
std::pair<model::Places, std::string> identity(GroupBy group_by, model::Places places, std::string key) {
  const bool has_text = group_by == GroupBy::function || group_by == GroupBy::module || tag_of(group_by);
  return {has_text ? model::Places{} : std::move(places), std::move(key)};
}

Sums sums_of(const Statistics& statistics) {
  Sums sums;
  for (const model::Statistic& group : model::plain(statistics))
    sums[identity(statistics.group_by.by, group.traceback, group.key)] = {group.count, group.size};
  return sums;
}

Sums sums_of(const ChurnStatistics& churn, GroupBy group_by, ChurnStatistic::Amount ChurnStatistic::* part) {
  Sums sums;
  for (const ChurnStatistic& group : churn.items) {
    const ChurnStatistic::Amount& amount = group.*part;
    if (amount.count == 0) continue;
    const model::Places places = model::places_of(*churn.dictionary, group_by, group.site);
    sums[identity(group_by, places, model::key_text(group_by, group))] = {amount.count, amount.size};
  }
  return sums;
}

}  // namespace

TEST_CASE("churn by group is the sums of its rows, since the begin and since an earlier snapshot, also from files") {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    INFO("seed " << seed);
    model::Random random(seed);
    Trace trace(random);
    trace.go_on(random);
    const Trace earlier = trace;
    trace.go_on(random);
    const Snapshot before = earlier.snapshot(10), now = trace.snapshot(25);
    const Snapshot before_read = from_bytes(to_bytes(before)), now_read = from_bytes(to_bytes(now));

    for (const auto& [a, b] : {std::pair(now, before), std::pair(now_read, before_read), std::pair(now, before_read)}) {
      const Churn more = subtract(a.churn()->get(), b.churn()->get());
      CHECK(more.microseconds == 15);
      for (const GroupBy group_by : model::kEveryKey) {
        for (const bool cumulative : {false, is_frame_key(group_by)}) {
          INFO(name_of(group_by) << ", cumulative " << cumulative);
          using Part = std::tuple<ChurnStatistic::Amount ChurnStatistic::*, const Counters&, const Counters&>;
          for (const auto& [part, late, early] :
               {Part{&ChurnStatistic::allocated, trace.allocated, earlier.allocated},
                Part{&ChurnStatistic::freed, trace.freed, earlier.freed},
                Part{&ChurnStatistic::temporary, trace.temporary, earlier.temporary}}) {
            REQUIRE(sums_of(churn_statistics(a.churn()->get(), group_by, cumulative), group_by, part) ==
                    sums_of(statistics(trace.holding(late), group_by, cumulative)));
            REQUIRE(sums_of(churn_statistics(more, group_by, cumulative), group_by, part) ==
                    sums_of(statistics(trace.holding(difference(late, early)), group_by, cumulative)));
          }
        }
      }
    }
  }
}

TEST_CASE("what is selected of a snapshot is selected of its churn, when somebody asks") {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    INFO("seed " << seed);
    model::Random random(seed);
    Trace trace(random);
    trace.go_on(random);
    const std::vector<AnyFilter> filters{random.filter(), random.filter()};
    const Snapshot selected = select_generations(filter_traces(trace.snapshot(1), filters), 1, 3);
    const Snapshot expected = select_generations(filter_traces(trace.holding(trace.freed), filters), 1, 3);
    for (const Snapshot& snapshot : {selected, from_bytes(to_bytes(selected))})
      REQUIRE(sums_of(churn_statistics(snapshot.churn()->get(), GroupBy::traceback), GroupBy::traceback,
                      &ChurnStatistic::freed) == sums_of(statistics(expected, GroupBy::traceback)));
  }
}

TEST_CASE("groups come with the largest first") {
  model::Random random(3);
  Trace trace(random);
  trace.go_on(random);
  const ChurnStatistics churn = churn_statistics(trace.churn(1), GroupBy::lineno);
  REQUIRE(churn.items.size() > 5);
  for (std::size_t i = 1; i < churn.items.size(); ++i)
    CHECK(churn.items[i - 1].allocated.size >= churn.items[i].allocated.size);
}

TEST_CASE("churn of another trace, or a later one, is refused") {
  model::Random random(3);
  const Trace trace(random), other(random);
  CHECK_THROWS_AS(subtract(trace.churn(2), other.churn(1)), std::invalid_argument);
  CHECK_THROWS_AS(subtract(trace.churn(1), trace.churn(2)), std::invalid_argument);
}

TEST_CASE("chosen blocks and literal traces have no churn") {
  const Snapshot literal = model::build({{0, 10, {{"a.py", 1}}, 1}});
  CHECK(literal.churn() == nullptr);
  CHECK(filter_traces(literal, {}).churn() == nullptr);
  model::Random random(3);
  const Snapshot known = literal.with_churn(std::make_shared<LazyChurn>(Trace(random).churn(1)));
  CHECK(known.select_blocks(std::vector<std::size_t>{0}).churn() == nullptr);
}
