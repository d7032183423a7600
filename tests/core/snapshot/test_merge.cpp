#include "snapshot/merge.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "snapshot/churn.h"
#include "snapshot/flat_rows.h"
#include "snapshot/format.h"
#include "tests/core/snapshot/model.h"

using namespace memtrace::snapshot;

namespace {

// The names that a process has for its numbers: other ones in each.
using Names = std::map<std::uint32_t, std::string>;

struct Process {
  model::Traces traces;
  std::map<Tag, Names> names;
  Snapshot snapshot;
};

constexpr Tag kNamed[] = {Tag::generation, Tag::thread, Tag::label};

// What the churn of a trace's row is in these tests: of every block another two were allocated.
Churn churn_of(const std::shared_ptr<Dictionary>& dictionary, const model::Traces& traces) {
  const Snapshot rows = model::build_tagged(dictionary, traces, false);
  const std::vector<ResolvedRecord> keys(rows.keys().begin(), rows.keys().end());
  Counters allocated = rows.counters();
  for (std::uint64_t& count : allocated.count) count *= 3;
  return {Snapshot::resolved(dictionary, keys, allocated, std::nullopt, 25),
          std::make_shared<Churn::Ended>(Churn::Ended{rows.counters(), rows.counters()}), traces.size()};
}

Process random_process(model::Random& random) {
  auto dictionary = std::make_shared<Dictionary>();
  model::Traces traces = random.tagged_traces(random.below(60));
  const Snapshot snapshot = model::build_tagged(dictionary, traces)
                                .with_churn(std::make_shared<const LazyChurn>(churn_of(dictionary, traces)));
  std::map<Tag, Names> names;
  for (const Tag tag : {Tag::thread, Tag::label}) {
    // Numbers from 1 on have one of few names each, in an order of the process's own.
    std::vector<std::string> left{"a", "b", "c", "d", "e", "f", "g", "h", "i"};
    for (const std::uint32_t number : {1u, 2u, 3u, 4u, 7u, 0xFFFFFFFFu}) {
      const auto chosen = left.begin() + random.below(static_cast<std::uint32_t>(left.size()));
      names[tag][number] = *chosen;
      dictionary->set_tag_name(tag, number, *chosen);
      left.erase(chosen);
    }
  }
  // Marks are named after the alphabet, so that there is an order of all.
  std::uint32_t letter = 0;
  for (std::uint32_t number = 1; number < 4; ++number) {
    letter += 1 + random.below(3);
    names[Tag::generation][number] = std::string(1, static_cast<char>('a' + letter));
    dictionary->set_tag_name(Tag::generation, number, names[Tag::generation][number]);
  }
  return {std::move(traces), std::move(names), snapshot};
}

// The frames, and the name or else the number of each tag.
using Identity = std::tuple<std::vector<model::Frame>, std::int32_t, std::uint32_t, std::vector<std::string>>;
struct Sum {
  std::uint64_t count = 0, size = 0;
  friend bool operator==(const Sum&, const Sum&) = default;
};
using Sums = std::map<Identity, Sum>;

std::string name_or_number(const std::map<Tag, Names>& names, Tag tag, std::uint32_t number) {
  const auto found = names.at(tag).find(number);
  return found != names.at(tag).end() ? found->second : std::to_string(number);
}

Identity identity_of(const model::Trace& trace, const std::map<Tag, Names>& names) {
  return {trace.frames,
          trace.total_nframe,
          trace.domain,
          {name_or_number(names, Tag::generation, trace.generation), name_or_number(names, Tag::thread, trace.thread),
           name_or_number(names, Tag::label, trace.label)}};
}

std::map<Tag, Names> names_in(const Dictionary& dictionary) {
  std::map<Tag, Names> names;
  for (const Tag tag : kNamed) {
    names[tag];
    for (const auto& [number, id] : dictionary.tag_names(tag)) names[tag][number] = std::string(dictionary.string(id));
  }
  return names;
}

Sums sums_of(const Snapshot& snapshot, const Counters& counters) {
  const std::map<Tag, Names> names = names_in(*snapshot.dictionary());
  Sums sums;
  for (const std::uint32_t row : snapshot.rows()) {
    const ResolvedRecord& key = snapshot.keys()[row];
    const Dictionary& dictionary = *snapshot.dictionary();
    const Traceback traceback = dictionary.traceback(key.traceback);
    model::Trace trace{key.domain, 0, {}, traceback.total_nframe, key.generation, key.thread, key.label};
    for (const FrameId id : dictionary.frames_of(traceback.stack)) {
      const Frame& frame = dictionary.frame(id);
      trace.frames.push_back({std::string(dictionary.string(frame.filename)), frame.lineno,
                              std::string(dictionary.string(frame.function))});
    }
    Sum& sum = sums[identity_of(trace, names)];
    sum.count += counters.count[row];
    sum.size += counters.size[row];
  }
  return sums;
}

// Loops over blocks, by names.
Sums expected_sums(const std::vector<Process>& processes, std::uint64_t times) {
  Sums sums;
  for (const Process& process : processes) {
    for (const model::Trace& trace : process.traces) {
      Sum& sum = sums[identity_of(trace, process.names)];
      sum.count += times;
      sum.size += trace.size;
    }
  }
  return sums;
}

std::vector<Snapshot> snapshots_of(const std::vector<Process>& processes) {
  std::vector<Snapshot> snapshots;
  for (const Process& process : processes) snapshots.push_back(process.snapshot);
  return snapshots;
}

Snapshot one_row(const ResolvedRecord& key, Counters counters, std::optional<BlockColumns> blocks = std::nullopt) {
  auto dictionary = std::make_shared<Dictionary>();
  return Snapshot::resolved(std::move(dictionary), {key}, std::move(counters), std::move(blocks), 1);
}

}  // namespace

