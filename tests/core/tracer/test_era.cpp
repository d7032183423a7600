// Whole events against a dumb model: a map from address to record and size.
#include "src/tracer/era.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <map>
#include <memory>
#include <vector>

#include "tests/core/tracer/era_setting.h"
#include "tests/support/random.h"

using namespace memtrace;
using namespace memtrace::test;

TEST_CASE("exclusive events: blocks, sums, total and peak are the model's at any time") {
  Setting setting;
  std::map<std::uint64_t, Held> model;
  std::uint64_t total = 0;
  std::uint64_t peak = 0;
  test::Random random(2);
  for (int i = 0; i < 60'000; ++i) {
    const std::uint64_t address = address_of(random.below(400));
    const auto site = static_cast<SiteId>(2 + random.below(30));
    const auto held = model.find(address);
    if (held == model.end() || random.one_in(20)) {  // at times over a block whose free was never seen
      const std::uint64_t size = random.below(65);
      if (held != model.end()) total -= held->second.size;
      setting.era->add(Access::kExclusive, setting.one, at(address), size, setting.record(site));
      model[address] = {site, size};
      total += size;
      peak = std::max(peak, total);
    } else if (random.one_in(4)) {
      const auto record = [&] { return setting.record(site); };
      if (random.one_in(2) || !setting.era->try_reassign(setting.one, at(address), record))
        setting.era->reassign(Access::kExclusive, setting.one, at(address), record);
      held->second.site = site;
    } else if (random.one_in(5)) {
      const Block taken = setting.era->take(at(address));
      CHECK(taken.size == held->second.size);
      setting.era->put_back(at(address), taken);
    } else {
      CHECK_FALSE(setting.era->remove(Access::kExclusive, setting.one, at(address)));
      total -= held->second.size;
      model.erase(held);
    }
    if (i % 500 != 0) continue;
    REQUIRE(setting.era->traced(setting.threads).current == total);
    REQUIRE(setting.era->traced(setting.threads).peak == peak);
    REQUIRE(setting.live() == sums(model));
    for (const auto& [where, block] : model) REQUIRE(setting.era->find(at(where)).size == block.size);
  }
  CHECK(setting.era->dropped() == 0);
  CHECK(setting.era->blocks().verify());
}

TEST_CASE("reset_peak() makes the peak what is live") {
  Setting setting;
  setting.era->add(Access::kExclusive, setting.one, at(0x1000), 1000, setting.record(2));
  setting.era->remove(Access::kExclusive, setting.one, at(0x1000));
  setting.era->add(Access::kExclusive, setting.one, at(0x2000), 10, setting.record(2));
  CHECK(setting.era->traced(setting.threads).peak == 1000);
  setting.era->reset_peak(setting.threads);
  CHECK(setting.era->traced(setting.threads).peak == 10);
}

