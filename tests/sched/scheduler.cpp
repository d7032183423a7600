#include "tests/sched/scheduler.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <deque>

#include "tests/sched/fiber.h"
#include "tests/support/random.h"

namespace memtrace::sched {

namespace {

// No test comes near it: a logical thread that does spins, or goes round in a circle of links.
constexpr std::uint64_t kStepLimit = 3'000'000;

// Decides who goes on. Two kinds, for they find different bugs: one hands over at any point with a probability of its
// own; the other runs the logical thread of the highest priority and lowers it at a few points only, which finds what
// needs a long delay at one place.
class Policy {
 public:
  Policy(std::uint64_t seed, std::size_t threads) : random_(seed), by_priority_(random_.one_in(2)) {
    for (std::size_t i = 0; i < threads; ++i) priorities_.push_back(static_cast<std::int64_t>(random_.below(1 << 20)));
    one_in_ = std::uint64_t{1} << random_.below(5);
    const std::uint64_t reach = std::uint64_t{1} << (3 + random_.below(8));
    for (std::uint64_t left = 1 + random_.below(3); left > 0; --left) changes_.push_back(random_.below(reach));
  }

  bool moves_on(std::uint64_t step, std::size_t running) {
    if (!by_priority_) return random_.one_in(one_in_);
    if (std::find(changes_.begin(), changes_.end(), step) == changes_.end()) return false;
    priorities_[running] = -static_cast<std::int64_t>(step) - 1;
    return true;
  }
  std::size_t pick(const std::vector<std::size_t>& waiting) {
    if (!by_priority_) return waiting[random_.below(waiting.size())];
    return *std::max_element(waiting.begin(), waiting.end(),
                             [&](std::size_t a, std::size_t b) { return priorities_[a] < priorities_[b]; });
  }
  bool fails_spuriously() { return random_.one_in(8); }

 private:
  test::Random random_;
  bool by_priority_;
  std::uint64_t one_in_;
  std::vector<std::int64_t> priorities_;
  std::vector<std::uint64_t> changes_;
};

class Schedule {
 public:
  Schedule(std::uint64_t seed, const std::vector<std::function<void()>>& bodies)
      : policy_(seed, bodies.size()), seed_(seed) {
    for (std::size_t i = 0; i < bodies.size(); ++i) {
      waiting_.push_back(i);
      fibers_.emplace_back([this, body = &bodies[i]] {
        (*body)();
        finish();
      });
    }
  }

  void run() { go_on_from(outside_, false); }

  void point() {
    if (++steps_ > kStepLimit) give_up();
    if (waiting_.size() < 2 || !policy_.moves_on(steps_, running_)) return;
    go_on_from(fibers_[running_], false);
  }
  bool fails_spuriously() { return policy_.fails_spuriously(); }

 private:
  void finish() {
    std::erase(waiting_, running_);
    Fiber& own = fibers_[running_];
    if (waiting_.empty())
      own.leave_for(outside_, true);
    else
      go_on_from(own, true);
  }

  void go_on_from(Fiber& own, bool for_good) {
    running_ = policy_.pick(waiting_);
    if (&fibers_[running_] != &own) own.leave_for(fibers_[running_], for_good);
  }

  [[noreturn]] void give_up() const {
    std::fprintf(stderr, "schedule of seed %llu does not end\n", static_cast<unsigned long long>(seed_));
    std::abort();
  }

  Policy policy_;
  std::uint64_t seed_;
  std::uint64_t steps_ = 0;
  std::size_t running_ = 0;
  std::vector<std::size_t> waiting_;  // those that have not ended, the running one included
  Fiber outside_;
  std::deque<Fiber> fibers_;
};

Schedule* current = nullptr;

}  // namespace

void run(std::uint64_t seed, std::vector<std::function<void()>> bodies) {
  Schedule schedule(seed, bodies);
  current = &schedule;
  schedule.run();
  current = nullptr;
}

void point() noexcept {
  if (current != nullptr) current->point();
}

bool fails_spuriously() noexcept { return current != nullptr && current->fails_spuriously(); }

void for_each_seed(std::uint64_t count, const std::function<void(std::uint64_t)>& test) {
  std::uint64_t first = 0;
  if (const char* only = std::getenv("MEMTRACE_SCHED_SEED")) {
    first = std::strtoull(only, nullptr, 10);
    count = 1;
  }
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    INFO("repeat with MEMTRACE_SCHED_SEED=" << seed);
    test(seed);
  }
}

}  // namespace memtrace::sched
