// A child of fork() uses the heap whatever other threads were doing with it.

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <thread>
#include <vector>

#include "src/mem/heap.h"
#include "src/mem/os.h"
#include "tests/support/scale.h"

using namespace memtrace;

namespace {

constexpr std::size_t kSmall = 64;
constexpr std::size_t kOwnSegment = std::size_t{20} << 20;

// What makes mimalloc look for segments that ended threads have left, and give one of its own back.
void use_heap() {
  void* small = heap::allocate(kSmall);
  void* large = heap::allocate(kOwnSegment);
  heap::release(large);
  heap::release(small);
}

}  // namespace

TEST_CASE("a child finds the heap usable, whatever other threads were doing with it") {
  static const bool watched = os::at_fork(heap::prepare_fork, heap::after_fork_in_parent, heap::after_fork_in_child);
  REQUIRE(watched);
  constexpr int kAbandoned = 500;
  std::vector<void*> left(kAbandoned);
  for (void*& block : left) std::thread([&] { block = heap::allocate(kSmall); }).join();

  std::atomic<bool> done{false};
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i)
    threads.emplace_back([&] {
      while (!done) std::thread(use_heap).join();
    });
  // Two of a thousand children hung before the heap waited.
  const int forks = test::scaled(1000, 50);
  int failed = 0;
  for (int i = 0; i < forks && failed == 0; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      alarm(60);
      for (int round = 0; round < 3; ++round) use_heap();
      for (void* block : left) heap::release(block);
      _exit(0);
    }
    int status = 0;
    failed += waitpid(child, &status, 0) != child || status != 0;
  }
  done = true;
  for (std::thread& thread : threads) thread.join();
  for (void* block : left) heap::release(block);
  CHECK(failed == 0);
}
