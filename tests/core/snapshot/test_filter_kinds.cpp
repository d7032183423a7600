// The filters that tracemalloc does not have, and combinations of all, against an evaluation block by block.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

#include "snapshot/filter.h"
#include "snapshot/format.h"
#include "snapshot/module_name.h"
#include "tests/core/snapshot/model.h"

using namespace memtrace::snapshot;

namespace {

const std::map<std::uint32_t, std::string> kLabels{{1, "GET /users"}, {2, "GET /page"}, {0xFFFFFFFF, "other labels"}};
const std::map<std::uint32_t, std::string> kThreads{
    {0, "other threads"}, {1, "MainThread (100)"}, {2, "pool (a) (1001)"}, {3, "pool (100)x"}};

std::string shown(const std::map<std::uint32_t, std::string>& names, std::uint32_t number) {
  const auto found = names.find(number);
  return found != names.end() ? found->second : std::to_string(number);
}

Snapshot build_named(const model::Traces& traces, bool with_blocks = true) {
  auto dictionary = std::make_shared<Dictionary>();
  for (const auto& [number, name] : kLabels) dictionary->set_tag_name(Tag::label, number, name);
  for (const auto& [number, name] : kThreads) dictionary->set_tag_name(Tag::thread, number, name);
  return model::build_tagged(std::move(dictionary), traces, with_blocks);
}

// --- The reference ---

template <class Fits>
bool some_frame(const model::Trace& block, bool all_frames, Fits&& fits) {
  if (!all_frames) return fits(block.frames.back());
  return std::any_of(block.frames.begin(), block.frames.end(), fits);
}

bool keeps(const AnyFilter& any, const model::Trace& block, std::size_t position);

struct Matches {
  const model::Trace& block;
  std::size_t position;

  bool operator()(const Filter& filter) const {
    return (!filter.domain || *filter.domain == block.domain) &&
           some_frame(block, filter.all_frames,
                      [&](const model::Frame& frame) { return filter.fits(frame.filename, frame.lineno); });
  }
  bool operator()(const DomainFilter& filter) const { return filter.domain == block.domain; }
  bool operator()(const NameFilter& filter) const {
    const GroupBy key = filter.name_of == NameOf::function ? GroupBy::function : GroupBy::module;
    return some_frame(block, filter.all_frames, [&](const model::Frame& frame) {
      return std::any_of(filter.patterns.begin(), filter.patterns.end(),
                         [&](const Pattern& pattern) { return pattern.matches(model::key_of(frame, key)); });
    });
  }
  bool operator()(const TagFilter& filter) const {
    switch (filter.tag) {
      case Tag::label:
        return filter.pattern.matches(shown(kLabels, block.label));
      case Tag::generation:
        return filter.pattern.matches(std::to_string(block.generation));
      default:
        return filter.pattern.matches(std::to_string(block.domain));
    }
  }
  bool operator()(const ThreadFilter& filter) const {
    std::string name = shown(kThreads, block.thread), native_id;
    if (block.thread == 1 || block.thread == 2) {
      native_id = block.thread == 1 ? "100" : "1001";
      name.resize(name.size() - native_id.size() - 3);
    }
    if (const auto* pattern = std::get_if<Pattern>(&filter.name_or_native_id)) return pattern->matches(name);
    return native_id == std::to_string(std::get<std::uint64_t>(filter.name_or_native_id));
  }
  bool operator()(const GenerationFilter& filter) const {
    return filter.first <= block.generation && block.generation < filter.end;
  }
  bool operator()(const SizeFilter& filter) const { return filter.min <= block.size && block.size <= filter.max; }
  bool operator()(const BlockFilter& filter) const { return filter.matches[position] != 0; }
  bool operator()(const Combined& combined) const {
    bool all = true, any = false;
    for (const AnyFilter& operand : combined.operands) {
      const bool kept = keeps(operand, block, position);
      all = all && kept;
      any = any || kept;
    }
    return combined.op == Operator::all_of ? all : combined.op == Operator::any_of ? any : !any;
  }
};

bool keeps(const AnyFilter& any, const model::Trace& block, std::size_t position) {
  return std::visit(Matches{block, position}, any) == any.is_inclusive();
}

model::Traces kept(const model::Traces& blocks, const std::vector<AnyFilter>& filters) {
  model::Traces result;
  for (std::size_t at = 0; at < blocks.size(); ++at) {
    bool any_inclusive = false, included = false, excluded = false;
    for (const AnyFilter& filter : filters) {
      const bool is_kept = keeps(filter, blocks[at], at);
      any_inclusive = any_inclusive || filter.is_inclusive();
      included = included || (filter.is_inclusive() && is_kept);
      excluded = excluded || (!filter.is_inclusive() && !is_kept);
    }
    if ((included || !any_inclusive) && !excluded) result.push_back(blocks[at]);
  }
  return result;
}

// --- Random data ---

class Random : public model::Random {
 public:
  using model::Random::Random;

