// How much memory there was, and when: so many points at most, however long the program runs.
//
// A point is recorded when its time has come and somebody looks; who looks meanwhile is remembered by the largest size. When
// there is no room, two points become one and the distance doubles: the later one, with the larger peak.
// Thread-safety: none.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace memtrace {

class Timeline {
 public:
  struct Point {
    std::uint64_t nanoseconds = 0;  // since the begin
    std::uint64_t bytes = 0;  // live
    std::uint64_t peak = 0;  // the most that was live since the point before
    std::uint64_t resident = 0;  // of the process

    friend bool operator==(const Point&, const Point&) = default;
  };
  static constexpr std::size_t kMostPoints = 2048;

  // Forgets everything. `distance` in nanoseconds, not 0.
  void begin(std::uint64_t distance) noexcept {
    distance_ = distance;
    due_ = 0;
    count_ = 0;
    peak_ = 0;
  }

  // So much is, or was, live since the last point.
  void see(std::uint64_t bytes) noexcept { peak_ = std::max(peak_, bytes); }
  // Whether a point is to be recorded.
  bool is_due(std::uint64_t nanoseconds) const noexcept { return nanoseconds >= due_; }

  // The times do not fall.
  void record(std::uint64_t nanoseconds, std::uint64_t bytes, std::uint64_t resident) noexcept {
    see(bytes);
    if (count_ == kMostPoints) coarsen();
    // The last one can be of the same stretch only when that has just become longer.
    if (count_ > 0 && points_[count_ - 1].nanoseconds / distance_ == nanoseconds / distance_)
      peak_ = std::max(peak_, points_[--count_].peak);
    points_[count_++] = {nanoseconds, bytes, peak_, resident};
    peak_ = bytes;
    // On a grid: a late point makes none of the following late.
    due_ = (nanoseconds / distance_ + 1) * distance_;
  }

  std::uint64_t distance() const noexcept { return distance_; }
  std::uint64_t peak() const noexcept { return peak_; }
  std::span<const Point> points() const noexcept { return {points_.data(), count_}; }

 private:
  void coarsen() noexcept {
    for (std::size_t i = 0; i < count_ / 2; ++i) {
      const std::uint64_t peak = std::max(points_[2 * i].peak, points_[2 * i + 1].peak);
      points_[i] = points_[2 * i + 1];
      points_[i].peak = peak;
    }
    count_ /= 2;
    distance_ *= 2;
  }

  // All zeros at first: nothing of it is in the module's file.
  std::uint64_t distance_ = 0;
  std::uint64_t due_ = 0;
  std::uint64_t peak_ = 0;
  std::size_t count_ = 0;
  std::array<Point, kMostPoints> points_;
};

}  // namespace memtrace
