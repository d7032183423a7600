// That the schedules are what they are said to be: different, repeatable, and able to find a bug.
#include "tests/sched/scheduler.h"

#include <catch2/catch_test_macros.hpp>
#include <set>
#include <string>

#include "tests/sched/scheduled_atomic.h"

using namespace memtrace::sched;

namespace {

// Who got to each of its four points when.
std::string trace_of(std::uint64_t seed) {
  std::string trace;
  const auto body = [&](char name) {
    return [&trace, name] {
      for (int i = 0; i < 4; ++i) {
        point();
        trace += name;
      }
    };
  };
  run(seed, {body('a'), body('b')});
  return trace;
}

// What two threads that add to a counter by load and store leave in it.
int racy_count(std::uint64_t seed) {
  ScheduledAtomic<int> count{0};
  const auto body = [&] { count.store(count.load() + 1); };
  run(seed, {body, body});
  return count.load();
}

}  // namespace

TEST_CASE("a seed is a schedule") {
  for (std::uint64_t seed = 0; seed < 20; ++seed) REQUIRE(trace_of(seed) == trace_of(seed));
}

TEST_CASE("seeds cover the schedules") {
  std::set<std::string> traces;
  for (std::uint64_t seed = 0; seed < seeds(5000); ++seed) {
    const std::string trace = trace_of(seed);
    REQUIRE(trace.size() == 8);
    traces.insert(trace);
  }
  CHECK(traces.size() >= (memtrace::test::kSanitized ? 20 : 70));  // there are 70 orders of four steps each
}

TEST_CASE("a lost update is found, and is not always there") {
  int lost = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) lost += racy_count(seed) == 1;
  CHECK(lost > 10);
  CHECK(lost < 190);
}

TEST_CASE("exchanges are atomic, and weak ones may fail for no reason") {
  bool failed = false;
  for_each_seed(seeds(500), [&](std::uint64_t seed) {
    ScheduledAtomic<int> count{0};
    const auto body = [&] {
      int seen = count.load();
      while (!count.compare_exchange_weak(seen, seen + 1)) failed = true;
      count.fetch_add(10);
    };
    run(seed, {body, body, body});
    REQUIRE(count.load() == 33);
  });
  CHECK(failed);
}