TEST_CASE("events without the GIL: sums and total are exact whoever frees what") {
  Setting setting;
  std::map<std::uint64_t, Held> model;
  std::uint64_t total = 0;
  test::Random random(9);
  for (int i = 0; i < 60'000; ++i) {
    const std::uint64_t address = address_of(random.below(400));
    ThreadState& thread = random.one_in(2) ? setting.one : setting.other;
    const Access access = random.one_in(3) ? Access::kExclusive : Access::kApart;
    const auto held = model.find(address);
    if (held == model.end()) {
      const auto site = static_cast<SiteId>(2 + random.below(10));
      const std::uint64_t size = random.below(random.one_in(50) ? 100'000 : 64);
      setting.era->add(access, thread, at(address), size,
                       setting.record(site, access == Access::kApart ? &thread : nullptr));
      model[address] = {site, size};
      total += size;
    } else {
      setting.era->remove(access, thread, at(address));
      total -= held->second.size;
      model.erase(held);
    }
    if (i % 500 != 0) continue;
    const Era::Traced traced = setting.era->traced(setting.threads);
    REQUIRE(traced.current == total);
    REQUIRE(traced.peak >= total);
    REQUIRE(setting.live() == sums(model));
  }
  CHECK(setting.era->dropped() == 0);
}

TEST_CASE("what has come and gone is the model's, whoever frees what") {
  Setting setting;
  struct Churn {
    Amount allocated, freed, temporary;
  };
  std::map<SiteId, Churn> model;
  std::map<std::uint64_t, Held> blocks;
  std::map<ThreadState*, std::pair<std::uint64_t, std::uint64_t>> latest;
  const auto add = [](Amount& sum, std::uint64_t size) { sum = {sum.count + 1, sum.bytes + size}; };
  const auto allocate = [&](ThreadState& thread, std::uint64_t address, Held block) {
    add(model[block.site].allocated, block.size);
    latest[&thread] = {address, latest[&thread].first};
    blocks[address] = block;
  };
  const auto free = [&](ThreadState& thread, std::uint64_t address) {
    const Held block = blocks.at(address);
    add(model[block.site].freed, block.size);
    const auto [newer, older] = latest[&thread];
    if (address == newer || address == older) add(model[block.site].temporary, block.size);
    blocks.erase(address);
  };
  test::Random random(21);
  for (int i = 0; i < 60'000; ++i) {
    const std::uint64_t address = address_of(random.below(12));
    ThreadState& thread = random.one_in(2) ? setting.one : setting.other;
    const Access access = random.one_in(3) ? Access::kApart : Access::kExclusive;
    const ThreadState* owner = access == Access::kApart ? &thread : nullptr;
    const auto site = static_cast<SiteId>(2 + random.below(10));
    const auto record = [&] { return setting.record(site, owner); };
    if (!blocks.contains(address)) {
      const std::uint64_t size = random.below(100);
      setting.era->add(access, thread, at(address), size, record());
      allocate(thread, address, {site, size});
    } else if (random.one_in(3)) {
      const std::uint64_t size = blocks.at(address).size;
      if (access == Access::kApart || !setting.era->try_reassign(thread, at(address), record))
        setting.era->reassign(access, thread, at(address), record);
      free(thread, address);
      allocate(thread, address, {site, size});
    } else {
      setting.era->remove(access, thread, at(address));
      free(thread, address);
    }
    if (i % 1000 != 0) continue;
    std::map<SiteId, Churn> found;
    Sums live;
    const auto sum = [](Amount& to, const Amount& amount) { to = {to.count + amount.count, to.bytes + amount.bytes}; };
    setting.era->for_each_ever(setting.threads, [&](RecordId id, const Amount& amount, const Era::Churned& churned) {
      const SiteId where = setting.era->tables().tree.key(id).site;
      sum(found[where].allocated, churned.allocated);
      sum(found[where].freed, churned.freed);
      sum(found[where].temporary, churned.temporary);
      if (amount.count != 0) sum(live[where], amount);
    });
    REQUIRE(live == sums(blocks));
    REQUIRE(found.size() == model.size());
    for (const auto& [where, churn] : model) {
      REQUIRE(found[where].allocated == churn.allocated);
      REQUIRE(found[where].freed == churn.freed);
      REQUIRE(found[where].temporary == churn.temporary);
    }
  }
}

TEST_CASE("a reused block that is not traced is nobody's, and its owner is not asked for") {
  Setting setting;
  bool asked = false;
  setting.era->reassign(Access::kExclusive, setting.one, at(0x5000), [&] {
    asked = true;
    return setting.record(3);
  });
  CHECK_FALSE(asked);
  CHECK_FALSE(setting.era->find(at(0x5000)));
  CHECK(setting.era->dropped() == 0);
}

TEST_CASE("a reused block is given away at once unless it takes more") {
  Setting setting;
  const auto reassign = [&](std::uint64_t address) {
    return setting.era->try_reassign(setting.one, at(address), [&] { return setting.record(4); });
  };
  CHECK(reassign(0x5000));  // not traced
  setting.era->add(Access::kExclusive, setting.one, at(0x5000), 24, setting.record(3));
  CHECK_FALSE(setting.era->try_reassign(setting.one, at(0x5000), [] { return kNone; }));
  CHECK(setting.era->find(at(0x5000)).record == setting.record(3));
  CHECK(reassign(0x5000));
  CHECK(reassign(0x5000));  // its own already
  // Small, large, of a thread, and where the block table does not reach.
  setting.era->add(Access::kExclusive, setting.one, at(0x6000), 16, setting.record(3));
  setting.era->add(Access::kExclusive, setting.one, at(0x10000), 1ull << 30, setting.record(3));
  setting.era->add(Access::kApart, setting.other, at(0x7000), 24, setting.record(3, &setting.other));
  setting.era->add(Access::kExclusive, setting.one, at(0x8008), 24, setting.record(3));
  for (const std::uint64_t address : {0x6000, 0x10000, 0x7000, 0x8008}) CHECK_FALSE(reassign(address));
  CHECK(setting.live() == Sums{{3, {4, 16 + (1ull << 30) + 24 + 24}}, {4, {1, 24}}});
  CHECK(setting.era->dropped() == 0);
}

TEST_CASE("a reused block whose new owner cannot be had keeps the old one, and counts as dropped") {
  Setting setting;
  const RecordId owner = setting.record(3);
  setting.era->add(Access::kExclusive, setting.one, at(0x5000), 24, owner);
  setting.era->reassign(Access::kExclusive, setting.one, at(0x5000), [] { return kNone; });
  CHECK(setting.era->find(at(0x5000)).record == owner);
  CHECK(setting.era->traced(setting.threads).current == 24);
  CHECK(setting.era->dropped() == 1);
}

TEST_CASE("events apart: a block that is reused by another thread leaves its record and enters the other's") {
  Setting setting;
  setting.era->add(Access::kApart, setting.one, at(0x5000), 24, setting.record(3, &setting.one));
  setting.era->reassign(Access::kApart, setting.other, at(0x5000), [&] { return setting.record(4, &setting.other); });
  CHECK(setting.live() == Sums{{4, {1, 24}}});
  CHECK(setting.era->traced(setting.threads).current == 24);
}

TEST_CASE("domains: a block is known by its domain and its address, and counted as any other") {
  Setting setting;
  constexpr std::uint64_t addresses[] = {0, 1, 16, 0x5000, 1ull << 48, ~0ull};
  std::uint64_t total = 0;
  for (const Access access : {Access::kExclusive, Access::kApart})
    for (int round = 0; round < 2; ++round) {  // the second time in place of the first
      total = 0;
      for (const Domain domain : {0u, 1u, 389047u})
        for (const std::uint64_t address : addresses) {
          const std::uint64_t size = domain + address % 1000 + static_cast<std::uint64_t>(round);
          const ThreadState* owner = access == Access::kApart ? &setting.one : nullptr;
          setting.era->track(access, setting.one, domain, address, size, setting.record(2, owner));
          total += size;
        }
      CHECK(setting.era->traced(setting.threads).current == total);
    }
  CHECK(setting.live().at(2) == Amount{18, total});
  for (const Domain domain : {0u, 1u, 389047u})
    for (const std::uint64_t address : addresses) {
      CHECK(setting.era->find(domain, address).size == domain + address % 1000 + 1);
      setting.era->untrack(Access::kApart, setting.other, domain, address);
      setting.era->untrack(Access::kApart, setting.other, domain, address);
      CHECK_FALSE(setting.era->find(domain, address));
    }
  CHECK(setting.live().empty());
  CHECK(setting.era->traced(setting.threads).current == 0);
  CHECK(setting.era->dropped() == 0);
}

TEST_CASE("recount() finds the sums from the blocks alone") {
  Setting setting;
  for (std::uint64_t i = 0; i < 100; ++i) {
    const bool apart = i % 2 == 0;
    setting.era->add(apart ? Access::kApart : Access::kExclusive, setting.other, at(address_of(i)), i,
                     setting.record(static_cast<SiteId>(2 + i % 3), apart ? &setting.other : nullptr));
  }
  for (std::uint64_t i = 0; i < 100; i += 3) setting.era->remove(Access::kApart, setting.one, at(address_of(i)));
  const auto before = setting.live();
  const std::uint64_t total = setting.era->traced(setting.threads).current;
  setting.era->recount(setting.threads);
  CHECK(setting.live() == before);
  CHECK(setting.era->traced(setting.threads).current == total);
}

TEST_CASE("the free of a registered code object says so, also of one that is older than the trace") {
  Setting setting;
  REQUIRE(setting.era->blocks().mark_code(at(0x5000), 3));
  CHECK(setting.era->remove(Access::kExclusive, setting.one, at(0x5000)));
  CHECK_FALSE(setting.era->remove(Access::kExclusive, setting.one, at(0x5000)));
  setting.era->add(Access::kExclusive, setting.one, at(0x6000), 200, setting.record(2));
  REQUIRE(setting.era->blocks().mark_code(at(0x6000), 4));
  CHECK(setting.era->remove(Access::kExclusive, setting.one, at(0x6000)));
  CHECK(setting.era->traced(setting.threads).current == 0);
}
