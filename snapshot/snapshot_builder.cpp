#include <stdexcept>
#include <utility>

#include "snapshot/snapshot.h"

namespace memtrace::snapshot {

SnapshotBuilder::SnapshotBuilder() : dictionary_(std::make_shared<Dictionary>()) {}

void SnapshotBuilder::add(std::uint32_t domain, std::uint64_t size, TracebackId traceback) {
  if (traceback >= dictionary_->traceback_count()) throw std::invalid_argument("no such traceback");
  const std::uint64_t key = std::uint64_t{domain} << 32 | traceback;
  const auto [found, added] = row_of_.try_emplace(key, static_cast<std::uint32_t>(keys_.size()));
  if (added) {
    keys_.push_back({.traceback = traceback, .domain = domain});
    counters_.count.push_back(0);
    counters_.size.push_back(0);
  }
  ++counters_.count[found->second];
  counters_.size[found->second] += size;
  blocks_.append(found->second, size);
}

Snapshot SnapshotBuilder::build(std::int64_t traceback_limit) {
  SnapshotBuilder finished = std::exchange(*this, SnapshotBuilder());
  return Snapshot::resolved(std::move(finished.dictionary_), std::move(finished.keys_), std::move(finished.counters_),
                            std::move(finished.blocks_), traceback_limit);
}

}  // namespace memtrace::snapshot
