// Makes a snapshot of what is written down: blocks one by one, as tracemalloc's traces are, or whole rows, as other
// profilers' files have them.
//
// Thread-safety: none.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "snapshot/block_columns.h"
#include "snapshot/dictionary.h"
#include "snapshot/row_sums.h"
#include "snapshot/snapshot.h"

namespace memtrace::snapshot {

class SnapshotBuilder {
 public:
  SnapshotBuilder();
  // Intern names, frames and tracebacks here; a Dictionary::Writer must not be held across the rest.
  Dictionary& dictionary() noexcept { return *dictionary_; }

  // All throw std::invalid_argument when there is no such traceback, std::length_error beyond a snapshot's limits.

  // One block, in the order given.
  void add(std::uint32_t domain, std::uint64_t size, TracebackId traceback);
  // Blocks that nobody knows one by one: the snapshot has none then. Equal keys are one row. A type is the
  // StringId of its name; all rows have one, or none has.
  void add_row(const ResolvedRecord& key, std::uint64_t count, std::uint64_t size);
  // What has come and gone.
  void add_churn(const ResolvedRecord& key, const ChurnSums::Amount& allocated, const ChurnSums::Amount& freed,
                 const ChurnSums::Amount& temporary);

  // Leaves the builder empty, with a new Dictionary. Without `churn_microseconds`, the time that all churn is of, there is
  // none.
  Snapshot build(std::int64_t traceback_limit, std::uint64_t sample_interval = 0,
                 std::optional<std::uint64_t> churn_microseconds = std::nullopt);

 private:
  void check(TracebackId traceback) const;

  std::shared_ptr<Dictionary> dictionary_;
  RowNumbers rows_;
  CounterSums live_;
  ChurnSums churn_;
  BlockColumns blocks_;
  bool has_blocks_ = true;
};

}  // namespace memtrace::snapshot
