#include "snapshot/snapshot.h"

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <utility>

#include "snapshot/columns.h"
#include "snapshot/common_stacks.h"

namespace memtrace::snapshot {

namespace {

void check_counters(const Counters& counters, std::size_t rows) {
  if (counters.count.size() != rows || counters.size.size() != rows) {
    throw std::invalid_argument("the columns of a snapshot differ in length");
  }
  if (counters.has_samples() && (counters.spread.size() != rows || counters.interval.size() != rows)) {
    throw std::invalid_argument("the columns of samples differ in length");
  }
  if (rows >= kMaxEntries) throw std::length_error("a snapshot has too many rows");
}

}  // namespace

Snapshot::Snapshot(std::shared_ptr<const Columns> columns, std::shared_ptr<const Selection> selection,
                   std::int64_t traceback_limit)
    : columns_(std::move(columns)), selection_(std::move(selection)), traceback_limit_(traceback_limit) {}

Snapshot Snapshot::deferred(std::shared_ptr<Dictionary> dictionary, std::shared_ptr<Resolver> resolver,
                            std::vector<RecordNumber> records, Counters counters, std::optional<BlockColumns> blocks,
                            std::int64_t traceback_limit, std::uint64_t dropped, std::uint64_t mark,
                            std::vector<StringId> types) {
  check_counters(counters, records.size());
  if (!types.empty() && types.size() != records.size())
    throw std::invalid_argument("the columns of a snapshot differ in length");
  if (!resolver) throw std::invalid_argument("a deferred snapshot needs a resolver");
  auto columns = std::make_shared<Columns>();
  columns->dictionary = std::move(dictionary);
  columns->counters = std::move(counters);
  columns->has_blocks = blocks.has_value();
  columns->mark = mark;
  columns->set_deferred(std::move(resolver), std::move(records), blocks ? std::move(*blocks) : BlockColumns{}, dropped,
                        std::move(types));
  return Snapshot(std::move(columns), nullptr, traceback_limit);
}

Snapshot Snapshot::resolved(std::shared_ptr<Dictionary> dictionary, std::vector<ResolvedRecord> keys, Counters counters,
                            std::optional<BlockColumns> blocks, std::int64_t traceback_limit, std::uint64_t dropped,
                            std::uint64_t mark) {
  check_counters(counters, keys.size());
  const std::uint32_t tracebacks = dictionary->traceback_count();
  if (std::any_of(keys.begin(), keys.end(), [&](const ResolvedRecord& key) { return key.traceback >= tracebacks; })) {
    throw std::invalid_argument("a row refers to a traceback that does not exist");
  }
  if (blocks && !blocks->all_owners([&](std::uint32_t row) { return row < keys.size(); })) {
    throw std::invalid_argument("a block refers to a row that does not exist");
  }
  auto columns = std::make_shared<Columns>();
  columns->dictionary = std::move(dictionary);
  columns->counters = std::move(counters);
  columns->has_blocks = blocks.has_value();
  columns->mark = mark;
  columns->set_resolved(std::move(keys), blocks ? std::move(*blocks) : BlockColumns{}, dropped);
  return Snapshot(std::move(columns), nullptr, traceback_limit);
}

Snapshot Snapshot::with_churn(std::shared_ptr<const LazyChurn> churn) const {
  Snapshot copy = *this;
  copy.churn_ = std::move(churn);
  return copy;
}

std::uint64_t Snapshot::dropped() const { return columns_->resolved().dropped; }

bool Snapshot::has_types() const {
  const std::span<const ResolvedRecord> all = keys();
  return !all.empty() && all.front().type != 0;
}

std::uint64_t Snapshot::mark() const noexcept { return columns_->mark; }

std::uint64_t Snapshot::sample_interval() const noexcept { return columns_->counters.sample_interval; }

bool Snapshot::is_resolved() const noexcept { return columns_->is_resolved(); }

const std::shared_ptr<Dictionary>& Snapshot::dictionary() const noexcept { return columns_->dictionary; }

std::span<const std::uint32_t> Snapshot::rows() const {
  return selection_ ? selection_->rows : columns_->resolved().every_row;
}

Row Snapshot::row(std::uint32_t index) const {
  return {columns_->resolved().keys[index], columns_->counters.count[index], columns_->counters.size[index]};
}

std::size_t Snapshot::column_count() const noexcept { return columns_->counters.count.size(); }

std::span<const ResolvedRecord> Snapshot::keys() const { return columns_->resolved().keys; }

std::span<const StackId> Snapshot::stacks() const { return columns_->resolved().stacks; }

const Counters& Snapshot::counters() const noexcept { return columns_->counters; }

std::uint64_t Snapshot::total_count() const {
  const Counters& counters = columns_->counters;
  std::uint64_t total = 0;
  double estimate = 0;
  for (const std::uint32_t row : rows()) {
    total += counters.count[row];
    if (counters.has_samples()) estimate += counters.spread[row].count;
  }
  return counters.has_samples() ? rounded(estimate) : total;
}

std::uint64_t Snapshot::total_size() const {
  std::uint64_t total = 0;
  for (const std::uint32_t row : rows()) total += columns_->counters.size[row];
  return total;
}

bool Snapshot::has_blocks() const noexcept { return columns_->has_blocks; }

std::size_t Snapshot::block_count() const {
  if (!has_blocks()) throw std::logic_error("the snapshot was taken without its blocks");
  const auto& resolved = columns_->resolved();
  return selection_ ? selection_->blocks(resolved).size() : resolved.blocks.count();
}

Block Snapshot::block(std::size_t position) const {
  const auto& resolved = columns_->resolved();
  if (selection_) position = selection_->blocks(resolved)[position];
  return {resolved.blocks.owner(position), resolved.blocks.size(position)};
}

const BlockColumns& Snapshot::block_columns() const { return columns_->resolved().blocks; }

bool Snapshot::same_blocks(const Snapshot& other) const {
  const std::size_t count = block_count();
  if (count != other.block_count()) return false;
  if (columns_ == other.columns_ && selection_ == other.selection_) return true;
  const CommonStacks common = common_stacks(*this, other, StackDetail::all_frames);
  const std::shared_ptr<const KeyTables> tables = common.dictionary->keys();
  const std::vector<std::uint32_t>& path = tables->paths().of_stack;
  const auto same_row = [&](std::uint32_t ours, std::uint32_t theirs) {
    const ResolvedRecord& a = keys()[ours];
    const ResolvedRecord& b = other.keys()[theirs];
    return a.domain == b.domain && path[common.first[ours]] == path[common.second[theirs]] &&
           dictionary()->traceback(a.traceback).total_nframe == other.dictionary()->traceback(b.traceback).total_nframe;
  };
  for (std::size_t i = 0; i < count; ++i) {
    const Block ours = block(i), theirs = other.block(i);
    if (ours.size != theirs.size || !same_row(ours.row, theirs.row)) return false;
  }
  return true;
}

Snapshot Snapshot::select_rows(std::span<const std::uint8_t> keep) const {
  if (keep.size() != column_count()) throw std::invalid_argument("a selection needs one entry per row");
  const auto before = rows();
  std::vector<std::uint32_t> selected;
  selected.reserve(before.size());
  for (const std::uint32_t row : before) {
    if (keep[row] != 0) selected.push_back(row);
  }
  if (selected.size() == before.size()) return Snapshot(columns_, selection_, traceback_limit_);
  selected.shrink_to_fit();
  return Snapshot(columns_, std::make_shared<const Selection>(std::move(selected)), traceback_limit_);
}

Snapshot Snapshot::select_blocks(std::span<const std::size_t> positions) const {
  const std::size_t available = block_count();
  const auto& resolved = columns_->resolved();
  const Counters& all = this->counters();
  Counters counters;
  counters.count.resize(column_count());
  counters.size.resize(column_count());
  if (all.has_samples()) counters.spread.resize(column_count());
  counters.interval = all.interval;
  counters.sample_interval = all.sample_interval;
  BlockColumns blocks;
  blocks.reserve(positions.size());
  for (const std::size_t position : positions) {
    if (position >= available) throw std::invalid_argument("a selection refers to a block that does not exist");
    const Block chosen = block(position);
    blocks.append(chosen.row, chosen.size);
    if (!all.has_samples() || all.interval[chosen.row] == 0) {
      ++counters.count[chosen.row];
      counters.size[chosen.row] += chosen.size;
      if (all.has_samples()) counters.spread[chosen.row].count += 1;
      continue;
    }
    const Weight weight = weight_of(chosen.size, all.interval[chosen.row]);
    counters.spread[chosen.row] += weight.spread;
    counters.size[chosen.row] += weight.bytes;
    counters.count[chosen.row] = rounded(counters.spread[chosen.row].count);
  }
  return Snapshot::resolved(dictionary(), resolved.keys, std::move(counters), std::move(blocks), traceback_limit_,
                            resolved.dropped, mark());
}

std::size_t Snapshot::memory() const { return columns_->memory(); }

}  // namespace memtrace::snapshot
