#include <catch2/catch_test_macros.hpp>
#include <stdexcept>
#include <string>

#include "snapshot/statistics.h"
#include "tests/core/snapshot/model.h"

using namespace memtrace::snapshot;
using model::Places;

namespace {

// The traces of CPython's own test, frames oldest first.
model::Traces stdlib_traces() {
  const std::vector<model::Frame> a2{{"b.py", 4}, {"a.py", 2}}, a5{{"b.py", 4}, {"a.py", 5}};
  return {{0, 10, a2, 3},
          {0, 10, a2, 3},
          {0, 10, a2, 3},
          {1, 2, a5, 3},
          {2, 66, {{"b.py", 1}}, 1},
          {3, 7, {{"<unknown>", 0}}, 1}};
}

}  // namespace

TEST_CASE("statistics group by line, file and traceback as tracemalloc does") {
  const Snapshot snapshot = model::build(stdlib_traces());
  CHECK(model::plain(statistics(snapshot, GroupBy::lineno)) ==
        std::vector<model::Statistic>{{{{"b.py", 1}}, "", 66, 1},
                                      {{{"a.py", 2}}, "", 30, 3},
                                      {{{"<unknown>", 0}}, "", 7, 1},
                                      {{{"a.py", 5}}, "", 2, 1}});
  CHECK(model::plain(statistics(snapshot, GroupBy::filename)) ==
        std::vector<model::Statistic>{
            {{{"b.py", 0}}, "", 66, 1}, {{{"a.py", 0}}, "", 32, 4}, {{{"<unknown>", 0}}, "", 7, 1}});
  CHECK(model::plain(statistics(snapshot, GroupBy::traceback)) ==
        std::vector<model::Statistic>{{{{"b.py", 1}}, "", 66, 1},
                                      {{{"b.py", 4}, {"a.py", 2}}, "", 30, 3},
                                      {{{"<unknown>", 0}}, "", 7, 1},
                                      {{{"b.py", 4}, {"a.py", 5}}, "", 2, 1}});
  CHECK(model::plain(statistics(snapshot, GroupBy::filename, true)) ==
        std::vector<model::Statistic>{
            {{{"b.py", 0}}, "", 98, 5}, {{{"a.py", 0}}, "", 32, 4}, {{{"<unknown>", 0}}, "", 7, 1}});
}

TEST_CASE("a frame that recurs counts each time by line, and once by function and module") {
  const std::vector<model::Frame> recursion{{"a.py", 1, "f"}, {"a.py", 1, "f"}, {"a.py", 2, "f"}};
  const Snapshot snapshot = model::build({{0, 10, recursion, 3}});
  CHECK(model::plain(statistics(snapshot, GroupBy::filename, true)) ==
        std::vector<model::Statistic>{{{{"a.py", 0}}, "", 30, 3}});
  CHECK(model::plain(statistics(snapshot, GroupBy::lineno, true)) ==
        std::vector<model::Statistic>{{{{"a.py", 1}}, "", 20, 2}, {{{"a.py", 2}}, "", 10, 1}});
  CHECK(model::plain(statistics(snapshot, GroupBy::function, true)) ==
        std::vector<model::Statistic>{{{{"a.py", 1}}, "a.f", 10, 1}});
  CHECK(model::plain(statistics(snapshot, GroupBy::module, true)) ==
        std::vector<model::Statistic>{{{{"a.py", 1}}, "a", 10, 1}});
}

TEST_CASE("a function's traceback is its heaviest line") {
  const model::Traces traces{{0, 30, {{"a.py", 9, "f"}}, 1},
                             {0, 20, {{"a.py", 7, "f"}}, 1},
                             {0, 20, {{"a.py", 7, "f"}}, 1},
                             {0, 5, {{"b.py", 7, "f"}}, 1}};
  CHECK(model::plain(statistics(model::build(traces), GroupBy::function)) ==
        std::vector<model::Statistic>{{{{"a.py", 7}}, "a.f", 70, 3}, {{{"b.py", 7}}, "b.f", 5, 1}});
}

