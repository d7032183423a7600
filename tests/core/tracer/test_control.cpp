#include "src/tracer/control.h"

#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <memory>
#include <thread>
#include <vector>

#include "tests/support/fail_each.h"
#include "tests/support/threads.h"

using namespace memtrace;

TEST_CASE("eras come and go, each with a number and a version of its own") {
  Control control;
  CHECK(control.era() == nullptr);
  const std::uint64_t version = control.version();
  REQUIRE(control.begin(5));
  CHECK(control.era()->nframe() == 5);
  const std::uint64_t number = control.era()->number();
  CHECK(control.version() != version);
  REQUIRE(control.begin(7));
  CHECK(control.era()->number() > number);
  control.end();
  CHECK(control.era() == nullptr);
  control.end();
}

TEST_CASE("a mark changes the version, and leaves what is known of stacks") {
  Control control;
  const std::uint64_t before = control.version();
  CHECK(control.mark() == 1);
  CHECK(control.version() != before);
  CHECK(Control::stack_version(control.version()) == Control::stack_version(before));
  control.invalidate();
  CHECK(Control::stack_version(control.version()) != Control::stack_version(before));
}

TEST_CASE("an era that there is no memory for leaves the present one as it is") {
  const auto needed = test::fail_each([](std::int64_t n) {
    Control control;
    REQUIRE(control.begin(5));
    const Era* present = control.era();
    bool begun = false;
    {
      const test::Failing failing(n);
      begun = control.begin(6);
    }
    CHECK(begun == (fault::failures.load() == 0));
    CHECK((control.era() != present) == begun);
    control.end();
  });
  CHECK(needed > 0);
}

TEST_CASE("an era stays as long as a section uses it, while another thread replaces it again and again") {
  Control control;
  constexpr int kThreads = 3;
  std::vector<std::unique_ptr<ThreadState>> states;
  for (int i = 0; i < kThreads; ++i) {
    states.push_back(std::make_unique<ThreadState>());
    control.threads().add(states.back().get());
  }
  std::atomic<bool> stop{false};
  std::atomic<int> wrong{0};
  test::run_together(kThreads + 1, [&](int index) {
    if (index == kThreads) {
      for (int i = 0; i < 300; ++i) wrong += i % 3 == 2 ? (control.end(), 0) : !control.begin(5);
      stop = true;
      return;
    }
    ThreadState& thread = *states[static_cast<std::size_t>(index)];
    while (!stop) {
      if (Era* era = control.enter(thread)) {
        const ContextId context = era->tables().contexts.intern({.owner = thread.index});
        RecordRun run;
        const RecordId record = era->record(kRoot, 2, context, &run);
        const auto* block = reinterpret_cast<const void*>(0x10'0000ull * (index + 1));
        era->add(Access::kApart, thread, block, 32, record);
        wrong += era->find(block).record != record;
        era->remove(Access::kApart, thread, block);
        wrong += bool{era->find(block)};
      }
      control.leave(thread);
    }
  });
  CHECK(wrong == 0);
  control.end();
  for (const auto& state : states) destroy_mapped(state->ledger.load());
}

TEST_CASE("a state whose thread has ended goes to the next, with its number") {
  ThreadList list;
  ThreadState one;
  ThreadState two;
  list.add(&one);
  list.add(&two);
  CHECK(one.index == 1);
  CHECK(two.index == 2);
  CHECK(list.adopt() == nullptr);
  one.in_use = false;
  CHECK(list.adopt() == &one);
  CHECK(list.adopt() == nullptr);
  CHECK(one.index == 1);
}
