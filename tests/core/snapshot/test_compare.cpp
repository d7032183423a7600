#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <limits>
#include <stdexcept>

#include "snapshot/compare.h"
#include "tests/core/snapshot/model.h"

using namespace memtrace::snapshot;

namespace {

// Two snapshots of one Dictionary, as a tracer's are.
std::pair<Snapshot, Snapshot> build_sharing(const model::Traces& first, const model::Traces& second) {
  auto dictionary = std::make_shared<Dictionary>();
  Snapshot a = model::build_tagged(dictionary, first);
  Snapshot b = model::build_tagged(dictionary, second);
  return {std::move(a), std::move(b)};
}

void check_all_keys(const Snapshot& current, const Snapshot& old, const model::Traces& now,
                    const model::Traces& before) {
  for (const GroupBy group_by : model::kEveryKey) {
    for (const bool cumulative : {false, true}) {
      if (cumulative && !is_frame_key(group_by)) continue;
      INFO(name_of(group_by) << ", cumulative " << cumulative);
      auto found = model::plain(compare(current, old, group_by, cumulative));
      auto expected = model::compare(now, before, group_by, cumulative);
      // Threads and labels of two runs are known by their names, equal ones in no order.
      const bool by_name = group_by == GroupBy::thread || group_by == GroupBy::label;
      if (by_name && current.dictionary() != old.dictionary()) {
        std::sort(found.begin(), found.end());
        std::sort(expected.begin(), expected.end());
      }
      REQUIRE(found == expected);
    }
  }
}

}  // namespace

TEST_CASE("differences are as tracemalloc's") {
  const std::vector<model::Frame> a2{{"b.py", 4}, {"a.py", 2}}, a5{{"b.py", 4}, {"a.py", 5}};
  const Snapshot old = model::build({{0, 10, a2, 3},
                                     {0, 10, a2, 3},
                                     {0, 10, a2, 3},
                                     {1, 2, a5, 3},
                                     {2, 66, {{"b.py", 1}}, 1},
                                     {3, 7, {{"<unknown>", 0}}, 1}});
  const Snapshot current = model::build(
      {{0, 10, a2, 3}, {0, 10, a2, 3}, {0, 10, a2, 3}, {2, 2, a5, 3}, {2, 5000, a5, 3}, {4, 400, {{"c.py", 578}}, 1}});
  CHECK(model::plain(compare(current, old, GroupBy::lineno)) ==
        std::vector<model::Difference>{{{{"a.py", 5}}, "", 5002, 5000, 2, 1},
                                       {{{"c.py", 578}}, "", 400, 400, 1, 1},
                                       {{{"b.py", 1}}, "", 0, -66, 0, -1},
                                       {{{"<unknown>", 0}}, "", 0, -7, 0, -1},
                                       {{{"a.py", 2}}, "", 30, 0, 3, 0}});
}

TEST_CASE("comparison with itself shows no difference") {
  model::Random random(3);
  const Snapshot snapshot = model::build(random.traces(50));
  for (const auto& item : compare(snapshot, snapshot, GroupBy::traceback).items) {
    CHECK(item.size_diff == 0);
    CHECK(item.count_diff == 0);
  }
}

TEST_CASE("cumulative tracebacks cannot be compared") {
  const Snapshot snapshot = model::build({{0, 1, {{"a.py", 1}}, 1}});
  CHECK_THROWS_AS(compare(snapshot, snapshot, GroupBy::traceback, true), std::invalid_argument);
}

TEST_CASE("the new snapshot's modules hold where both name one") {
  const model::Traces traces{{0, 1, {{"/a.py", 1, "f"}}, 1}};
  const Snapshot current = model::build(traces), old = model::build(traces);
  for (const auto& [snapshot, name] : {std::pair{current, "new"}, std::pair{old, "old"}}) {
    snapshot.dictionary()->set_module(snapshot.dictionary()->intern_string("/a.py"), name);
  }
  const Comparison comparison = compare(current, old, GroupBy::module);
  REQUIRE(comparison.items.size() == 1);
  CHECK(comparison.items[0].key == "new");
}

