#include "snapshot/take.h"

#include <algorithm>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "snapshot/churn.h"
#include "snapshot/site_decoder.h"
#include "snapshot/tracer_resolver.h"
#include "src/mem/os.h"

namespace memtrace::snapshot {

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
  const RecordNumber number = TracerResolver::number_of(record);
  resolver_->resolve({&number, 1}, *dictionary_, {&resolved, 1});
  return resolved.traceback;
}

namespace {

void append(Counters& counters, const Amount& amount) {
  counters.count.push_back(amount.count);
  counters.size.push_back(amount.bytes);
}

struct Rows {
  explicit Rows(const Era& of) : era(of) { counters.sample_interval = of.plan().interval; }

  void operator()(RecordId record, const Amount& amount) {
    records.push_back(TracerResolver::number_of(record));
    counters.count.push_back(amount.count);
    counters.size.push_back(amount.bytes);
    if (!era.can_sample()) return;
    const std::uint64_t interval = era.interval_of(era.sampling_of(record));
    counters.interval.push_back(interval);
    counters.spread.push_back(interval != 0 ? amount.spread : Spread{.count = static_cast<double>(amount.count)});
    if (interval != 0) samples = true;
  }

  // An era that has not come to sample is as any other.
  Counters finished() {
    if (!samples && counters.sample_interval == 0) counters.interval = {}, counters.spread = {};
    return std::move(counters);
  }

  // How many blocks there are, as far as each was recorded.
  std::size_t recorded() const {
    std::size_t sum = 0;
    for (std::size_t row = 0; row < records.size(); ++row)
      if (counters.interval.empty() || counters.interval[row] == 0) sum += counters.count[row];
    return sum;
  }

  const Era& era;
  std::vector<RecordNumber> records;
  Counters counters;
  bool samples = false;
};

}  // namespace

Snapshot Taker::take(Era& era, const Control& control, bool with_blocks, std::uint64_t mark) {
  follow(era);
  Rows rows(era);
  std::vector<RecordNumber> ever;
  Counters allocated;
  auto ended = std::make_shared<Churn::Ended>();
  era.for_each_ever(control.threads(), [&](RecordId record, const Amount& live, const Era::Churned& churned) {
    if (live.count != 0) rows(record, live);
    ever.push_back(TracerResolver::number_of(record));
    append(allocated, churned.allocated);
    append(ended->freed, churned.freed);
    append(ended->temporary, churned.temporary);
  });
  std::optional<BlockColumns> blocks;
  if (with_blocks) {
    blocks.emplace(rows.records.empty() ? 0 : *std::max_element(rows.records.begin(), rows.records.end()));
    blocks->reserve(rows.recorded());
    os::commit(blocks->reserved().data(), blocks->reserved().size_bytes());
    era.blocks().for_each([&](std::uint64_t, const memtrace::Block& block) {
      blocks->append(TracerResolver::number_of(block.record), block.size);
    });
    era.other_blocks().for_each([&](SpaceId, std::uint64_t, const memtrace::Block& block) {
      blocks->append(TracerResolver::number_of(block.record), block.size);
    });
  }
  Churn churn{
      Snapshot::deferred(dictionary_, resolver_, std::move(ever), std::move(allocated), std::nullopt, era.nframe()),
      std::move(ended), era.microseconds()};
  return Snapshot::deferred(dictionary_, resolver_, std::move(rows.records), rows.finished(), std::move(blocks),
                            era.nframe(), control.dropped(era), mark)
      .with_churn(std::make_shared<const LazyChurn>(std::move(churn)));
}

Snapshot Taker::take_peak(Era& era, Control& control, const PeakRegions::Region& region) {
  follow(era);
  Rows rows(era);
  control.peaks().for_each_at_peak(region, era, control.threads(), rows);
  return Snapshot::deferred(dictionary_, resolver_, std::move(rows.records), rows.finished(), std::nullopt,
                            era.nframe(), control.dropped(era));
}

}  // namespace memtrace::snapshot
