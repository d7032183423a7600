// An era with two threads, and what a model of it needs.
#pragma once

#include <catch2/catch_test_macros.hpp>
#include <cstdint>
#include <map>
#include <memory>

#include "src/tracer/era.h"

namespace memtrace::test {

// By site.
using Sums = std::map<SiteId, Amount>;

struct Destroy {
  void operator()(Era* era) const { Era::destroy(era); }
};

inline const void* at(std::uint64_t address) { return reinterpret_cast<const void*>(address); }

struct Setting {
  std::unique_ptr<Era, Destroy> era{Era::make(1, 25)};
  ThreadList threads;
  ThreadState one;
  ThreadState other;
  std::map<ThreadIndex, RecordRun> runs;

  Setting() {
    REQUIRE(era != nullptr);
    threads.add(&one);
    threads.add(&other);
  }
  ~Setting() {
    for (ThreadState* thread : {&one, &other}) destroy_mapped(thread->ledger.load());
  }

  RecordId record(SiteId site, const ThreadState* owner = nullptr) {
    const Context context{.owner = owner == nullptr ? 0 : owner->index};
    const ContextId id = era->tables().contexts.intern(context);
    return era->record(kRoot, site, id, owner == nullptr ? nullptr : &runs[owner->index]);
  }

  // Adds what it is called with.
  auto sum_into(Sums& found) const {
    return [this, &found](RecordId record, const Amount& amount) {
      Amount& sum = found[era->tables().tree.key(record).site];
      sum.count += amount.count;
      sum.bytes += amount.bytes;
    };
  }
  // What is live by site, as the records say.
  Sums live() const {
    Sums found;
    era->for_each_live(threads, sum_into(found));
    return found;
  }
};

struct Held {
  SiteId site;
  std::uint64_t size;
};

inline Sums sums(const std::map<std::uint64_t, Held>& blocks) {
  Sums found;
  for (const auto& [address, block] : blocks) {
    Amount& sum = found[block.site];
    ++sum.count;
    sum.bytes += block.size;
  }
  return found;
}

// Blocks lie 64 bytes apart, every fourth at an address that the block table does not cover.
inline std::uint64_t address_of(std::uint64_t index) { return 0x10'0000 + index * 64 + (index % 4 == 3 ? 8 : 0); }

}  // namespace memtrace::test
