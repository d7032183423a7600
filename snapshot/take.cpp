#include "snapshot/take.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "snapshot/churn.h"
#include "snapshot/intern_table.h"
#include "snapshot/site_decoder.h"
#include "snapshot/tracer_resolver.h"
#include "src/base/hash.h"
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

// An era that has not come to sample is as any other.
Counters without_idle_samples(Counters counters) {
  const bool sampled = counters.sample_interval != 0 || std::ranges::any_of(counters.interval, std::identity{});
  if (!sampled) counters.interval = {}, counters.spread = {};
  return counters;
}

struct Rows {
  explicit Rows(const Era& of) : era(of) { counters.sample_interval = of.plan().interval; }

  void operator()(RecordId record, const Amount& amount) {
    records.push_back(TracerResolver::number_of(record));
    append(counters, amount);
    if (!era.can_sample()) return;
    const std::uint64_t interval = era.interval_of(era.sampling_of(record));
    counters.interval.push_back(interval);
    counters.spread.push_back(interval != 0 ? amount.spread : Spread{.count = static_cast<double>(amount.count)});
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
};

// What has come and gone of every record.
struct Ever {
  std::vector<RecordNumber> records;
  Counters allocated;
  std::shared_ptr<Churn::Ended> ended = std::make_shared<Churn::Ended>();

  void operator()(RecordId record, const Era::Churned& churned) {
    records.push_back(TracerResolver::number_of(record));
    append(allocated, churned.allocated);
    append(ended->freed, churned.freed);
    append(ended->temporary, churned.temporary);
  }

  // To be read with what reads the era's other rows.
  std::shared_ptr<const LazyChurn> finished(const Era& era, const std::shared_ptr<Dictionary>& dictionary,
                                            const std::shared_ptr<Resolver>& resolver) {
    return std::make_shared<const LazyChurn>(Churn{
        Snapshot::deferred(dictionary, resolver, std::move(records), std::move(allocated), std::nullopt, era.nframe()),
        std::move(ended), era.microseconds()});
  }
};

// Rows of blocks that have record and type in common.
struct TypedRows {
  explicit TypedRows(const Era& of) : era(of) { counters.sample_interval = of.plan().interval; }

  std::uint32_t add(const TypedBlock& block, StringId type) {
    const std::uint32_t row = row_of(block.record, type);
    const Weight weight = era.weight_of(block.record, block.size);
    counters.size[row] += weight.bytes;
    if (!era.can_sample()) {
      ++counters.count[row];
      return row;
    }
    counters.spread[row] += weight.spread;
    counters.count[row] = rounded(counters.spread[row].count);
    return row;
  }

  const Era& era;
  std::vector<RecordNumber> records;
  std::vector<StringId> types;
  Counters counters;

 private:
  std::uint32_t row_of(RecordId record, StringId type) {
    const RecordNumber number = TracerResolver::number_of(record);
    const std::uint32_t key[] = {number, type};
    return index_.find_or_insert(
        hash64(key, sizeof key), [&](std::uint32_t row) { return records[row] == number && types[row] == type; },
        [&] {
          records.push_back(number);
          types.push_back(type);
          counters.count.push_back(0);
          counters.size.push_back(0);
          if (era.can_sample()) {
            counters.interval.push_back(era.interval_of(era.sampling_of(record)));
            counters.spread.push_back({});
          }
          return static_cast<std::uint32_t>(records.size() - 1);
        });
  }

  InternIndex index_;
};

struct HashOfKey {
  std::size_t operator()(const ResolvedRecord& key) const noexcept {
    static_assert(std::has_unique_object_representations_v<ResolvedRecord>);
    return hash64(&key, sizeof key);
  }
};

}  // namespace

Snapshot Taker::take(Era& era, const Control& control, bool with_blocks, std::uint64_t mark) {
  follow(era);
  Rows rows(era);
  Ever ever;
  era.for_each_ever(control.threads(), [&](RecordId record, const Amount& live, const Era::Churned& churned) {
    if (live.count != 0) rows(record, live);
    ever(record, churned);
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
  return Snapshot::deferred(dictionary_, resolver_, std::move(rows.records),
                            without_idle_samples(std::move(rows.counters)), std::move(blocks), era.nframe(),
                            control.dropped(era), mark)
      .with_churn(ever.finished(era, dictionary_, resolver_));
}

Snapshot Taker::take_typed(Era& era, const Control& control, std::span<const TypedBlock> typed,
                           std::span<const StringId> types, bool with_blocks, std::uint64_t mark) {
  follow(era);
  TypedRows rows(era);
  std::vector<std::uint32_t> owners(typed.size());
  for (std::size_t i = 0; i < typed.size(); ++i) owners[i] = rows.add(typed[i], types[typed[i].type]);
  Ever ever;
  era.for_each_ever(control.threads(),
                    [&](RecordId record, const Amount&, const Era::Churned& churned) { ever(record, churned); });
  std::optional<BlockColumns> blocks;
  if (with_blocks) {
    blocks.emplace(static_cast<std::uint32_t>(rows.records.size()));
    blocks->reserve(typed.size());
    for (std::size_t i = 0; i < typed.size(); ++i) blocks->append(owners[i], typed[i].size);
  }
  return Snapshot::deferred(dictionary_, resolver_, std::move(rows.records),
                            without_idle_samples(std::move(rows.counters)), std::move(blocks), era.nframe(),
                            control.dropped(era), mark, std::move(rows.types))
      .with_churn(ever.finished(era, dictionary_, resolver_));
}

std::unordered_map<RecordId, std::vector<StringId>> Taker::records_of(Era& era, const Control& control,
                                                                      const Snapshot& snapshot) {
  follow(era);
  std::unordered_map<ResolvedRecord, std::vector<StringId>, HashOfKey> types_of;
  const std::span<const ResolvedRecord> keys = snapshot.keys();
  for (const std::uint32_t row : snapshot.rows()) {
    ResolvedRecord key = keys[row];
    const StringId type = std::exchange(key.type, 0);
    types_of[key].push_back(type);
  }
  Rows live(era);
  era.for_each_live(control.threads(), live);
  std::vector<ResolvedRecord> resolved(live.records.size());
  resolver_->resolve(live.records, *dictionary_, resolved);
  std::unordered_map<RecordId, std::vector<StringId>> found;
  for (std::size_t i = 0; i < resolved.size(); ++i) {
    const auto types = types_of.find(resolved[i]);
    if (types != types_of.end()) found.emplace(TracerResolver::record_of(live.records[i]), types->second);
  }
  return found;
}

Snapshot Taker::take_peak(Era& era, Control& control, const PeakRegions::Region& region) {
  follow(era);
  Rows rows(era);
  control.peaks().for_each_at_peak(region, era, control.threads(), rows);
  return Snapshot::deferred(dictionary_, resolver_, std::move(rows.records),
                            without_idle_samples(std::move(rows.counters)), std::nullopt, era.nframe(),
                            control.dropped(era));
}

}  // namespace memtrace::snapshot