TEST_CASE("a merge agrees with the model") {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    INFO("seed " << seed);
    model::Random random(seed);
    std::vector<Process> processes;
    for (std::uint32_t left = 1 + random.below(4); left > 0; --left) processes.push_back(random_process(random));
    const Snapshot whole = merge(snapshots_of(processes));

    CHECK(sums_of(whole, whole.counters()) == expected_sums(processes, 1));
    const Churn& churn = whole.churn()->get();
    CHECK(sums_of(churn.allocated, churn.allocated.counters()) == expected_sums(processes, 3));
    CHECK(sums_of(churn.allocated, churn.ended->freed) == expected_sums(processes, 1));
    CHECK(sums_of(churn.allocated, churn.ended->temporary) == expected_sums(processes, 1));

    // The blocks are those of all, one snapshot after the other.
    std::size_t position = 0;
    const std::map<Tag, Names> names = names_in(*whole.dictionary());
    for (const Process& process : processes) {
      for (const model::Trace& trace : process.traces) {
        const model::Trace found = model::trace_at(whole, position++);
        CHECK(found.size == trace.size);
        CHECK(identity_of(found, names) == identity_of(trace, process.names));
      }
    }
    CHECK(position == whole.block_count());

    // The marks of each keep their order.
    std::map<std::string, std::uint32_t> number_of;
    for (const auto& [number, name] : names.at(Tag::generation)) number_of[name] = number;
    for (const Process& process : processes) {
      std::uint32_t before = 0;
      for (const auto& [number, name] : process.names.at(Tag::generation)) {
        CHECK(before < number_of.at(name));
        before = number_of.at(name);
      }
    }
    CHECK(sums_of(from_bytes(to_bytes(whole)), from_bytes(to_bytes(whole)).counters()) ==
          sums_of(whole, whole.counters()));
  }
}

TEST_CASE("flat rows add up to the snapshot") {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    INFO("seed " << seed);
    model::Random random(seed);
    const Process process = random_process(random);
    const FlatRows rows = flatten(process.snapshot);
    using Key = std::tuple<std::vector<model::Frame>, std::uint32_t, std::uint32_t, std::uint32_t, std::uint32_t>;
    std::map<Key, std::vector<std::uint64_t>> found, expected;
    for (std::size_t row = 0; row < rows.keys.size(); ++row) {
      const ResolvedRecord& key = rows.keys[row];
      std::vector<model::Frame> frames;
      for (const FrameId id : rows.dictionary->frames_of(key.traceback)) {
        const Frame& frame = rows.dictionary->frame(id);
        frames.push_back({std::string(rows.dictionary->string(frame.filename)), frame.lineno,
                          std::string(rows.dictionary->string(frame.function))});
      }
      auto& amounts = found[{frames, key.domain, key.generation, key.thread, key.label}];
      CHECK(amounts.empty());  // no key is there twice
      amounts = {rows.live.count[row],  rows.live.size[row],  rows.allocated.count[row], rows.allocated.size[row],
                 rows.freed.count[row], rows.freed.size[row], rows.temporary.count[row], rows.temporary.size[row]};
    }
    for (const model::Trace& trace : process.traces) {
      auto& amounts = expected[{trace.frames, trace.domain, trace.generation, trace.thread, trace.label}];
      amounts.resize(8);
      for (const std::size_t i : {0u, 4u, 6u}) amounts[i] += 1;
      amounts[2] += 3;
      for (const std::size_t i : {1u, 3u, 5u, 7u}) amounts[i] += trace.size;
    }
    CHECK(found == expected);
  }
}

