// Samples: the estimates against the truth, of blocks that a seeded program allocates.
#include <array>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <map>
#include <vector>

#include "src/base/sampling.h"
#include "src/tracer/control.h"
#include "tests/core/tracer/era_setting.h"
#include "tests/support/random.h"

using namespace memtrace;
using namespace memtrace::test;

namespace {

constexpr std::uint64_t kInterval = 4096;
constexpr std::uint64_t kSpacing = 1 << 20;

struct Program {
  SampleFilter filter;
  Era* era;
  ThreadList threads;
  ThreadState thread;
  RecordRun run;

  explicit Program(std::uint64_t seed, bool from_start = true, std::uint64_t number = 1)
      : era(Era::make(number, 25, {&filter, kInterval, from_start, seed})) {
    REQUIRE(era != nullptr);
    threads.add(&thread);
    thread.sampler.forget();
  }
  ~Program() {
    destroy_mapped(thread.ledger.load());
    Era::destroy(era);
  }

  void allocate(std::uint64_t address, std::uint64_t size, SiteId site = 2) {
    const auto seed = [&] { return era->next_seed(); };
    if (thread.sampler.passes(size) || !thread.sampler.is_sampled(size, era->plan(), era->number(), seed)) return;
    const ContextId context = era->tables().contexts.intern({.sampling = era->sampling()});
    const RecordId record = era->record(kRoot, site, context, era->sampling() == 0 ? nullptr : &run);
    REQUIRE(record != kNone);
    era->track(Access::kExclusive, thread, 0, address, size, record);
  }
  void free(std::uint64_t address) {
    if (filter.may_have(at(address))) era->untrack(Access::kExclusive, thread, 0, address);
  }
  Amount live() const {
    Amount sum;
    era->for_each_live(threads, [&](RecordId, const Amount& amount) {
      sum.bytes += amount.bytes;
      sum.count += amount.count;
      sum.spread += amount.spread;
    });
    return sum;
  }
};

}  // namespace

TEST_CASE("weights: what a block stands for times the chance that it is sampled is the block") {
  for (const std::uint64_t size : {0u, 1u, 16u, 512u, 4095u, 4096u, 10'000u, 40'000u}) {
    const double p = 1 - std::exp(-static_cast<double>(size + 1) / kInterval);
    const Weight weight = weight_of(size, kInterval);
    CHECK(std::abs(weight.spread.count * p - 1) < 1e-9);
    CHECK(std::abs(static_cast<double>(weight.bytes) * p - static_cast<double>(size)) <= 0.5);
    CHECK(std::abs(weight.spread.count_variance - (1 - p) / (p * p)) < 1e-6 / (p * p));
  }
  CHECK(weight_of(1 << 30, kInterval).bytes == 1 << 30);
  CHECK(weight_of(1 << 30, kInterval).spread == Spread{1, 0, 0});
}

TEST_CASE("samples: means of estimates are the truth, and the errors say how far off each is") {
  constexpr std::array<std::uint64_t, 5> kSizes = {300, 1000, kInterval - 1, 2 * kInterval, 60 * kInterval};
  constexpr int kRuns = 1000;
  constexpr std::uint64_t kBlocks = 600;
  double bytes = 0;
  double count = 0;
  int covered_bytes = 0;
  int covered_count = 0;
  double true_bytes = 0;
  for (std::uint64_t i = 0; i < kBlocks; ++i) true_bytes += static_cast<double>(kSizes[i % kSizes.size()]);
  for (int run = 0; run < kRuns; ++run) {
    Program program(static_cast<std::uint64_t>(run) + 1);
    for (std::uint64_t i = 0; i < kBlocks; ++i) program.allocate((i + 1) * kSpacing, kSizes[i % kSizes.size()]);
    const Amount live = program.live();
    bytes += static_cast<double>(live.bytes) / kRuns;
    count += live.spread.count / kRuns;
    covered_bytes +=
        std::abs(static_cast<double>(live.bytes) - true_bytes) <= 1.96 * std::sqrt(live.spread.bytes_variance);
    covered_count += std::abs(live.spread.count - kBlocks) <= 1.96 * std::sqrt(live.spread.count_variance);
  }
  CHECK(std::abs(bytes / true_bytes - 1) < 0.01);
  CHECK(std::abs(count / kBlocks - 1) < 0.02);
  CHECK(covered_bytes > 930);
  CHECK(covered_bytes < 970);
  CHECK(covered_count > 900);
  CHECK(covered_count < 970);
}

