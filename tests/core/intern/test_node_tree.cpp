#include "src/intern/node_tree.h"

#include <catch2/catch_test_macros.hpp>
#include <map>
#include <memory>
#include <tuple>
#include <vector>

#include "tests/support/fail_each.h"
#include "tests/support/random.h"
#include "tests/support/threads.h"

using namespace memtrace;

namespace {

std::unique_ptr<NodeTree> open_tree() {
  auto tree = std::make_unique<NodeTree>();
  REQUIRE(tree->open());
  return tree;
}

}  // namespace

TEST_CASE("a tree is a map from (parent, site) to nodes and from (parent, site, context) to records") {
  const auto tree = open_tree();
  std::map<std::pair<NodeId, SiteId>, NodeId> nodes;
  std::map<std::tuple<NodeId, SiteId, ContextId>, RecordId> records;
  std::vector<NodeId> known{kRoot};
  RecordRun run;
  test::Random random(7);
  for (int i = 0; i < 100'000; ++i) {
    // Some parents get far more children than a list of siblings holds.
    const NodeId parent = known[random.one_in(3) ? random.below(3) % known.size() : random.below(known.size())];
    const auto site = static_cast<SiteId>(2 + random.below(random.one_in(4) ? 500 : 6));
    if (random.one_in(2)) {
      const NodeId id = tree->child(parent, site);
      const auto [place, fresh] = nodes.try_emplace({parent, site}, id);
      REQUIRE(place->second == id);
      if (!fresh) continue;
      known.push_back(id);
      CHECK(tree->node(id).parent == parent);
      CHECK(tree->node(id).site == site);
    } else {
      const auto context = static_cast<ContextId>(1 + random.below(3));
      const bool thread_half = context == 3;
      const RecordId id = tree->record(parent, site, context, thread_half ? &run : nullptr);
      REQUIRE(is_thread_record(id) == thread_half);
      const auto [place, fresh] = records.try_emplace({parent, site, context}, id);
      REQUIRE(place->second == id);
      if (!fresh) continue;
      CHECK(tree->key(id).parent == parent);
      CHECK(tree->key(id).site == site);
      CHECK(tree->key(id).context == context);
    }
  }
  CHECK(tree->node_end() == nodes.size() + 2);  // id 0, and the root
  std::size_t held = 0;
  for (const bool thread_half : {false, true})
    for (RecordId id = thread_half ? kThreadRecords : 0; id < tree->record_end(thread_half); ++id)
      held += tree->key(id).site != 0;  // some of a run are not in use yet
  CHECK(held == records.size());
}

TEST_CASE("an anchor is a child of the root like no frame") {
  const auto tree = open_tree();
  CHECK(tree->anchor(0) == kRoot);
  const NodeId anchor = tree->anchor(25);
  CHECK(anchor != kRoot);
  CHECK(tree->anchor(25) == anchor);
  CHECK(tree->anchor(50) != anchor);
  CHECK(tree->child(kRoot, 25) != anchor);
  CHECK(tree->node(anchor).parent == kRoot);
  CHECK(tree->node(anchor).site == (kAnchorSite | 25));
}

TEST_CASE("a node or record for which there was no memory can be had later") {
  // Enough siblings to need the index.
  const auto needed = test::fail_each([](std::int64_t n) {
    auto tree = std::make_unique<NodeTree>();
    RecordRun run;
    const auto record = [&](SiteId site) { return tree->record(kRoot, site, 1, site % 2 == 0 ? &run : nullptr); };
    const auto grow = [&] {
      bool all = tree->open();
      for (SiteId site = 2; site < 20; ++site) all &= tree->child(kRoot, site) != kNone && record(site) != kNone;
      return all;
    };
    bool grown = false;
    {
      const test::Failing failing(n);
      // Nothing may be asked of a tree that is not open.
      if (tree->open()) grown = grow();
    }
    CHECK(grown == (fault::failures.load() == 0));
    REQUIRE(grow());
    for (SiteId site = 2; site < 20; ++site) {
      CHECK(tree->node(tree->child(kRoot, site)).site == site);
      CHECK(tree->key(record(site)).site == site);
    }
  });
  CHECK(needed > 0);
}

TEST_CASE("threads that make records at the same time share no line of counters") {
  const auto tree = open_tree();
  constexpr int kThreads = 4;
  std::vector<std::vector<RecordId>> made(kThreads);
  test::run_together(kThreads, [&](int thread) {
    RecordRun run;
    for (SiteId site = 2; site < 2000; ++site)
      made[static_cast<std::size_t>(thread)].push_back(
          tree->record(kRoot, site, static_cast<ContextId>(thread + 1), &run));
  });
  std::map<RecordId, std::size_t> owner_of_line;
  for (std::size_t thread = 0; thread < made.size(); ++thread)
    for (const RecordId id : made[thread]) {
      REQUIRE(is_thread_record(id));
      REQUIRE(tree->key(id).context == thread + 1);
      REQUIRE(owner_of_line.try_emplace(id / RecordRun::kSize, thread).first->second == thread);
    }
}

TEST_CASE("threads that enter the same stacks find each other's nodes") {
  const auto tree = open_tree();
  constexpr int kThreads = 4;
  constexpr std::size_t kStacks = 2000;
  std::vector<std::vector<RecordId>> found(kThreads, std::vector<RecordId>(kStacks));
  test::run_together(kThreads, [&](int thread) {
    for (std::size_t i = 0; i < kStacks; ++i) {
      const NodeId outer = tree->child(kRoot, static_cast<SiteId>(2 + i % 40));
      const NodeId inner = tree->child(outer, static_cast<SiteId>(2 + i % 7));
      found[static_cast<std::size_t>(thread)][i] = tree->record(inner, static_cast<SiteId>(2 + i), 1, nullptr);
    }
  });
  for (const auto& records : found) {
    for (std::size_t i = 0; i < kStacks; ++i) {
      const auto& key = tree->key(records[i]);
      CHECK(key.site == 2 + i);
      const auto& inner = tree->node(key.parent);
      CHECK(inner.site == 2 + i % 7);
      CHECK(tree->node(inner.parent).site == 2 + i % 40);
    }
  }
}
