// What snapshots share: the columns of one capture, and the selection that a filter made of them.
//
// Columns are immutable once resolved. Until then keys_, stacks_ and the blocks' owners are the resolver's business,
// and only what resolve() has published may be read. Private to snapshot/.
// Thread-safety: resolve() may be called from any thread; everything else is const after it.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "snapshot/snapshot.h"

namespace memtrace::snapshot {

class Snapshot::Columns {
 public:
  std::shared_ptr<Dictionary> dictionary;

  // Known from the begin.
  Counters counters;
  bool has_blocks = false;
  std::uint64_t mark = 0;

  // Of a resolved snapshot: keys, the stack of each key's traceback, and blocks whose owners are rows.
  struct Resolved {
    std::vector<ResolvedRecord> keys;
    std::vector<StackId> stacks;
    std::vector<std::uint32_t> every_row;
    BlockColumns blocks;
    std::uint64_t dropped = 0;
  };

  const Resolved& resolved() const {
    if (!ready_.load(std::memory_order_acquire)) resolve();
    return resolved_;
  }
  bool is_resolved() const noexcept { return ready_.load(std::memory_order_acquire); }

  void set_deferred(std::shared_ptr<Resolver> resolver, std::vector<RecordNumber> records, BlockColumns blocks,
                    std::uint64_t dropped, std::vector<StringId> types);
  void set_resolved(std::vector<ResolvedRecord> keys, BlockColumns blocks, std::uint64_t dropped);

  std::size_t memory() const;

 private:
  void resolve() const;
  void complete(std::vector<ResolvedRecord> keys) const;
  void translate_owners() const;

  mutable std::mutex mutex_;  // held while resolving; guards what follows until ready_
  mutable std::atomic<bool> ready_{false};  // released after resolved_ is complete
  mutable std::shared_ptr<Resolver> resolver_;
  mutable std::vector<RecordNumber> records_;
  mutable std::vector<StringId> types_;  // when not empty, blocks' owners are rows from the begin
  mutable Resolved resolved_;
};

class Snapshot::Selection {
 public:
  explicit Selection(std::vector<std::uint32_t> selected) : rows(std::move(selected)) {}

  const std::vector<std::uint32_t> rows;

  // Positions of the blocks whose row is selected, in order; found at the first call.
  const std::vector<std::uint32_t>& blocks(const Columns::Resolved& columns) const;

 private:
  mutable std::mutex mutex_;
  mutable std::atomic<bool> ready_{false};  // released after blocks_ is complete
  mutable std::vector<std::uint32_t> blocks_;
};

}  // namespace memtrace::snapshot
