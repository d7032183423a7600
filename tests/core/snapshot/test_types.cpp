// Types of rows, groups by a number and a key of frames, and the rows of one group.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "snapshot/compare.h"
#include "snapshot/format.h"
#include "snapshot/statistics.h"
#include "tests/core/snapshot/file_maker.h"
#include "tests/core/snapshot/model.h"

using namespace memtrace::snapshot;

namespace {

constexpr GroupBy kFrameKeys[] = {GroupBy::filename, GroupBy::lineno, GroupBy::function, GroupBy::module};

model::Traces of_domain(const model::Traces& traces, std::uint32_t domain) {
  model::Traces chosen;
  for (const model::Trace& trace : traces)
    if (trace.domain == domain) chosen.push_back(trace);
  return chosen;
}

template <class Plain, class Result>
std::vector<std::pair<std::uint32_t, Plain>> sorted_pairs(const Result& result) {
  const std::vector<Plain> plain = model::plain(result);
  std::vector<std::pair<std::uint32_t, Plain>> pairs;
  for (std::size_t i = 0; i < plain.size(); ++i) pairs.emplace_back(result.items[i].number, plain[i]);
  std::sort(pairs.begin(), pairs.end());
  return pairs;
}

// Rows (record, type), in which records come more than once.
struct Typed {
  std::shared_ptr<Dictionary> dictionary = std::make_shared<Dictionary>();
  StringId list = name("list"), dict = name("dict");
  Snapshot snapshot;

  explicit Typed(bool with_blocks = true)
      : snapshot(Snapshot::deferred(dictionary, std::make_shared<Lines>(), {7, 7, 3}, {{1, 2, 1}, {10, 5, 100}},
                                    with_blocks ? std::optional(blocks()) : std::nullopt, 1, 0, 0,
                                    {list, dict, list})) {}

 private:
  class Lines final : public Resolver {
    void resolve(std::span<const RecordNumber> records, Dictionary& to, std::span<ResolvedRecord> out) override {
      for (std::size_t i = 0; i < records.size(); ++i) {
        const auto line = static_cast<std::int32_t>(records[i]);
        out[i] = {.traceback = model::intern(to, {0, 0, {{"a.py", line}}, 1})};
      }
    }
  };

  StringId name(std::string_view text) {
    const StringId id = dictionary->intern_string(text);
    dictionary->set_tag_name(Tag::type, id, text);
    return id;
  }
  static BlockColumns blocks() {
    BlockColumns blocks;
    blocks.append(1, 2);
    blocks.append(0, 10);
    blocks.append(2, 100);
    blocks.append(1, 3);
    return blocks;
  }
};

std::map<std::string, std::uint64_t> sizes_by_type(const Snapshot& snapshot) {
  std::map<std::string, std::uint64_t> sizes;
  for (const Statistic& item : statistics(snapshot, GroupBy::type).items) sizes[std::string(item.key)] = item.size;
  return sizes;
}

}  // namespace

TEST_CASE("groups by domain and frames are the model's of each domain") {
  for (std::uint64_t seed = 0; seed < 80; ++seed) {
    model::Random random(seed);
    const model::Traces traces = random.traces(1 + random.below(150));
    const Snapshot snapshot = model::build(traces);
    for (const GroupBy key : kFrameKeys) {
      INFO("seed " << seed << ", " << name_of(key));
      std::vector<std::pair<std::uint32_t, model::Statistic>> expected;
      for (std::uint32_t domain = 0; domain < 3; ++domain)
        for (auto& item : model::statistics(of_domain(traces, domain), key, false)) expected.emplace_back(domain, item);
      std::sort(expected.begin(), expected.end());
      const Statistics result = statistics(snapshot, {key, Tag::domain});
      REQUIRE(sorted_pairs<model::Statistic>(result) == expected);
      REQUIRE(std::is_sorted(result.items.begin(), result.items.end(), [](const Statistic& a, const Statistic& b) {
        return std::pair(a.size, a.count) > std::pair(b.size, b.count);
      }));
    }
  }
}