TEST_CASE("a merge needs a snapshot, and room") {
  CHECK_THROWS_AS(merge({}), std::invalid_argument);
  const Snapshot half = one_row({}, {{1}, {std::uint64_t{1} << 62}});
  CHECK(merge(std::vector{half}).total_size() == std::uint64_t{1} << 62);
  CHECK_THROWS_AS(merge(std::vector{half, half}), std::length_error);
}

TEST_CASE("samples keep their weights in a merge") {
  const memtrace::Weight weight = memtrace::weight_of(100, 4096);
  const auto sampled = [&](std::uint64_t interval) {
    BlockColumns blocks;
    blocks.append(0, 100);
    const memtrace::Weight own = memtrace::weight_of(100, interval);
    return one_row({}, {{memtrace::rounded(own.spread.count)}, {own.bytes}, {own.spread}, {interval}, interval},
                   blocks);
  };
  BlockColumns blocks;
  blocks.append(0, 7);
  const Snapshot exact = one_row({}, {{1}, {7}}, blocks);
  const Snapshot whole = merge(std::vector{sampled(4096), exact, sampled(512), sampled(4096)});
  CHECK(whole.sample_interval() == 4096);
  CHECK(whole.column_count() == 3);
  CHECK(whole.counters().interval == std::vector<std::uint64_t>{4096, 0, 512});
  CHECK(whole.counters().spread[0].bytes_variance == 2 * weight.spread.bytes_variance);
  CHECK(whole.counters().count[0] == memtrace::rounded(2 * weight.spread.count));
  CHECK(whole.counters().spread[1] == memtrace::Spread{1, 0, 0});
  CHECK(whole.total_size() == 2 * weight.bytes + 7 + memtrace::weight_of(100, 512).bytes);
  // What single blocks come to is what their rows do.
  const std::size_t all[] = {0, 1, 2, 3};
  CHECK(whole.select_blocks(all).total_size() == whole.total_size());
}

TEST_CASE("blocks, types and churn are merged where all have them") {
  const auto typed = [](const char* name) {
    auto dictionary = std::make_shared<Dictionary>();
    const StringId type = dictionary->intern_string(name);
    dictionary->set_tag_name(Tag::type, type, name);
    return Snapshot::resolved(std::move(dictionary), {{.type = type}}, {{1}, {5}}, BlockColumns{}, 1);
  };
  const Snapshot plain = one_row({}, {{1}, {5}});
  const Snapshot empty = one_row({}, {{0}, {0}}, BlockColumns{});

  const Snapshot both = merge(std::vector{empty, typed("list"), typed("dict"), typed("list")});
  CHECK(both.has_types());
  CHECK(both.has_blocks());
  CHECK(both.column_count() == 2);
  CHECK(both.dictionary()->tag_name(Tag::type, both.keys()[0].type) == "list");
  CHECK(both.counters().size == std::vector<std::uint64_t>{10, 5});

  const Snapshot mixed = merge(std::vector{typed("list"), plain});
  CHECK(!mixed.has_types());
  CHECK(!mixed.has_blocks());
  CHECK(mixed.churn() == nullptr);
  CHECK(mixed.column_count() == 1);
}

TEST_CASE("marks that contradict each other are left out") {
  const auto marked = [](const char* first, const char* second) {
    auto dictionary = std::make_shared<Dictionary>();
    dictionary->set_tag_name(Tag::generation, 1, first);
    dictionary->set_tag_name(Tag::generation, 2, second);
    return Snapshot::resolved(std::move(dictionary), {{.generation = 1}, {.generation = 2}}, {{1, 1}, {5, 6}},
                              std::nullopt, 1);
  };
  const Snapshot agreed = merge(std::vector{marked("a", "c"), marked("b", "c")});
  CHECK(agreed.column_count() == 3);
  CHECK(agreed.dictionary()->tag_name(Tag::generation, 3) == "c");
  const Snapshot contrary = merge(std::vector{marked("a", "b"), marked("b", "a")});
  CHECK(contrary.dictionary()->tag_names(Tag::generation).empty());
  CHECK(contrary.column_count() == 1);
  CHECK(contrary.keys()[0].generation == 0);
}

TEST_CASE("a merge is of no snapshot's origin, and adds up what was dropped") {
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
  const auto dropping = [](std::uint64_t dropped) {
    return Snapshot::resolved(std::make_shared<Dictionary>(), {{}}, {{1}, {5}}, std::nullopt, 9, dropped, 77);
  };
  const Snapshot first = dropping(3);
  const Snapshot whole = merge(std::vector{first, dropping(4)});
  CHECK(whole.dropped() == 7);
  CHECK(whole.mark() == 0);
  CHECK(whole.traceback_limit() == 9);
  CHECK(whole.dictionary()->origin() != first.dictionary()->origin());
  CHECK(merge(std::vector{first, dropping(kMost)}).dropped() == kMost);
}
