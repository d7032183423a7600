#include <catch2/catch_test_macros.hpp>
#include <limits>

#include "snapshot/filter.h"
#include "tests/core/snapshot/model.h"

using namespace memtrace::snapshot;

namespace {

model::Traces kept(const model::Traces& traces, const std::vector<AnyFilter>& filters) {
  return model::traces_of(filter_traces(model::build(traces), filters));
}

const model::Trace kA{0, 1, {{"main.py", 1}, {"a.py", 2}}, 2};
const model::Trace kB{1, 2, {{"main.py", 1}, {"b.py", 3}}, 2};
const model::Trace kMain{2, 3, {{"main.py", 9}}, 1};
const model::Traces kAll{kA, kB, kMain};

}  // namespace

TEST_CASE("no filter keeps everything") { CHECK(kept(kAll, {}) == kAll); }

TEST_CASE("inclusive filters are pooled") {
  CHECK(kept(kAll, {Filter(true, "a.py")}) == model::Traces{kA});
  CHECK(kept(kAll, {Filter(true, "a.py"), Filter(true, "b.py")}) == model::Traces{kA, kB});
  CHECK(kept(kAll, {Filter(true, "a.py"), DomainFilter{true, 2}}) == model::Traces{kA, kMain});
  CHECK(kept(kAll, {Filter(true, "none.py")}).empty());
}

TEST_CASE("any exclusive filter drops") {
  CHECK(kept(kAll, {Filter(false, "a.py")}) == model::Traces{kB, kMain});
  CHECK(kept(kAll, {Filter(false, "a.py"), DomainFilter{false, 1}}) == model::Traces{kMain});
  CHECK(kept(kAll, {Filter(true, "?.py"), Filter(false, "b.py")}) == model::Traces{kA});
}

TEST_CASE("an exclusive filter with a domain drops only where both match") {
  CHECK(kept(kAll, {Filter(false, "a.py", std::nullopt, false, 0)}) == model::Traces{kB, kMain});
  CHECK(kept(kAll, {Filter(false, "a.py", std::nullopt, false, 1)}) == kAll);
  CHECK(kept(kAll, {Filter(true, "*", std::nullopt, false, 1)}) == model::Traces{kB});
}

TEST_CASE("only the most recent frame is looked at unless all_frames") {
  CHECK(kept(kAll, {Filter(true, "main.py")}) == model::Traces{kMain});
  CHECK(kept(kAll, {Filter(true, "main.py", std::nullopt, true)}) == kAll);
  CHECK(kept(kAll, {Filter(true, "main.py", 1, true)}) == model::Traces{kA, kB});
  CHECK(kept(kAll, {Filter(false, "main.py", 1, true)}) == model::Traces{kMain});
}

TEST_CASE("byte code files are read as their sources") {
  CHECK(Filter(true, "a.pyc").filename_pattern.text() == "a.py");
  CHECK(Filter(true, "a.py").fits("a.pyc", 1));
  CHECK(Filter(true, "a.pyc").fits("a.py", 1));
  CHECK(Filter(true, "*.pyc").fits("b.py", 1));
  CHECK_FALSE(Filter(true, "a.py").fits("a.pyo", 1));
  CHECK_FALSE(Filter(true, "a.py").fits("A.py", 1));
}

TEST_CASE("lines and domains that no trace can have match nothing") {
  constexpr std::int64_t kFar = std::numeric_limits<std::int64_t>::max();
  CHECK(kept(kAll, {Filter(true, "*", kFar)}).empty());
  CHECK(kept(kAll, {DomainFilter{true, -1}}).empty());
  CHECK(kept(kAll, {DomainFilter{true, (std::int64_t{1} << 32) + 1}}).empty());
  CHECK(kept(kAll, {DomainFilter{false, kFar}}) == kAll);
}

TEST_CASE("filtering leaves the snapshot and its limit as they were") {
  const Snapshot snapshot = model::build(kAll, 7);
  const std::vector<AnyFilter> filters{Filter(false, "b.py")};
  const Snapshot filtered = filter_traces(snapshot, filters);
  CHECK(model::traces_of(snapshot) == kAll);
  CHECK(filtered.traceback_limit() == 7);
  CHECK(filtered.total_count() == 2);
  CHECK(filtered.total_size() == 4);
  CHECK(filtered.dictionary() == snapshot.dictionary());
}

TEST_CASE("filters agree with the model, one after the other too") {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    model::Random random(seed);
    model::Traces traces = random.traces(1 + random.below(100));
    Snapshot snapshot = model::build(traces);
    for (int step = 0; step < 3; ++step) {
      std::vector<AnyFilter> filters;
      for (std::uint32_t i = random.below(4); i-- > 0;) filters.push_back(random.filter());
      traces = model::filter_traces(traces, filters);
      snapshot = filter_traces(snapshot, filters);
      INFO("seed " << seed << ", step " << step);
      REQUIRE(model::traces_of(snapshot) == traces);
      REQUIRE(snapshot.total_count() == traces.size());
      for (const GroupBy group_by : model::kEveryKey) {
        REQUIRE(model::plain(statistics(snapshot, group_by)) == model::statistics(traces, group_by, false));
      }
    }
  }
}
