#include "hooks/timeline.h"

#include <atomic>
#include <chrono>
#include <mutex>

#include "src/mem/os.h"
#include "src/mem/process_memory.h"

namespace memtrace::timeline {

namespace {

constinit std::atomic<bool> on{false};
// Who has it may use the rest.
constinit std::atomic_flag looking = ATOMIC_FLAG_INIT;
constinit Timeline recorded;
constinit os::ProcessMemory process_memory;
constinit std::uint64_t origin = 0;
// The peak of the era when somebody has looked last.
constinit std::uint64_t known_peak = 0;

std::uint64_t now() noexcept {
  return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
}

class Turn {
 public:
  // Waits its turn.
  Turn() noexcept : has_(true) {
    while (looking.test_and_set(std::memory_order_acquire)) os::yield();
  }
  // Or has none.
  explicit Turn(std::try_to_lock_t) noexcept : has_(!looking.test_and_set(std::memory_order_acquire)) {}
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  ~Turn() {
    if (has_) looking.clear(std::memory_order_release);
  }
  explicit operator bool() const noexcept { return has_; }

 private:
  bool has_;
};

// What is live. A new peak of the era was one since the last look.
std::uint64_t see(const Era& era) noexcept {
  const Era::Traced traced = era.traced(control.threads());
  if (traced.peak > known_peak) recorded.see(traced.peak);
  known_peak = traced.peak;
  recorded.see(traced.current);
  return traced.current;
}

}  // namespace

void begin(std::uint64_t distance) noexcept {
  const Turn turn;
  on.store(distance != 0, std::memory_order_relaxed);
  if (distance == 0) return process_memory.close();
  process_memory.open();
  origin = now();
  known_peak = 0;
  recorded.begin(distance);
}

bool is_on() noexcept { return on.load(std::memory_order_relaxed); }

void look(const Era& era) noexcept {
  if (!is_on()) return;
  const Turn turn(std::try_to_lock);
  if (!turn) return;
  const std::uint64_t bytes = see(era);
  const std::uint64_t time = now() - origin;
  if (recorded.is_due(time)) recorded.record(time, bytes, process_memory.resident());
}

std::vector<Timeline::Point> points() {
  std::vector<Timeline::Point> result;
  const Era* const era = control.era();
  if (era == nullptr || !is_on()) return result;
  result.reserve(Timeline::kMostPoints + 1);
  const Turn turn;
  const std::uint64_t bytes = see(*era);
  result.assign(recorded.points().begin(), recorded.points().end());
  result.push_back({now() - origin, bytes, recorded.peak(), process_memory.resident()});
  return result;
}

void after_fork_in_child() noexcept {
  looking.clear();
  if (is_on()) process_memory.open();
}

}  // namespace memtrace::timeline
