#include "snapshot/columns.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace memtrace::snapshot {

namespace {

// Rows by record id, in pages: ids of records that threads write start far above the others.
class RowOfRecord {
 public:
  static constexpr std::uint32_t kNoRow = kMaxEntries;

  explicit RowOfRecord(const std::vector<RecordId>& record_ids) {
    for (const RecordId id : record_ids) {
      const std::size_t page = id >> kPageBits;
      if (page >= pages_.size()) pages_.resize(page + 1);
      if (pages_[page].empty()) pages_[page].assign(kPageSize, kNoRow);
    }
    for (std::size_t row = 0; row < record_ids.size(); ++row) {
      pages_[record_ids[row] >> kPageBits][record_ids[row] & (kPageSize - 1)] = static_cast<std::uint32_t>(row);
    }
  }

  std::uint32_t operator[](RecordId id) const noexcept {
    const std::size_t page = id >> kPageBits;
    return page < pages_.size() && !pages_[page].empty() ? pages_[page][id & (kPageSize - 1)] : kNoRow;
  }

 private:
  static constexpr unsigned kPageBits = 14;
  static constexpr std::uint32_t kPageSize = 1u << kPageBits;
  std::vector<std::vector<std::uint32_t>> pages_;
};

}  // namespace

void Snapshot::Columns::set_deferred(std::shared_ptr<Resolver> resolver, std::vector<RecordId> record_ids,
                                     BlockColumns blocks, std::uint64_t dropped) {
  resolver_ = std::move(resolver);
  record_ids_ = std::move(record_ids);
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
  std::vector<ResolvedRecord> keys(record_ids_.size());
  resolver_->resolve(record_ids_, *dictionary, keys);
  complete(std::move(keys));
}

void Snapshot::Columns::complete(std::vector<ResolvedRecord> keys) const {
  std::vector<StackId> stacks(keys.size());
  for (std::size_t row = 0; row < keys.size(); ++row) stacks[row] = dictionary->traceback(keys[row].traceback).stack;
  std::vector<std::uint32_t> every_row(keys.size());
  std::iota(every_row.begin(), every_row.end(), 0u);
  if (resolver_) translate_owners();

  resolved_.keys = std::move(keys);
  resolved_.stacks = std::move(stacks);
  resolved_.every_row = std::move(every_row);
  resolver_.reset();
  record_ids_ = {};
  ready_.store(true, std::memory_order_release);
}

void Snapshot::Columns::translate_owners() const {
  if (resolved_.blocks.count() == 0) return;
  const RowOfRecord row_of(record_ids_);
  const std::size_t before = resolved_.blocks.count();
  resolved_.blocks.replace_owners([&](std::uint32_t owner) { return row_of[owner]; }, RowOfRecord::kNoRow);
  resolved_.dropped += before - resolved_.blocks.count();
}

std::size_t Snapshot::Columns::memory() const {
  const std::lock_guard lock(mutex_);
  return (counters.count.capacity() + counters.size.capacity()) * sizeof(std::uint64_t) +
         resolved_.keys.capacity() * sizeof(ResolvedRecord) +
         (resolved_.stacks.capacity() + resolved_.every_row.capacity() + record_ids_.capacity()) *
             sizeof(std::uint32_t) +
         resolved_.blocks.memory();
}

const std::vector<std::uint32_t>& Snapshot::Selection::blocks(const Columns::Resolved& columns) const {
  if (ready_.load(std::memory_order_acquire)) return blocks_;
  const std::lock_guard lock(mutex_);
  if (ready_.load(std::memory_order_relaxed)) return blocks_;
  std::vector<std::uint8_t> keep(columns.keys.size(), 0);
  for (const std::uint32_t row : rows) keep[row] = 1;
  const auto owners = columns.blocks.owners();
  const auto kept = std::count_if(owners.begin(), owners.end(), [&](std::uint32_t row) { return keep[row] != 0; });
  blocks_.reserve(static_cast<std::size_t>(kept));
  for (std::size_t i = 0; i < owners.size(); ++i) {
    if (keep[owners[i]] != 0) blocks_.push_back(static_cast<std::uint32_t>(i));
  }
  ready_.store(true, std::memory_order_release);
  return blocks_;
}

}  // namespace memtrace::snapshot
