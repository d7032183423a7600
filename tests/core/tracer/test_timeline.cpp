#include "src/tracer/timeline.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <memory>
#include <vector>

#include "tests/support/random.h"

using namespace memtrace;

namespace {

constexpr std::uint64_t kDistance = 1000;

std::unique_ptr<Timeline> begun() {
  auto timeline = std::make_unique<Timeline>();
  timeline->begin(kDistance);
  return timeline;
}

std::vector<Timeline::Point> points_of(const Timeline& timeline) {
  return {timeline.points().begin(), timeline.points().end()};
}

}  // namespace

TEST_CASE("points are recorded when they are due, with the most that was seen") {
  const auto timeline = begun();
  CHECK(timeline->is_due(0));
  timeline->record(5, 10, 1);
  CHECK_FALSE(timeline->is_due(999));
  CHECK(timeline->is_due(1000));
  timeline->see(70);
  timeline->see(30);
  timeline->record(2300, 20, 2);  // late
  CHECK_FALSE(timeline->is_due(2999));
  CHECK(timeline->is_due(3000));
  timeline->record(3000, 40, 3);
  timeline->record(4000, 5, 4);
  CHECK(points_of(*timeline) ==
        std::vector<Timeline::Point>{{5, 10, 10, 1}, {2300, 20, 70, 2}, {3000, 40, 40, 3}, {4000, 5, 40, 4}});
}

TEST_CASE("a timeline begins anew") {
  const auto timeline = begun();
  timeline->record(5000, 10, 1);
  timeline->begin(2 * kDistance);
  CHECK(timeline->points().empty());
  CHECK(timeline->is_due(0));
  timeline->record(1, 2, 3);
  CHECK(points_of(*timeline) == std::vector<Timeline::Point>{{1, 2, 2, 3}});
  CHECK(timeline->distance() == 2 * kDistance);
}

TEST_CASE("without room the distance doubles, and no peak is lost") {
  const auto timeline = begun();
  test::Random random(1);
  std::uint64_t most = 0;
  std::uint64_t now = 0;
  for (std::size_t i = 0; i < 20 * Timeline::kMostPoints; ++i) {
    now += random.below(kDistance);
    const std::uint64_t seen = random.below(1'000'000), bytes = random.below(seen + 1);
    timeline->see(seen);
    most = std::max(most, seen);
    if (timeline->is_due(now)) timeline->record(now, bytes, i);

    const auto points = timeline->points();
    REQUIRE(points.size() <= Timeline::kMostPoints);
    if (i % 1000 != 0) continue;
    std::uint64_t highest = timeline->peak();
    for (std::size_t at = 0; at < points.size(); ++at) {
      highest = std::max(highest, points[at].peak);
      REQUIRE(points[at].peak >= points[at].bytes);
      // One in each stretch of the grid.
      if (at > 0)
        REQUIRE(points[at - 1].nanoseconds / timeline->distance() < points[at].nanoseconds / timeline->distance());
    }
    REQUIRE(highest == most);
  }
  CHECK(timeline->distance() >= 4 * kDistance);
  CHECK(timeline->points().size() > Timeline::kMostPoints / 4);
}
