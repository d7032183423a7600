// Peaks over many spans of time against a model that keeps the whole breakdown of each.
#include "src/tracer/peak_regions.h"

#include <catch2/catch_test_macros.hpp>
#include <map>
#include <vector>

#include "tests/core/tracer/era_setting.h"
#include "tests/support/fail_each.h"
#include "tests/support/random.h"

using namespace memtrace;
using namespace memtrace::test;

namespace {

struct Expected {
  std::uint64_t peak = 0;
  Sums breakdown;
};

struct Program {
  Setting setting;
  PeakRegions regions;
  std::map<std::uint64_t, Held> blocks;
  std::uint64_t total = 0;
  Expected whole;
  std::map<PeakRegions::Region*, Expected> open;

  ~Program() {
    while (!open.empty()) close(open.begin()->first);
  }

  Expected now() const { return {total, sums(blocks)}; }

  void allocate(std::uint64_t address, SiteId site, std::uint64_t size) {
    setting.era->add(Access::kExclusive, setting.one, at(address), size, setting.record(site));
    blocks[address] = {site, size};
    total += size;
    if (total > whole.peak) whole = now();
    for (auto& [region, expected] : open)
      if (total > expected.peak) expected = now();
  }
  void free(std::uint64_t address) {
    setting.era->remove(Access::kExclusive, setting.one, at(address));
    total -= blocks.at(address).size;
    blocks.erase(address);
  }
  void enter() {
    PeakRegions::Region* region = regions.open(*setting.era, setting.threads);
    REQUIRE(region != nullptr);
    open[region] = now();
  }
  void close(PeakRegions::Region* region) {
    regions.close(region, setting.era.get());
    open.erase(region);
  }

  void check(PeakRegions::Region& region, const Expected& expected) {
    const Era::Traced traced = regions.traced(region, *setting.era, setting.threads);
    REQUIRE(traced.current == total);
    REQUIRE(traced.peak == expected.peak);
    Sums found;
    regions.for_each_at_peak(region, *setting.era, setting.threads, setting.sum_into(found));
    REQUIRE(found == expected.breakdown);
  }
  void check() {
    check(regions.whole(), whole);
    for (auto& [region, expected] : open) check(*region, expected);
  }
};

}  // namespace

TEST_CASE("the peak of every region, nested or not, and its breakdown are the model's at any time") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Program program;
    test::Random random(seed);
    for (int i = 0; i < 4'000; ++i) {
      const std::uint64_t address = address_of(random.below(200));
      // Grows and shrinks in turn, so that old peaks stand for long.
      const bool grows = i / 300 % 2 == 0;
      if (program.blocks.contains(address)) {
        if (!grows || random.one_in(2)) program.free(address);
      } else if (grows || random.one_in(3)) {
        program.allocate(address, static_cast<SiteId>(2 + random.below(20)), 1 + random.below(50));
      }
      if (random.one_in(25) && program.open.size() < 8) program.enter();
      if (random.one_in(25) && !program.open.empty()) {
        auto chosen = program.open.begin();
        std::advance(chosen, random.below(program.open.size()));
        program.close(chosen->first);
      }
      if (random.one_in(400)) {
        REQUIRE(program.regions.reset(*program.setting.era, program.setting.threads));
        program.whole = program.now();
      }
      if (random.one_in(10)) program.check();
    }
    program.check();
  }
}

TEST_CASE("regions go on in another era, from its beginning") {
  Program program;
  program.allocate(0x1000, 2, 1000);
  program.enter();
  program.free(0x1000);
  program.enter();
  program.regions.restart();
  program.setting.era.reset(Era::make(2, 25));
  program.blocks.clear();
  program.total = 0;
  program.whole = {};
  for (auto& [region, expected] : program.open) expected = {};
  program.allocate(0x2000, 3, 10);
  program.check();
  // While nothing is traced, too.
  program.regions.restart();
  PeakRegions::Region* region = program.open.begin()->first;
  program.open.erase(region);
  program.regions.close(region, nullptr);
  while (!program.open.empty()) {
    region = program.open.begin()->first;
    program.open.erase(region);
    program.regions.close(region, nullptr);
  }
}

TEST_CASE("a region that memory cannot be had for is not opened, and nothing has changed") {
  const auto needed = test::fail_each([](std::int64_t n) {
    Program program;
    for (SiteId site = 2; site < 200; ++site) program.allocate(0x1000 + site * 64, site, site);
    program.enter();
    program.free(0x1000 + 50 * 64);
    {
      const test::Failing failing(n);
      if (PeakRegions::Region* region = program.regions.open(*program.setting.era, program.setting.threads))
        program.open[region] = program.now();
    }
    program.check();
    program.allocate(0x1000 + 50 * 64, 7, 10'000);
    program.check();
    {
      const test::Failing failing(n);
      if (program.regions.reset(*program.setting.era, program.setting.threads)) program.whole = program.now();
    }
    program.check();
  });
  CHECK(needed > 0);
}

TEST_CASE("a peak without the GIL is short of no more than each thread may hide") {
  Setting setting;
  PeakRegions regions;
  PeakRegions::Region* region = regions.open(*setting.era, setting.threads);
  test::Random random(3);
  std::map<std::uint64_t, std::uint64_t> blocks;
  std::uint64_t total = 0;
  std::uint64_t peak = 0;
  for (int i = 0; i < 50'000; ++i) {
    ThreadState& thread = random.one_in(2) ? setting.one : setting.other;
    const std::uint64_t address = 0x10'0000 + random.below(4'000) * 64;
    if (const auto held = blocks.find(address); held != blocks.end()) {
      setting.era->remove(Access::kApart, thread, at(address));  // often another's
      total -= held->second;
      blocks.erase(held);
    } else {
      const std::uint64_t size = random.below(2'000);
      setting.era->add(Access::kApart, thread, at(address), size,
                       setting.record(static_cast<SiteId>(2 + random.below(20)), &thread));
      blocks[address] = size;
      total += size;
      peak = std::max(peak, total);
    }
  }
  constexpr std::uint64_t kHidden = 2 * Era::kPendingLimit;
  const std::uint64_t seen = regions.traced(*region, *setting.era, setting.threads).peak;
  CHECK(seen + kHidden >= peak);
  CHECK(seen <= peak + kHidden);
  // What was live then, by the records: short or long of the same.
  Amount sum;
  regions.for_each_at_peak(*region, *setting.era, setting.threads, [&](RecordId, const Amount& amount) {
    sum.count += amount.count;
    sum.bytes += amount.bytes;
  });
  CHECK(sum.bytes + kHidden >= seen);
  CHECK(sum.bytes <= seen + kHidden);
  regions.close(region, setting.era.get());
}
