#include "snapshot/snapshot.h"

#include <catch2/catch_test_macros.hpp>
#include <memory>
#include <new>
#include <stdexcept>

#include "tests/core/snapshot/model.h"

using namespace memtrace::snapshot;

namespace {

// Record ids of both halves of the tracer's id space, far apart.
constexpr RecordNumber kMany = 1u << 20;

// Record r means line r of r.py, in domain r % 3.
class NumberResolver final : public Resolver {
 public:
  void resolve(std::span<const RecordNumber> records, Dictionary& dictionary, std::span<ResolvedRecord> out) override {
    ++calls;
    if (failures > 0) {
      --failures;
      throw std::bad_alloc();
    }
    REQUIRE(records.size() == out.size());
    for (std::size_t i = 0; i < records.size(); ++i) {
      const model::Trace trace{0, 0, {{std::to_string(records[i]) + ".py", static_cast<std::int32_t>(records[i])}}, 1};
      out[i] = {.traceback = model::intern(dictionary, trace), .domain = records[i] % 3};
    }
  }

  int calls = 0;
  int failures = 0;
};

struct Live {
  std::shared_ptr<NumberResolver> resolver = std::make_shared<NumberResolver>();
  Snapshot snapshot;

  explicit Live(std::optional<BlockColumns> blocks, std::uint64_t dropped = 0)
      : snapshot(Snapshot::deferred(std::make_shared<Dictionary>(), resolver, {5, kMany + 1, 2},
                                    {{2, 1, 1}, {30, 7, 8}}, std::move(blocks), 25, dropped)) {}
};

BlockColumns blocks_of_live() {
  BlockColumns blocks;
  blocks.append(5, 10);
  blocks.append(kMany + 1, 7);
  blocks.append(5, 20);
  blocks.append(2, 8);
  return blocks;
}

}  // namespace

TEST_CASE("a deferred snapshot resolves once, at its first use") {
  Live live(blocks_of_live(), 3);
  CHECK(live.snapshot.traceback_limit() == 25);
  CHECK(live.snapshot.has_blocks());
  CHECK(live.snapshot.column_count() == 3);
  CHECK_FALSE(live.snapshot.is_resolved());
  CHECK(live.resolver->calls == 0);

  const Snapshot copy = live.snapshot;
  CHECK(live.snapshot.total_count() == 4);
  CHECK(live.snapshot.total_size() == 45);
  CHECK(live.snapshot.is_resolved());
  CHECK(copy.is_resolved());
  CHECK(copy.block_count() == 4);
  CHECK(live.resolver->calls == 1);
  CHECK(live.resolver.use_count() == 1);  // the snapshot let go of it
  CHECK(live.snapshot.dropped() == 3);

  const std::int32_t line = kMany + 1;
  CHECK(model::traces_of(copy) == model::Traces{{2, 10, {{"5.py", 5}}, 1},
                                                {(kMany + 1) % 3, 7, {{std::to_string(line) + ".py", line}}, 1},
                                                {2, 20, {{"5.py", 5}}, 1},
                                                {2, 8, {{"2.py", 2}}, 1}});
}

TEST_CASE("a resolution that fails is tried again") {
  Live live(blocks_of_live());
  live.resolver->failures = 2;
  CHECK_THROWS_AS(live.snapshot.rows(), std::bad_alloc);
  CHECK_THROWS_AS(live.snapshot.block(0), std::bad_alloc);
  CHECK(live.snapshot.block(1).size == 7);
  CHECK(live.snapshot.block(1).row == 1);
}

TEST_CASE("blocks of records that are not in the snapshot are left out and counted") {
  BlockColumns blocks;
  const std::uint64_t large = 1ull << 33;
  blocks.append(9, large);
  blocks.append(5, 10);
  blocks.append(kMany + 2, 1);
  blocks.append(2, large + 1);
  blocks.append(0xFFFFFFFF, large + 2);
  blocks.append(2, large + 3);
  const Live live(std::move(blocks), 1);
  REQUIRE(live.snapshot.block_count() == 3);
  CHECK(live.snapshot.block(0).size == 10);
  CHECK(live.snapshot.block(1).size == large + 1);
  CHECK(live.snapshot.block(2).size == large + 3);
  CHECK(live.snapshot.block(2).row == 2);
  CHECK(live.snapshot.dropped() == 4);
}

TEST_CASE("a snapshot without blocks has statistics and no traces") {
  const Live live(std::nullopt);
  CHECK_FALSE(live.snapshot.has_blocks());
  CHECK(live.snapshot.total_count() == 4);
  CHECK(statistics(live.snapshot, GroupBy::lineno).items.size() == 3);
  CHECK_THROWS_AS(live.snapshot.block_count(), std::logic_error);
  CHECK_THROWS_AS(live.snapshot.same_blocks(live.snapshot), std::logic_error);
}

