// Snapshot: the live memory of one instant, as an immutable value.
//
//   row     what its blocks share (traceback, domain, context) and their number and bytes; statistics, filters and
//           diffs read rows only
//   block   one live block: its row and its size; optional, order kept; 4 bytes each
//
// A snapshot is made deferred (from the tracer: record ids, resolved at first use) or resolved (from a file or from
// literal traces and rows, see snapshot_builder.h). A filtered snapshot shares its parent's columns and selects rows; its blocks
// are selected when somebody looks.
//
// Limits: 2^32-1 rows, 2^32-1 blocks; sizes are 64 bit.
// Thread-safety: all const members may be called from any thread; the first use resolves under a lock. Copies are cheap
// and share everything.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "snapshot/block_columns.h"
#include "snapshot/dictionary.h"
#include "snapshot/resolver.h"
#include "src/base/sampling.h"

namespace memtrace::snapshot {

// Counters by row.
struct Counters {
  std::vector<std::uint64_t> count;  // blocks
  std::vector<std::uint64_t> size;  // bytes

  // Where blocks may be samples, else nothing: what a row's stand for, of which `count` and `size` are the whole numbers,
  // and their interval; 0, and no variance, where each block was recorded.
  std::vector<Spread> spread{};
  std::vector<std::uint64_t> interval{};
  // That of allocations of the snapshot's moment.
  std::uint64_t sample_interval = 0;

  bool has_samples() const noexcept { return !interval.empty(); }
};

struct Row {
  ResolvedRecord key;
  std::uint64_t count;
  std::uint64_t size;
};

struct Block {
  std::uint32_t row;  // for Snapshot::row()
  std::uint64_t size;
};

class LazyChurn;  // see churn.h

class Snapshot {
 public:
  // From the tracer. Columns of `counters` are as long as `records`; every block's owner is one of them (a block that
  // has none is left out at resolution and counted in dropped()). Nothing is looked at now: O(1).
  // With `types`, the column of ResolvedRecord::type, a record may be that of several rows; then blocks' owners are rows.
  static Snapshot deferred(std::shared_ptr<Dictionary> dictionary, std::shared_ptr<Resolver> resolver,
                           std::vector<RecordNumber> records, Counters counters, std::optional<BlockColumns> blocks,
                           std::int64_t traceback_limit, std::uint64_t dropped = 0, std::uint64_t mark = 0,
                           std::vector<StringId> types = {});

  // From resolved rows. Block owners are row indices; throws std::invalid_argument when lengths or indices do not fit.
  static Snapshot resolved(std::shared_ptr<Dictionary> dictionary, std::vector<ResolvedRecord> keys, Counters counters,
                           std::optional<BlockColumns> blocks, std::int64_t traceback_limit, std::uint64_t dropped = 0,
                           std::uint64_t mark = 0);

  std::int64_t traceback_limit() const noexcept { return traceback_limit_; }
  // Blocks that the tracer could not record, and that are therefore missing here.
  std::uint64_t dropped() const;
  // Whether its rows have types. Resolves. False, too, when it has no rows at all.
  bool has_types() const;
  // The generation that began at its very moment; 0 when none did.
  std::uint64_t mark() const noexcept;
  bool is_resolved() const noexcept;
  // Mean distance in bytes of the samples that allocations of its moment were; 0 when each block was recorded.
  std::uint64_t sample_interval() const noexcept;

  // What has come and gone up to its moment, of what it selects. Null for one that was not taken of the tracer, a peak's,
  // and for chosen blocks.
  const std::shared_ptr<const LazyChurn>& churn() const noexcept { return churn_; }
  Snapshot with_churn(std::shared_ptr<const LazyChurn> churn) const;

  // Interning into it (set_module) is allowed and is seen by all snapshots that share it.
  const std::shared_ptr<Dictionary>& dictionary() const noexcept;

  // Selected rows, as indices for row(), rising. Rows without a live block may be among them.
  std::span<const std::uint32_t> rows() const;
  // Any row index of the shared columns, selected or not.
  Row row(std::uint32_t index) const;

  std::uint64_t total_count() const;  // live blocks; O(rows)
  std::uint64_t total_size() const;  // live bytes; O(rows)

  bool has_blocks() const noexcept;
  // Blocks of the selected rows, in their original order. std::logic_error without blocks. The first call on a filtered
  // snapshot is O(all blocks).
  std::size_t block_count() const;
  Block block(std::size_t position) const;

  // The blocks compare equal one by one as tracemalloc's trace tuples do: domain, size, (filename, lineno) of each
  // frame, total_nframe.
  bool same_blocks(const Snapshot& other) const;

  // A snapshot of those selected rows for which keep[row] is not 0, without churn; keep is indexed by row index (as
  // row()), of length column_count().
  Snapshot select_rows(std::span<const std::uint8_t> keep) const;
  // A snapshot of chosen blocks (positions as block(), rising), for filters that look at single traces. O(chosen
  // blocks).
  Snapshot select_blocks(std::span<const std::size_t> positions) const;
  std::size_t column_count() const noexcept;

  // The columns themselves, for code that reads all rows: keys, stacks (of keys[i].traceback) and counters by row
  // index.
  std::span<const ResolvedRecord> keys() const;
  std::span<const StackId> stacks() const;
  const Counters& counters() const noexcept;
  // All blocks, selected or not; empty without blocks.
  const BlockColumns& block_columns() const;
  // Bytes of memory of the columns (shared ones counted), without the Dictionary.
  std::size_t memory() const;

 private:
  class Columns;
  class Selection;
  Snapshot(std::shared_ptr<const Columns> columns, std::shared_ptr<const Selection> selection,
           std::int64_t traceback_limit);

  std::shared_ptr<const Columns> columns_;
  std::shared_ptr<const Selection> selection_;  // null: everything
  std::int64_t traceback_limit_;
  std::shared_ptr<const LazyChurn> churn_;
};

}  // namespace memtrace::snapshot
