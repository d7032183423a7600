#include "snapshot/take.h"

#include <algorithm>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "snapshot/site_decoder.h"
#include "snapshot/tracer_resolver.h"

namespace memtrace::snapshot {

namespace {

// Fills columns that were sized for what the counters said; blocks of threads without the GIL may have come since.
class BlockCopy {
 public:
  explicit BlockCopy(std::size_t expected) {
    columns_.resize(expected);
    owners_ = columns_.owners().data();
    sizes_ = columns_.small_sizes().data();
    expected_ = expected;
  }

  void add(RecordId record, std::uint64_t size) {
    if (used_ == expected_) return more_.append(record, size);
    owners_[used_] = record;
    sizes_[used_] = size < BlockColumns::kLargeSize ? static_cast<std::uint32_t>(size) : BlockColumns::kLargeSize;
    if (size >= BlockColumns::kLargeSize) columns_.add_large(static_cast<std::uint32_t>(used_), size);
    ++used_;
  }

  BlockColumns finish() {
    columns_.resize(used_);
    for (std::size_t i = 0; i < more_.count(); ++i) columns_.append(more_.owner(i), more_.size(i));
    return std::move(columns_);
  }

 private:
  BlockColumns columns_;
  BlockColumns more_;
  std::uint32_t* owners_;
  std::uint32_t* sizes_;
  std::size_t used_ = 0;
  std::size_t expected_;
};

}  // namespace

void Taker::follow(Era& era) {
  if (era_ == era.number()) return;
  auto dictionary = std::make_shared<Dictionary>();
  resolver_ = std::make_shared<TracerResolver>(era.shared_tables(), era.nframe());
  dictionary_ = std::move(dictionary);
  era_ = era.number();
}

void Taker::forget() noexcept {
  era_ = 0;
  resolver_.reset();
  dictionary_.reset();
}

const std::shared_ptr<Dictionary>& Taker::dictionary_of(Era& era) {
  follow(era);
  return dictionary_;
}

TracebackId Taker::traceback_of(Era& era, RecordId record) {
  follow(era);
  ResolvedRecord resolved;
  resolver_->resolve({&record, 1}, *dictionary_, {&resolved, 1});
  return resolved.traceback;
}

Snapshot Taker::take(Era& era, const ThreadList& threads, bool with_blocks) {
  follow(era);
  std::vector<RecordId> records;
  Counters counters;
  std::size_t expected = 0;
  era.for_each_live(threads, [&](RecordId record, const Amount& amount) {
    records.push_back(record);
    counters.count.push_back(amount.count);
    counters.size.push_back(amount.bytes);
    expected += amount.count;
  });
  std::optional<BlockColumns> blocks;
  if (with_blocks) {
    BlockCopy copy(expected);
    era.blocks().for_each([&](std::uint64_t, const memtrace::Block& block) { copy.add(block.record, block.size); });
    era.odd_blocks().for_each(
        [&](std::uint16_t, std::uint64_t, const memtrace::Block& block) { copy.add(block.record, block.size); });
    blocks = copy.finish();
  }
  return Snapshot::deferred(dictionary_, resolver_, std::move(records), std::move(counters), std::move(blocks),
                            era.nframe(), era.dropped());
}

}  // namespace memtrace::snapshot
