// Real threads that start their work at the same moment.
#pragma once

#include <atomic>
#include <thread>
#include <vector>

namespace memtrace::test {

// Runs work(0) … work(count - 1), each on a thread of its own, and returns when all are done. The work must not use
// Catch2's macros: they belong to the test's own thread.
template <typename Work>
void run_together(int count, Work&& work) {
  std::atomic<int> waiting{count};
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i) {
    threads.emplace_back([&, i] {
      --waiting;
      while (waiting.load() > 0) std::this_thread::yield();
      work(i);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace memtrace::test
