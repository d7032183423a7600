#include "snapshot/snapshot_builder.h"

#include <stdexcept>
#include <utility>

namespace memtrace::snapshot {

SnapshotBuilder::SnapshotBuilder() : dictionary_(std::make_shared<Dictionary>()) {}

void SnapshotBuilder::check(TracebackId traceback) const {
  if (traceback >= dictionary_->traceback_count()) throw std::invalid_argument("no such traceback");
}

void SnapshotBuilder::add(std::uint32_t domain, std::uint64_t size, TracebackId traceback) {
  check(traceback);
  const std::uint32_t row = rows_.of({.traceback = traceback, .domain = domain});
  live_.add_block(row, size);
  blocks_.append(row, size);
}

void SnapshotBuilder::add_row(const ResolvedRecord& key, std::uint64_t count, std::uint64_t size) {
  check(key.traceback);
  live_.add(rows_.of(key), count, size);
  has_blocks_ = false;
}

void SnapshotBuilder::add_churn(const ResolvedRecord& key, const ChurnSums::Amount& allocated,
                                const ChurnSums::Amount& freed, const ChurnSums::Amount& temporary) {
  check(key.traceback);
  churn_.add(key, allocated, freed, temporary);
}

Snapshot SnapshotBuilder::build(std::int64_t traceback_limit, std::uint64_t sample_interval,
                                std::optional<std::uint64_t> churn_microseconds) {
  SnapshotBuilder finished = std::exchange(*this, SnapshotBuilder());
  Counters counters = finished.live_.take(finished.rows_.count());
  counters.sample_interval = sample_interval;
  std::optional<BlockColumns> blocks;
  if (finished.has_blocks_) blocks = std::move(finished.blocks_);
  const Snapshot snapshot = Snapshot::resolved(finished.dictionary_, finished.rows_.take_keys(), std::move(counters),
                                               std::move(blocks), traceback_limit);
  if (!churn_microseconds) return snapshot;
  return snapshot.with_churn(std::make_shared<const LazyChurn>(
      finished.churn_.take(finished.dictionary_, traceback_limit, *churn_microseconds)));
}

}  // namespace memtrace::snapshot