TEST_CASE("differences by domain and frames are the model's of each domain") {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    model::Random random(seed);
    const model::Traces before = random.traces(1 + random.below(80)), now = random.traces(1 + random.below(80));
    for (const GroupBy key : kFrameKeys) {
      INFO("seed " << seed << ", " << name_of(key));
      std::vector<std::pair<std::uint32_t, model::Difference>> expected;
      for (std::uint32_t domain = 0; domain < 3; ++domain)
        for (auto& item : model::compare(of_domain(now, domain), of_domain(before, domain), key, false))
          expected.emplace_back(domain, item);
      std::sort(expected.begin(), expected.end());
      const Comparison result = compare(model::build(now), model::build(before), {key, Tag::domain});
      REQUIRE(sorted_pairs<model::Difference>(result) == expected);
    }
  }
}

TEST_CASE("what cannot be joined is refused") {
  const Snapshot snapshot = model::build({{0, 1, {{"a.py", 1}}, 1}});
  CHECK_THROWS_AS(statistics(snapshot, {GroupBy::traceback, Tag::domain}), std::invalid_argument);
  CHECK_THROWS_AS(statistics(snapshot, {GroupBy::label, Tag::domain}), std::invalid_argument);
  CHECK_THROWS_AS(statistics(snapshot, {GroupBy::lineno, Tag::domain}, true), std::invalid_argument);
  CHECK_THROWS_AS(compare(snapshot, snapshot, {GroupBy::label, Tag::domain}), std::invalid_argument);
  CHECK_THROWS_AS(select_group(snapshot, {GroupBy::label, Tag::domain}, false, {}, 0), std::invalid_argument);
}

TEST_CASE("a group's rows add up to the group") {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    model::Random random(seed);
    const model::Traces traces = random.tagged_traces(1 + random.below(120));
    const Snapshot snapshot = model::build_tagged(std::make_shared<Dictionary>(), traces);
    const auto check = [&](Grouping group_by, bool cumulative) {
      INFO("seed " << seed << ", " << name_of(group_by.by) << ", cumulative " << cumulative);
      for (const Statistic& item : statistics(snapshot, group_by, cumulative).items) {
        const Snapshot rows = select_group(snapshot, group_by, cumulative, item.site, item.number);
        REQUIRE(rows.total_size() == item.size);
        REQUIRE(rows.total_count() == item.count);
      }
    };
    for (const GroupBy key : model::kEveryKey) check(key, false);
    for (const GroupBy key : kFrameKeys) check({key, Tag::domain}, false);
    for (const GroupBy key : {GroupBy::function, GroupBy::module}) check(key, true);
  }
}

TEST_CASE("a line's rows are those whose tracebacks have it, if it counts wherever it is") {
  model::Random random(5);
  const model::Traces traces = random.traces(300);
  const Snapshot snapshot = model::build(traces);
  for (const Statistic& item : statistics(snapshot, GroupBy::lineno, true).items) {
    const auto place = model::places_of(*snapshot.dictionary(), GroupBy::lineno, item.site)[0];
    std::uint64_t size = 0;
    for (const model::Trace& trace : traces) {
      const bool has = std::any_of(trace.frames.begin(), trace.frames.end(),
                                   [&](const model::Frame& frame) { return frame.place() == place; });
      if (has) size += trace.size;
    }
    REQUIRE(select_group(snapshot, GroupBy::lineno, true, item.site, 0).total_size() == size);
  }
}

TEST_CASE("a group can be selected when its dictionary has grown since") {
  model::Random random(6);
  const Snapshot snapshot = model::build(random.traces(100));
  const Statistics before = statistics(snapshot, GroupBy::lineno);
  Dictionary& dictionary = *snapshot.dictionary();
  const FrameId first = dictionary.intern_frame({.filename = dictionary.intern_string("!.py"), .lineno = -7});
  dictionary.intern_traceback({&first, 1}, 1);
  for (const Statistic& item : before.items)
    REQUIRE(select_group(snapshot, GroupBy::lineno, false, item.site, 0).total_size() == item.size);
}