TEST_CASE("samples: frees, resizes and replaced blocks leave the model's blocks and nothing else") {
  for (const bool from_start : {true, false}) {
    Program program(7, from_start);
    std::map<std::uint64_t, std::uint64_t> sizes;
    test::Random random(5);
    for (int i = 0; i < 60'000; ++i) {
      if (!from_start && i == 20'000) {
        REQUIRE(program.era->sample_less());
        program.thread.sampler.forget();
      }
      const std::uint64_t address = (random.below(3000) + 1) * 48 + (random.one_in(50) ? 8 : 0);
      if (sizes.contains(address) && !random.one_in(10)) {
        if (random.one_in(4)) {
          const Block taken = program.era->take_any(at(address));
          program.era->put_back(at(address), taken);
        }
        program.free(address);
        sizes.erase(address);
      } else {
        program.free(address);
        sizes[address] = random.below(40);
        program.allocate(address, sizes[address], static_cast<SiteId>(2 + random.below(5)));
      }
    }
    const Amount live = program.live();
    std::uint64_t bytes = 0;
    for (const auto& [address, size] : sizes) {
      const Block block = program.era->find(0, address);
      if (block.record == kNone) continue;
      CHECK(block.size == size);
      bytes += program.era->weight_of(block.record, size).bytes;
    }
    CHECK(live.bytes == bytes);
    CHECK(program.era->traced(program.threads).current == bytes);
    program.era->recount(program.threads);
    CHECK(program.live().bytes == bytes);
    CHECK(program.era->traced(program.threads).current == bytes);
    for (const auto& [address, size] : sizes) program.free(address);
    CHECK(program.live() == Amount{});
    CHECK(program.era->traced(program.threads).current == 0);
  }
}

TEST_CASE("samples: the breakdown at the peak is what was live then") {
  Program program(3);
  for (std::uint64_t i = 1; i <= 500; ++i) program.allocate(i * kSpacing, 2000, 2);
  const Amount at_peak = program.live();
  REQUIRE(at_peak.bytes > 0);
  for (std::uint64_t i = 1; i <= 500; ++i) program.free(i * kSpacing);
  program.allocate(kSpacing, 100 * kInterval, 3);
  Amount found;
  program.era->for_each_at_peak(program.threads, [&](RecordId, const Amount& amount) {
    found.bytes += amount.bytes;
    found.count += amount.count;
    found.spread += amount.spread;
  });
  CHECK(found == at_peak);
  CHECK(program.era->traced(program.threads).peak == at_peak.bytes);
}

TEST_CASE("samples: the same seed draws the same, another one others") {
  const auto sampled = [](std::uint64_t seed) {
    Program program(seed);
    std::vector<std::uint64_t> found;
    for (std::uint64_t i = 1; i <= 2000; ++i) {
      program.allocate(i * kSpacing, 100);
      if (program.era->find(0, i * kSpacing)) found.push_back(i);
    }
    return found;
  };
  CHECK(sampled(1) == sampled(1));
  CHECK(sampled(1) != sampled(2));
}

TEST_CASE("samples: code objects are known by their address until it is freed") {
  Program program(1);
  CHECK(program.era->mark_code(at(kSpacing), 5));
  CHECK(program.era->code_at(at(kSpacing)) == 5);
  REQUIRE(program.filter.may_have(at(kSpacing)));
  CHECK(program.era->untrack(Access::kExclusive, program.thread, 0, kSpacing));
  CHECK(program.era->code_at(at(kSpacing)) == kNone);
}

TEST_CASE("filter: no block is overlooked, however many share its entry") {
  SampleFilter filter;
  std::vector<std::uint64_t> addresses;
  for (std::uint64_t i = 0; i < 600; ++i) addresses.push_back(0x1000 | i << 40);
  for (const std::uint64_t address : addresses) filter.add(at(address));
  for (const std::uint64_t address : addresses) {
    CHECK(filter.may_have(at(address)));
    filter.remove(at(address));
  }
  CHECK(filter.may_have(at(addresses[0])));  // the entry is full for good
  filter.clear();
  CHECK_FALSE(filter.may_have(at(addresses[0])));
  filter.fill();
  CHECK(filter.may_have(at(0)));
}

TEST_CASE("an era that is told so samples, at ever larger intervals, up to the largest") {
  Control control;
  REQUIRE(control.begin(5, {.limited = true}));
  Era& era = *control.era();
  CHECK(era.plan().interval == 0);
  const std::uint64_t before = control.version();
  REQUIRE(control.sample_less(era));
  CHECK(control.version() != before);
  CHECK(era.plan().interval == SampleOptions::kFirstInterval);
  int steps = 1;
  while (control.sample_less(era)) ++steps;
  CHECK(steps == 22);
  CHECK(era.plan().interval == std::uint64_t{1} << 40);
  control.end();
}