  AnyFilter leaf(std::size_t block_count, bool with_blocks) {
    static const std::vector<std::string> names{"*",          "a.*",  "b", "pkg*",         "*.C.g", "json.decoder",
                                                "*<unknown>", "none", "?", "*caf\xC3\xA9*"};
    static const std::vector<std::string> tags{"*", "GET *", "GET /users", "other*", "0", "7", "[0-2]", "none"};
    static const std::vector<std::string> threads{"*", "MainThread", "pool*", "pool (a)", "other threads", "4", "none"};
    const auto one_of = [&](const auto& texts) { return texts[below(static_cast<std::uint32_t>(texts.size()))]; };
    const bool inclusive = chance(2);
    switch (below(with_blocks ? 8 : 6)) {
      case 0:
        return filter();
      case 1:
      case 2: {
        NameFilter by_name{inclusive, chance(2) ? NameOf::function : NameOf::module, {}, chance(2)};
        for (std::uint32_t i = below(3); i-- > 0;) by_name.patterns.emplace_back(one_of(names));
        return by_name;
      }
      case 3:
        return TagFilter{inclusive, chance(3) ? Tag::generation : Tag::label, Pattern(one_of(tags))};
      case 4:
        if (chance(2)) return ThreadFilter{inclusive, std::uint64_t{chance(2) ? 100u : 1001u}};
        return ThreadFilter{inclusive, Pattern(one_of(threads))};
      case 5:
        if (chance(2)) return GenerationFilter{inclusive, below(5)};
        return GenerationFilter{inclusive, below(5), below(5)};
      case 6: {
        BlockFilter chosen{inclusive, {}};
        for (std::size_t i = 0; i < block_count; ++i) chosen.matches.push_back(chance(2));
        return chosen;
      }
      default:
        if (chance(2)) return SizeFilter{inclusive, 8ull * below(4), 0xFFFFFFFF};
        return SizeFilter{inclusive, 8, 8ull * below(4)};
    }
  }

  AnyFilter expression(int depth, std::size_t block_count, bool with_blocks) {
    if (depth == 0 || chance(4)) return leaf(block_count, with_blocks);
    Combined combined{!chance(5), static_cast<Operator>(below(3)), {}};
    for (std::uint32_t i = combined.op == Operator::none_of ? 1 : 1 + below(3); i-- > 0;) {
      combined.operands.push_back(expression(depth - 1, block_count, with_blocks));
    }
    return combined;
  }
};

}  // namespace

TEST_CASE("combined filters of every kind agree with the model, one after the other too") {
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    Random random(seed);
    model::Traces blocks = random.tagged_traces(1 + random.below(60));
    Snapshot snapshot = build_named(blocks);
    for (int step = 0; step < 3; ++step) {
      std::vector<AnyFilter> filters;
      for (std::uint32_t i = random.below(4); i-- > 0;) {
        filters.push_back(random.expression(4, snapshot.block_count(), step > 0 || random.chance(2)));
      }
      INFO("seed " << seed << ", step " << step);
      blocks = kept(blocks, filters);
      snapshot = filter_traces(snapshot, filters);
      REQUIRE(model::traces_of(snapshot) == blocks);
      REQUIRE(snapshot.total_count() == blocks.size());
    }
    // As they are, through files.
    REQUIRE(model::traces_of(from_bytes(to_bytes(snapshot))) == blocks);
  }
}

TEST_CASE("filters of rows need no blocks") {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    Random random(seed);
    const model::Traces blocks = random.tagged_traces(50);
    const std::vector<AnyFilter> filters{random.expression(4, blocks.size(), false)};
    const Snapshot snapshot = build_named(blocks, false);
    INFO("seed " << seed);
    const model::Traces expected = kept(blocks, filters);
    CHECK(filter_traces(snapshot, filters).total_count() == expected.size());
    CHECK(filter_traces(from_bytes(to_bytes(snapshot)), filters).total_count() == expected.size());
  }
}

TEST_CASE("without blocks a filter of blocks is refused, also where the others decide") {
  const model::Traces blocks = Random(1).tagged_traces(10);
  const AnyFilter by_size = SizeFilter{true, 1};
  const std::vector<AnyFilter> alone{by_size},
      beside_others{GenerationFilter{false, 0}, Combined{true, Operator::all_of, {DomainFilter{true, -1}, by_size}}};
  CHECK_THROWS_AS(filter_traces(build_named(blocks, false), alone), std::invalid_argument);
  CHECK_THROWS_AS(filter_traces(build_named(blocks, false), beside_others), std::invalid_argument);
  CHECK_THROWS_AS(filter_traces(build_named({}, false), alone), std::invalid_argument);
  CHECK(filter_traces(build_named({}), alone).block_count() == 0);
}

TEST_CASE("chosen blocks are those of the snapshot") {
  const model::Traces blocks = Random(2).tagged_traces(10);
  const std::vector<AnyFilter> too_few{BlockFilter{true, {1, 1}}};
  CHECK_THROWS_AS(filter_traces(build_named(blocks), too_few), std::invalid_argument);
}

TEST_CASE("what only rows decide stays a selection of rows") {
  const model::Traces blocks = Random(3).tagged_traces(50);
  const Snapshot snapshot = build_named(blocks);
  const std::vector<AnyFilter> decided{Combined{
      true,
      Operator::all_of,
      {DomainFilter{true, 1}, Combined{true, Operator::any_of, {SizeFilter{true, 1}, DomainFilter{true, 1}}}}}};
  const Snapshot filtered = filter_traces(snapshot, decided);
  CHECK(&filtered.counters() == &snapshot.counters());
}
