// Fails the nth allocation, for every n until the work succeeds: what is left must be consistent, and repeating the
// work must give the result that it gives when nothing fails.
#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <memory>
#include <new>
#include <optional>

#include "snapshot/format.h"
#include "tests/core/snapshot/model.h"

namespace {

bool armed = false;
std::size_t allocations_left = 0;

void* allocate(std::size_t size) {
  if (armed && allocations_left-- == 0) {
    armed = false;
    throw std::bad_alloc();
  }
  if (void* memory = std::malloc(size != 0 ? size : 1)) return memory;
  throw std::bad_alloc();
}

}  // namespace

// Not inlined: gcc would see memory of operator new go to free() and warn.
[[gnu::noinline]] void* operator new(std::size_t size) { return allocate(size); }
[[gnu::noinline]] void* operator new[](std::size_t size) { return allocate(size); }
// Whoever asks in this way goes on without the memory: nothing to test, but it has to be freed by the same functions.
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return std::malloc(size != 0 ? size : 1);
}
[[gnu::noinline]] void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
  return std::malloc(size != 0 ? size : 1);
}
[[gnu::noinline]] void operator delete(void* memory, const std::nothrow_t&) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete[](void* memory, const std::nothrow_t&) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete[](void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }

using namespace memtrace::snapshot;

namespace {

// Runs work() with the nth allocation failing, for n = 0, 1, ... until it succeeds; after each failure check() must
// hold. Returns how many allocations work() needs.
template <class Work, class Check>
std::size_t fail_each(Work&& work, Check&& check) {
  for (std::size_t n = 0;; ++n) {
    allocations_left = n;
    armed = true;
    try {
      work();
      armed = false;
      return n;
    } catch (const std::bad_alloc&) {
      REQUIRE_FALSE(armed);
      check();
    }
  }
}

class PlainResolver final : public Resolver {
 public:
  void resolve(std::span<const RecordNumber> records, Dictionary& dictionary, std::span<ResolvedRecord> out) override {
    for (std::size_t i = 0; i < records.size(); ++i) {
      const auto line = static_cast<std::int32_t>(records[i]);
      out[i] = {.traceback = model::intern(dictionary, {0, 0, {{"a.py", line}, {"b.py", line}}, 2})};
    }
  }
};

}  // namespace

TEST_CASE("interning survives each failure") {
  model::Random random(1);
  const model::Traces traces = random.traces(400);
  Dictionary dictionary;
  std::vector<TracebackId> ids;
  const std::size_t needed = fail_each(
      [&] {
        while (ids.size() < traces.size()) ids.push_back(model::intern(dictionary, traces[ids.size()]));
      },
      [] {});
  CHECK(needed > 0);
  Dictionary undisturbed;
  for (std::size_t i = 0; i < traces.size(); ++i) {
    model::intern(undisturbed, traces[i]);
    REQUIRE(model::intern(dictionary, traces[i]) == ids[i]);
  }
  CHECK(dictionary.traceback_count() == undisturbed.traceback_count());
  CHECK(dictionary.stack_count() == undisturbed.stack_count());
  CHECK(dictionary.frame_count() == undisturbed.frame_count());
  CHECK(dictionary.string_count() == undisturbed.string_count());
}

TEST_CASE("a deferred snapshot survives each failure of its first use") {
  std::vector<RecordNumber> records;
  Counters counters;
  BlockColumns blocks;
  for (RecordNumber id = 0; id < 50; ++id) {
    records.push_back(id + 100);
    counters.count.push_back(1);
    counters.size.push_back(id);
    blocks.append(id + 100, id);
  }
  // No row's number is a record's: block owners that were translated twice would be lost.
  const Snapshot snapshot = Snapshot::deferred(std::make_shared<Dictionary>(), std::make_shared<PlainResolver>(),
                                               records, counters, blocks, 25);
  const std::size_t needed =
      fail_each([&] { static_cast<void>(snapshot.rows()); }, [&] { REQUIRE_FALSE(snapshot.is_resolved()); });
  CHECK(needed > 0);
  REQUIRE(snapshot.block_count() == 50);
  for (std::size_t i = 0; i < 50; ++i) CHECK(snapshot.block(i).row == i);
}

TEST_CASE("statistics, filters, comparison, writing and reading survive each failure") {
  model::Random random(2);
  const model::Traces traces = random.traces(40);
  const Snapshot snapshot = model::build(traces), other = model::build(random.traces(40));
  const std::vector<AnyFilter> filters{Filter(true, "*.py", std::nullopt, true), DomainFilter{false, 1}};
  const std::vector<AnyFilter> combined{
      Combined{true, Operator::any_of, {SizeFilter{true, 8}, NameFilter{false, NameOf::module, {Pattern("a")}, true}}},
      TagFilter{true, Tag::label, Pattern("0")}, ThreadFilter{false, Pattern("none")}};
  const std::size_t kept = filter_traces(snapshot, combined).block_count();
  std::vector<std::byte> bytes = to_bytes(snapshot);
  const std::vector<std::byte> expected = bytes;

  std::optional<Statistics> by_line;
  std::optional<Comparison> difference;
  std::optional<Snapshot> filtered, chosen, read;
  fail_each([&] { by_line = statistics(snapshot, GroupBy::function, true); }, [] {});
  fail_each([&] { difference = compare(snapshot, other, GroupBy::traceback); }, [] {});
  fail_each([&] { filtered = filter_traces(snapshot, filters); }, [] {});
  fail_each([&] { static_cast<void>(filtered->block_count()); }, [] {});
  fail_each([&] { chosen = filter_traces(snapshot, combined); }, [] {});
  fail_each([&] { bytes = to_bytes(snapshot); }, [] {});
  fail_each([&] { read = from_bytes(bytes); }, [] {});

  CHECK(model::plain(*by_line) == model::statistics(traces, GroupBy::function, true));
  CHECK(difference->items.size() == compare(snapshot, other, GroupBy::traceback).items.size());
  CHECK(model::traces_of(*filtered) == model::filter_traces(traces, filters));
  CHECK(chosen->block_count() == kept);
  CHECK(bytes == expected);
  CHECK(model::traces_of(*read) == traces);
}