TEST_CASE("one record can have rows of several types") {
  const Typed typed;
  CHECK(typed.snapshot.has_types());
  CHECK(sizes_by_type(typed.snapshot) == std::map<std::string, std::uint64_t>{{"list", 110}, {"dict", 5}});
  REQUIRE(typed.snapshot.block_count() == 4);
  CHECK(typed.snapshot.block(0).row == 1);
  CHECK(typed.snapshot.block(2).row == 2);
  CHECK(typed.snapshot.dropped() == 0);
  const Statistics by_line = statistics(typed.snapshot, GroupBy::lineno);
  REQUIRE(by_line.items.size() == 2);
  CHECK(by_line.items[1].size == 15);
  const Statistics pairs = statistics(typed.snapshot, {GroupBy::lineno, Tag::type});
  REQUIRE(pairs.items.size() == 3);
  CHECK(pairs.items[0].joined == "list");
  CHECK(pairs.items[2].joined == "dict");
  CHECK(Typed(false).snapshot.total_size() == 115);
  CHECK_FALSE(model::build({{0, 1, {{"a.py", 1}}, 1}}).has_types());
  CHECK_THROWS_AS(Snapshot::deferred(typed.dictionary, nullptr, {1}, {{1}, {1}}, std::nullopt, 1, 0, 0, {1, 2}),
                  std::invalid_argument);
}

TEST_CASE("types come back from a file, those of rows that were filtered out do not") {
  const Typed typed;
  const Snapshot read = from_bytes(to_bytes(typed.snapshot));
  CHECK(sizes_by_type(read) == sizes_by_type(typed.snapshot));
  CHECK(model::traces_of(read) == model::traces_of(typed.snapshot));
  CHECK(compare(read, typed.snapshot, {GroupBy::lineno, Tag::type}).items.size() == 3);
  for (const StatisticDiff& item : compare(read, typed.snapshot, GroupBy::type).items) CHECK(item.size_diff == 0);

  const Snapshot lists = select_group(typed.snapshot, GroupBy::type, false, {}, typed.list);
  const Snapshot read_lists = from_bytes(to_bytes(lists));
  CHECK(sizes_by_type(read_lists) == std::map<std::string, std::uint64_t>{{"list", 110}});
  CHECK(read_lists.dictionary()->tag_names(Tag::type).size() == 1);
  CHECK_FALSE(from_bytes(to_bytes(model::build({{0, 1, {{"a.py", 1}}, 1}}))).has_types());
}

TEST_CASE("types in a file that do not fit its rows are refused") {
  const auto file = [](const std::function<void(ByteWriter&)>& types) {
    FileMaker maker;
    types(maker.section(SectionId::types));
    return maker.bytes();
  };
  const auto name = [](ByteWriter& out, std::uint32_t number, std::string_view text) {
    out.number(number);
    out.number(static_cast<std::uint32_t>(text.size()));
    out.text(text);
  };
  const auto section = [&](std::string_view text, std::vector<std::uint32_t> types) {
    return file([&](ByteWriter& out) {
      out.number(std::uint32_t{1});
      name(out, 9, text);
      out.column(types);
    });
  };
  CHECK(sizes_by_type(from_bytes(section("list", {9, 9}))) == std::map<std::string, std::uint64_t>{{"list", 40}});
  CHECK_THROWS_AS(from_bytes(section("list", {9, 8})), FormatError);
  CHECK_THROWS_AS(from_bytes(section("list", {9})), FormatError);
  CHECK_THROWS_AS(from_bytes(section("list", {9, 9, 9})), FormatError);
  CHECK_THROWS_AS(from_bytes(section("", {9, 9})), FormatError);
  CHECK_THROWS_AS(from_bytes(section("\xff", {9, 9})), FormatError);
  CHECK_THROWS_AS(from_bytes(file([](ByteWriter& out) { out.number(std::uint32_t{0xFFFFFFFF}); })), FormatError);
}