TEST_CASE("extreme sizes are compared without overflow") {
  const std::uint64_t huge = std::numeric_limits<std::uint64_t>::max();
  const Snapshot large = model::build({{0, huge, {{"a.py", 1}}, 1}, {0, 5, {{"b.py", 1}}, 1}});
  const Snapshot small = model::build({{0, 0, {{"a.py", 1}}, 1}, {0, 1, {{"b.py", 1}}, 1}});
  const Comparison grown = compare(large, small, GroupBy::filename);
  CHECK(grown.items.size() == 2);
  CHECK(grown.items[0].size_diff == 4);  // 2^64-1 reads as -1
}

TEST_CASE("comparison agrees with the model") {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    model::Random random(seed);
    const model::Traces before = random.tagged_traces(1 + random.below(100));
    model::Traces now = random.tagged_traces(1 + random.below(100));
    now.insert(now.end(), before.begin(), before.begin() + static_cast<std::ptrdiff_t>(before.size() / 2));
    INFO("seed " << seed);
    const auto alone = [](const model::Traces& traces) {
      return model::build_tagged(std::make_shared<Dictionary>(), traces);
    };
    check_all_keys(alone(now), alone(before), now, before);
    const auto [current, old] = build_sharing(now, before);
    check_all_keys(current, old, now, before);
  }
}

TEST_CASE("labels, threads and types of two runs are compared by name, generations and domains by number") {
  struct Block {
    std::uint32_t number;
    std::string_view name;
    std::uint64_t size;
  };
  const auto make = [](Tag tag, const std::vector<Block>& blocks) {
    auto dictionary = std::make_shared<Dictionary>();
    std::vector<ResolvedRecord> keys;
    Counters counters;
    for (const Block& block : blocks) {
      ResolvedRecord key{.traceback = model::intern(*dictionary, {0, 0, {{"a.py", 1}}, 1})};
      (tag == Tag::label    ? key.label
       : tag == Tag::thread ? key.thread
       : tag == Tag::type   ? key.type
                            : key.generation) = block.number;
      keys.push_back(key);
      counters.count.push_back(1);
      counters.size.push_back(block.size);
      if (!block.name.empty()) dictionary->set_tag_name(tag, block.number, block.name);
    }
    return Snapshot::resolved(dictionary, keys, counters, std::nullopt, 25);
  };
  using Changes = std::map<std::string, std::pair<std::uint64_t, std::int64_t>>;
  const auto changes = [](const Snapshot& current, const Snapshot& old, GroupBy group_by) {
    Changes found;
    for (const StatisticDiff& item : compare(current, old, group_by).items) {
      const std::string key = item.key.empty() ? std::to_string(item.number) : std::string(item.key);
      CHECK(found.emplace(key, std::pair{item.size, item.size_diff}).second);
    }
    return found;
  };
  // 9 has no name; two numbers have the same.
  const std::vector<Block> now{{1, "x", 10}, {2, "y", 20}, {3, "y", 5}, {9, "", 3}};
  const std::vector<Block> before{{2, "x", 1}, {1, "z", 2}, {9, "", 1}};
  for (const auto& [tag, group_by] :
       {std::pair{Tag::label, GroupBy::label}, {Tag::thread, GroupBy::thread}, {Tag::type, GroupBy::type}}) {
    CHECK(changes(make(tag, now), make(tag, before), group_by) ==
          Changes{{"x", {10, 9}}, {"y", {25, 25}}, {"z", {0, -2}}, {"9", {3, 2}}});
  }
  CHECK(changes(make(Tag::generation, {{1, "x", 10}, {2, "y", 20}}), make(Tag::generation, {{2, "x", 1}, {3, "z", 2}}),
                GroupBy::generation) == Changes{{"x", {10, 10}}, {"y", {20, 19}}, {"z", {0, -2}}});
}
