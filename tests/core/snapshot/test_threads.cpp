// Meant to be run under ThreadSanitizer too.
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <memory>
#include <thread>
#include <vector>

#include "snapshot/compare.h"
#include "snapshot/format.h"
#include "tests/core/snapshot/model.h"

using namespace memtrace::snapshot;

namespace {

constexpr int kThreads = 4;

template <class Work>
void run_together(Work&& work) {
  std::atomic<int> ready{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      ++ready;
      while (ready < kThreads) std::this_thread::yield();
      work(i);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

class SlowResolver final : public Resolver {
 public:
  void resolve(std::span<const RecordNumber> records, Dictionary& dictionary, std::span<ResolvedRecord> out) override {
    ++calls;
    Dictionary::Writer writer(dictionary);
    for (std::size_t i = 0; i < records.size(); ++i) {
      const StringId file = writer.string(std::to_string(records[i] % 50) + ".py");
      const FrameId frame = writer.frame({.filename = file, .lineno = static_cast<std::int32_t>(records[i])});
      out[i] = {.traceback = writer.traceback(writer.stack(kEmptyStack, frame), 1)};
    }
  }
  std::atomic<int> calls{0};
};

}  // namespace

TEST_CASE("threads that use a deferred snapshot first resolve it once and agree") {
  auto resolver = std::make_shared<SlowResolver>();
  std::vector<RecordNumber> records;
  Counters counters;
  BlockColumns blocks;
  for (RecordNumber id = 0; id < 5000; ++id) {
    records.push_back(id * 3);
    counters.count.push_back(1);
    counters.size.push_back(id % 7);
    blocks.append(id * 3, id % 7);
  }
  const Snapshot snapshot = Snapshot::deferred(std::make_shared<Dictionary>(), resolver, records, counters, blocks, 1);
  const std::vector<AnyFilter> filters{Filter(true, "?.py")};
  std::vector<std::size_t> results(kThreads);
  const Snapshot filtered = filter_traces(Snapshot(snapshot), filters);
  run_together([&](int i) {
    const auto by = static_cast<std::size_t>(i);
    results[by] = statistics(snapshot, GroupBy::lineno).items.size() + filtered.block_count() +
                  statistics(filtered, GroupBy::traceback).items.size() +
                  compare(snapshot, filtered, GroupBy::filename).items.size();
  });
  for (const std::size_t result : results) CHECK(result == results[0]);
  CHECK(results[0] == 5000 + 1000 + 1000 + 50);
  CHECK(resolver->calls == 1);
}

TEST_CASE("readers work beside a writer") {
  auto dictionary = std::make_shared<Dictionary>();
  const TracebackId traceback = model::intern(*dictionary, {0, 0, {{"a.py", 1, "f"}}, 1});
  const Snapshot snapshot = Snapshot::resolved(dictionary, {{.traceback = traceback}}, {{1}, {8}}, std::nullopt, 1);
  run_together([&](int i) {
    for (int round = 0; round < 300; ++round) {
      if (i == 0) {
        model::intern(*dictionary, {0, 0, {{std::to_string(round) + ".py", round}, {"a.py", round}}, 2});
        if (round % 50 == 0) dictionary->set_module(dictionary->intern_string("a.py"), std::to_string(round) + "m");
      } else {
        const Statistics result = statistics(snapshot, static_cast<GroupBy>(round % 5));
        if (result.items.size() != 1 || result.items[0].size != 8) std::abort();
        const std::vector<AnyFilter> filters{Filter(true, "?.py", std::nullopt, true)};
        if (filter_traces(snapshot, filters).rows().size() != 1) std::abort();
        if (round % 10 == 0 && from_bytes(to_bytes(snapshot)).total_size() != 8) std::abort();
      }
    }
  });
  CHECK(dictionary->string_count() > 300);
}
