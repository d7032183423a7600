#include "snapshot/row_sums.h"

#include <limits>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include "src/base/hash.h"

namespace memtrace::snapshot {

std::size_t RowNumbers::Hash::operator()(const Identity& identity) const noexcept {
  static_assert(std::has_unique_object_representations_v<Identity>);
  return hash64(&identity, sizeof identity);
}

std::uint32_t RowNumbers::of(const ResolvedRecord& key, std::uint64_t interval) {
  const auto [found, added] = number_of_.try_emplace({key, interval}, count());
  if (added) {
    if (keys_.size() >= kMaxEntries - 1) throw std::length_error("a snapshot has too many rows");
    keys_.push_back(key);
  }
  return found->second;
}

void CounterSums::add(std::uint32_t row, std::uint64_t count, std::uint64_t size) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max();
  if (count > kMost - total_count_ || size > kMost - total_size_)
    throw std::length_error("all sizes or counts together are too large for a snapshot");
  total_count_ += count;
  total_size_ += size;
  add_unchecked(row, count, size);
}

void CounterSums::add_unchecked(std::uint32_t row, std::uint64_t count, std::uint64_t size) {
  if (row >= sums_.count.size()) {
    sums_.count.resize(row + std::size_t{1});
    sums_.size.resize(row + std::size_t{1});
  }
  sums_.count[row] += count;
  sums_.size[row] += size;
}

Counters CounterSums::take(std::size_t rows) {
  sums_.count.resize(rows);
  sums_.size.resize(rows);
  return std::move(sums_);
}

void ChurnSums::add(const ResolvedRecord& key, const Amount& allocated, const Amount& freed, const Amount& temporary) {
  const std::uint32_t row = rows_.of(key);
  allocated_.add(row, allocated.count, allocated.size);
  freed_.add(row, freed.count, freed.size);
  temporary_.add(row, temporary.count, temporary.size);
}

Churn ChurnSums::take(std::shared_ptr<Dictionary> dictionary, std::int64_t traceback_limit,
                      std::uint64_t microseconds) {
  const std::size_t rows = rows_.count();
  auto ended = std::make_shared<Churn::Ended>(Churn::Ended{freed_.take(rows), temporary_.take(rows)});
  return {Snapshot::resolved(std::move(dictionary), rows_.take_keys(), allocated_.take(rows), std::nullopt,
                             traceback_limit),
          std::move(ended), microseconds};
}

}  // namespace memtrace::snapshot
