#include "src/mem/fork_gate.h"

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <thread>

using namespace memtrace;

namespace {

constexpr std::chrono::hours kForEver{1};
constexpr std::chrono::seconds kNotAtAll{0};

// Whether another thread is let in.
bool lets_in(ForkGate& gate) {
  bool entered = false;
  std::thread([&] {
    entered = gate.enter();
    if (entered) gate.leave();
  }).join();
  return entered;
}

}  // namespace

TEST_CASE("closing waits for who is inside") {
  ForkGate gate(kForEver);
  for (int round = 0; round < 30; ++round) {
    std::atomic<bool> entered{false};
    std::atomic<bool> left{false};
    std::thread inside([&] {
      gate.enter();
      entered = true;
      for (int i = 0; i < round; ++i) std::this_thread::yield();
      left = true;
      gate.leave();
    });
    while (!entered) std::this_thread::yield();
    gate.close();
    CHECK(left);
    gate.open();
    inside.join();
  }
}

TEST_CASE("nobody is inside while the gate is closed, and everybody comes through") {
  ForkGate gate(kForEver);
  std::atomic<bool> closed{false};
  std::atomic<bool> done{false};
  std::atomic<int> intruders{0};
  std::atomic<int> passages{0};
  const auto go_through = [&] {
    while (!done) {
      if (!gate.enter()) ++intruders;  // never: the patience is without end
      intruders += closed;
      gate.leave();
      ++passages;
    }
  };
  std::thread threads[] = {std::thread(go_through), std::thread(go_through)};
  for (int round = 0; round < 100; ++round) {
    const int before = passages;
    while (passages == before) std::this_thread::yield();
    gate.close();
    closed = true;
    for (int i = 0; i < 3; ++i) std::this_thread::yield();
    closed = false;
    gate.open();
  }
  done = true;
  for (std::thread& thread : threads) thread.join();
  CHECK(intruders == 0);
}

TEST_CASE("the thread that closed the gate goes through, others are sent away when their patience ends") {
  ForkGate gate(kNotAtAll);
  gate.close();
  REQUIRE(gate.enter());
  gate.leave();
  CHECK_FALSE(lets_in(gate));
  gate.open();
  CHECK(lets_in(gate));
}

TEST_CASE("several threads may fork at once") {
  ForkGate gate(kNotAtAll);
  gate.close();
  std::thread([&] {
    gate.close();
    CHECK(gate.enter());
    gate.leave();
    gate.open();
  }).join();
  CHECK_FALSE(lets_in(gate));
  gate.open();
  CHECK(lets_in(gate));
}

TEST_CASE("a thread that forks from inside, in a signal handler, does not wait for itself") {
  ForkGate gate(kForEver);
  REQUIRE(gate.enter());
  gate.close();
  gate.open();
  gate.close();
  gate.open_in_child();
  gate.leave();
  gate.close();
  gate.open();
  CHECK(lets_in(gate));
}

TEST_CASE("the child of a fork that did not wait long enough finds nobody inside") {
  ForkGate impatient(kNotAtAll);
  std::atomic<bool> entered{false};
  std::atomic<bool> done{false};
  std::thread inside([&] {
    impatient.enter();
    entered = true;
    while (!done) std::this_thread::yield();
    impatient.leave();
  });
  while (!entered) std::this_thread::yield();
  impatient.close();
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    impatient.open_in_child();
    ForkGate& gate = impatient;
    gate.close();
    _exit(gate.enter() ? 0 : 1);
  }
  impatient.open();
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  done = true;
  inside.join();
}