TEST_CASE("columns that do not fit are refused") {
  auto dictionary = std::make_shared<Dictionary>();
  const auto resolved = [&](std::vector<ResolvedRecord> keys, Counters counters, std::optional<BlockColumns> blocks) {
    return Snapshot::resolved(dictionary, std::move(keys), std::move(counters), std::move(blocks), 1);
  };
  CHECK_THROWS_AS(resolved({{}}, {{1}, {}}, std::nullopt), std::invalid_argument);
  CHECK_THROWS_AS(resolved({{}}, {{1, 2}, {1}}, std::nullopt), std::invalid_argument);
  CHECK_THROWS_AS(resolved({{.traceback = 1}}, {{1}, {1}}, std::nullopt), std::invalid_argument);
  BlockColumns beyond;
  beyond.append(1, 1);
  CHECK_THROWS_AS(resolved({{}}, {{1}, {1}}, beyond), std::invalid_argument);
  CHECK_THROWS_AS(Snapshot::deferred(dictionary, nullptr, {}, {}, std::nullopt, 1), std::invalid_argument);
}

TEST_CASE("literal traces keep their order and sizes of any width") {
  model::Random random(11);
  const model::Traces traces = random.traces(500);
  const Snapshot snapshot = model::build(traces, -3);
  CHECK(snapshot.traceback_limit() == -3);
  CHECK(model::traces_of(snapshot) == traces);
  CHECK(snapshot.column_count() <= traces.size());
  std::uint64_t size = 0;
  for (const auto& trace : traces) size += trace.size;
  CHECK(snapshot.total_size() == size);
}

TEST_CASE("a builder starts anew after build") {
  SnapshotBuilder builder;
  builder.add(0, 1, kUnknownTraceback);
  const Snapshot first = builder.build(1);
  CHECK(builder.build(1).block_count() == 0);
  CHECK(first.block_count() == 1);
  CHECK(first.dictionary().get() != &builder.dictionary());
  CHECK_THROWS_AS(builder.add(0, 1, 1), std::invalid_argument);
}

TEST_CASE("rows and blocks can be selected") {
  model::Random random(5);
  const model::Traces traces = random.traces(300);
  const Snapshot snapshot = model::build(traces);
  std::vector<std::size_t> positions;
  model::Traces chosen;
  for (std::size_t i = 0; i < traces.size(); i += 3) {
    positions.push_back(i);
    chosen.push_back(traces[i]);
  }
  const Snapshot selected = snapshot.select_blocks(positions);
  CHECK(model::traces_of(selected) == chosen);
  CHECK(selected.total_count() == chosen.size());
  CHECK(model::plain(statistics(selected, GroupBy::traceback)) == model::statistics(chosen, GroupBy::traceback, false));
  CHECK(model::traces_of(selected.select_blocks(std::vector<std::size_t>{1, 4})) ==
        model::Traces{chosen[1], chosen[4]});
  CHECK_THROWS_AS(selected.select_blocks(std::vector<std::size_t>{positions.size()}), std::invalid_argument);

  std::vector<std::uint8_t> keep(snapshot.column_count(), 0);
  keep[0] = 1;
  const Snapshot one = snapshot.select_rows(keep);
  CHECK(one.rows().size() == 1);
  CHECK(one.total_count() == snapshot.row(0).count);
  CHECK(one.block_count() == snapshot.row(0).count);
  keep.pop_back();
  CHECK_THROWS_AS(snapshot.select_rows(keep), std::invalid_argument);
}

TEST_CASE("blocks compare equal as traces do") {
  model::Random random(6);
  const model::Traces traces = random.traces(80);
  const Snapshot snapshot = model::build(traces);
  CHECK(snapshot.same_blocks(snapshot));
  CHECK(snapshot.same_blocks(model::build(traces)));

  const auto differs = [&](auto&& change) {
    model::Traces changed = traces;
    change(changed);
    return !snapshot.same_blocks(model::build(changed));
  };
  CHECK(differs([](model::Traces& t) { t.pop_back(); }));
  CHECK(differs([](model::Traces& t) { t[7].size += 1; }));
  CHECK(differs([](model::Traces& t) { t[7].domain += 1; }));
  CHECK(differs([](model::Traces& t) { t[7].total_nframe += 1; }));
  CHECK(differs([](model::Traces& t) { t[7].frames[0].lineno += 1; }));
  CHECK(differs([](model::Traces& t) { t[7].frames.push_back({"z.py", 1}); }));
  CHECK_FALSE(differs([](model::Traces& t) { t[7].frames[0].function = "other"; }));

  const std::vector<AnyFilter> by_domain{DomainFilter{true, 1}};
  CHECK(filter_traces(snapshot, by_domain).same_blocks(model::build(model::filter_traces(traces, by_domain))));
  CHECK_FALSE(filter_traces(snapshot, by_domain).same_blocks(snapshot));

  // Two halves of one snapshot, equally long.
  const Snapshot pair = model::build({{0, 1, {{"a.py", 1}}, 1}, {0, 1, {{"b.py", 1}}, 1}});
  const std::vector<AnyFilter> only_a{Filter(true, "a.py")}, only_b{Filter(true, "b.py")};
  CHECK_FALSE(filter_traces(pair, only_a).same_blocks(filter_traces(pair, only_b)));
  CHECK(filter_traces(pair, only_a).same_blocks(filter_traces(pair, only_a)));
}