TEST_CASE("frames that differ in columns alone are one line, one traceback and one site") {
  Dictionary names;
  SnapshotBuilder builder;
  Dictionary& dictionary = builder.dictionary();
  const StringId file = dictionary.intern_string("a.py"), function = dictionary.intern_string("f");
  const auto at_column = [&](std::int32_t column) {
    const FrameId frame = dictionary.intern_frame(
        {.filename = file, .function = function, .lineno = 3, .end_lineno = 3, .column = column, .end_column = 9});
    return dictionary.intern_traceback({&frame, 1}, 1);
  };
  builder.add(0, 10, at_column(1));
  builder.add(0, 11, at_column(2));
  builder.add(0, 12, at_column(2));
  const FrameId other_line = dictionary.intern_frame({.filename = file, .function = function, .lineno = 4});
  builder.add(0, 32, dictionary.intern_traceback({&other_line, 1}, 1));
  const Snapshot snapshot = builder.build(1);

  const Statistics by_line = statistics(snapshot, GroupBy::lineno);
  REQUIRE(by_line.items.size() == 2);
  CHECK(by_line.items[0].size == 33);
  CHECK(snapshot.dictionary()->frame(by_line.items[0].site.frame).column == 2);
  CHECK(statistics(snapshot, GroupBy::traceback).items[0].count == 3);
  // Alone, no column's 10 or 23 bytes would beat line 4's 32.
  CHECK(model::plain(statistics(snapshot, GroupBy::function)) ==
        std::vector<model::Statistic>{{{{"a.py", 3}}, "a.f", 65, 4}});
}

TEST_CASE("total_nframe takes no part in grouping") {
  const model::Traces traces{{0, 1, {{"a.py", 1}}, 1}, {0, 1, {{"a.py", 1}}, 5}, {0, 1, {{"a.py", 1}}, kUnknownTotal}};
  for (const GroupBy group_by : model::kEveryKey) {
    CHECK(statistics(model::build(traces), group_by).items.size() == 1);
  }
}

TEST_CASE("modules that were set replace those of the path") {
  const model::Traces traces{{0, 1, {{"/srv/app/tool.py", 1, "f"}}, 1}};
  const Snapshot snapshot = model::build(traces);
  CHECK(statistics(snapshot, GroupBy::module).items[0].key == "/srv/app/tool");
  Dictionary& dictionary = *snapshot.dictionary();
  dictionary.set_module(dictionary.intern_string("/srv/app/tool.py"), "app.tool");
  CHECK(statistics(snapshot, GroupBy::module).items[0].key == "app.tool");
  CHECK(statistics(snapshot, GroupBy::function).items[0].key == "app.tool.f");
}

TEST_CASE("rows without live blocks give no statistic") {
  auto dictionary = std::make_shared<Dictionary>();
  const TracebackId live = model::intern(*dictionary, {0, 0, {{"a.py", 1}}, 1});
  const TracebackId dead = model::intern(*dictionary, {0, 0, {{"b.py", 1}}, 1});
  const Snapshot snapshot =
      Snapshot::resolved(dictionary, {{.traceback = live}, {.traceback = dead}}, {{2, 0}, {0, 0}}, std::nullopt, 1);
  for (const GroupBy group_by : model::kEveryKey) {
    const Statistics result = statistics(snapshot, group_by);
    REQUIRE(result.items.size() == 1);
    CHECK(result.items[0].count == 2);
  }
}

TEST_CASE("cumulative tracebacks are refused") {
  CHECK_THROWS_AS(statistics(model::build(stdlib_traces()), GroupBy::traceback, true), std::invalid_argument);
}

TEST_CASE("names of group keys") {
  for (const GroupBy group_by : model::kEveryKey) CHECK(parse_group_by(name_of(group_by)) == group_by);
  CHECK_FALSE(parse_group_by("unknown"));
  CHECK_FALSE(parse_group_by(""));
  CHECK(is_frame_key(GroupBy::module));
  CHECK_FALSE(is_frame_key(GroupBy::traceback));
}

TEST_CASE("statistics agree with the model") {
  for (std::uint64_t seed = 0; seed < 150; ++seed) {
    model::Random random(seed);
    const model::Traces traces = random.tagged_traces(1 + random.below(120));
    const Snapshot snapshot = model::build_tagged(std::make_shared<Dictionary>(), traces);
    for (const GroupBy group_by : model::kEveryKey) {
      for (const bool cumulative : {false, true}) {
        if (cumulative && !is_frame_key(group_by)) continue;
        INFO("seed " << seed << ", " << name_of(group_by) << ", cumulative " << cumulative);
        REQUIRE(model::plain(statistics(snapshot, group_by, cumulative)) ==
                model::statistics(traces, group_by, cumulative));
      }
    }
  }
}

TEST_CASE("many groups of one size are in order of their tracebacks") {
  // Enough to take the radix sort, with ties everywhere.
  model::Random random(7);
  model::Traces traces = random.traces(3000);
  for (auto& trace : traces) trace.size = 8;
  const Snapshot snapshot = model::build(traces);
  for (const GroupBy group_by : model::kEveryKey) {
    REQUIRE(model::plain(statistics(snapshot, group_by)) == model::statistics(traces, group_by, false));
  }
}
