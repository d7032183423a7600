#include "snapshot/columns.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace memtrace::snapshot {

namespace {

class RowOfRecord {
 public:
  static constexpr std::uint32_t kNoRow = kMaxEntries;

  explicit RowOfRecord(const std::vector<RecordNumber>& records) {
    if (records.empty()) return;
    rows_.assign(std::size_t{1} + *std::max_element(records.begin(), records.end()), kNoRow);
    for (std::size_t row = 0; row < records.size(); ++row) rows_[records[row]] = static_cast<std::uint32_t>(row);
  }

  std::uint32_t operator[](RecordNumber record) const noexcept {
    return record < rows_.size() ? rows_[record] : kNoRow;
  }

 private:
  std::vector<std::uint32_t> rows_;
};

}  // namespace

void Snapshot::Columns::set_deferred(std::shared_ptr<Resolver> resolver, std::vector<RecordNumber> records,
                                     BlockColumns blocks, std::uint64_t dropped, std::vector<StringId> types) {
  resolver_ = std::move(resolver);
  records_ = std::move(records);
  types_ = std::move(types);
  resolved_.blocks = std::move(blocks);
  resolved_.dropped = dropped;
}

void Snapshot::Columns::set_resolved(std::vector<ResolvedRecord> keys, BlockColumns blocks, std::uint64_t dropped) {
  resolved_.blocks = std::move(blocks);
  resolved_.dropped = dropped;
  complete(std::move(keys));
}

// Everything that can fail comes before the owners are rewritten, so that a failed attempt can be repeated.
void Snapshot::Columns::resolve() const {
  const std::lock_guard lock(mutex_);
  if (ready_.load(std::memory_order_relaxed)) return;
  std::vector<ResolvedRecord> keys(records_.size());
  resolver_->resolve(records_, *dictionary, keys);
  for (std::size_t row = 0; row < types_.size(); ++row) keys[row].type = types_[row];
  complete(std::move(keys));
}

void Snapshot::Columns::complete(std::vector<ResolvedRecord> keys) const {
  std::vector<StackId> stacks(keys.size());
  for (std::size_t row = 0; row < keys.size(); ++row) stacks[row] = dictionary->traceback(keys[row].traceback).stack;
  std::vector<std::uint32_t> every_row(keys.size());
  std::iota(every_row.begin(), every_row.end(), 0u);
  if (resolver_ && types_.empty()) translate_owners();

  resolved_.keys = std::move(keys);
  resolved_.stacks = std::move(stacks);
  resolved_.every_row = std::move(every_row);
  resolver_.reset();
  records_ = {};
  types_ = {};
  ready_.store(true, std::memory_order_release);
}

void Snapshot::Columns::translate_owners() const {
  if (resolved_.blocks.count() == 0) return;
  const RowOfRecord row_of(records_);
  resolved_.blocks.make_room_for(static_cast<std::uint32_t>(records_.size()));
  const std::size_t before = resolved_.blocks.count();
  resolved_.blocks.replace_owners([&](std::uint32_t owner) { return row_of[owner]; }, RowOfRecord::kNoRow);
  resolved_.dropped += before - resolved_.blocks.count();
}

std::size_t Snapshot::Columns::memory() const {
  const std::lock_guard lock(mutex_);
  return (counters.count.capacity() + counters.size.capacity() + counters.interval.capacity()) * sizeof(std::uint64_t) +
         counters.spread.capacity() * sizeof(Spread) + resolved_.keys.capacity() * sizeof(ResolvedRecord) +
         (resolved_.stacks.capacity() + resolved_.every_row.capacity() + records_.capacity() + types_.capacity()) *
             sizeof(std::uint32_t) +
         resolved_.blocks.memory();
}

const std::vector<std::uint32_t>& Snapshot::Selection::blocks(const Columns::Resolved& columns) const {
  if (ready_.load(std::memory_order_acquire)) return blocks_;
  const std::lock_guard lock(mutex_);
  if (ready_.load(std::memory_order_relaxed)) return blocks_;
  std::vector<std::uint8_t> keep(columns.keys.size(), 0);
  for (const std::uint32_t row : rows) keep[row] = 1;
  const BlockColumns& all = columns.blocks;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < all.count(); ++i) kept += keep[all.owner(i)];
  blocks_.reserve(kept);
  for (std::size_t i = 0; i < all.count(); ++i) {
    if (keep[all.owner(i)] != 0) blocks_.push_back(static_cast<std::uint32_t>(i));
  }
  ready_.store(true, std::memory_order_release);
  return blocks_;
}

}  // namespace memtrace::snapshot
