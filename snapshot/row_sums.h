// Rows that are being added up: equal keys are one row, and its counters are sums.
//
// Private to snapshot/. Thread-safety: values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "snapshot/churn.h"
#include "snapshot/resolver.h"
#include "snapshot/snapshot.h"

namespace memtrace::snapshot {

// Numbers the rows in the order in which their keys are first met.
class RowNumbers {
 public:
  // Blocks of other sampling intervals have other weights: their rows stay apart. std::length_error beyond 2^32-2 rows.
  std::uint32_t of(const ResolvedRecord& key, std::uint64_t interval = 0);

  std::uint32_t count() const noexcept { return static_cast<std::uint32_t>(keys_.size()); }
  // Empties the keys; the last thing to be called.
  std::vector<ResolvedRecord> take_keys() noexcept { return std::move(keys_); }

 private:
  struct Identity {
    ResolvedRecord key;
    std::uint64_t interval;
    friend bool operator==(const Identity&, const Identity&) = default;
  };
  struct Hash {
    std::size_t operator()(const Identity& identity) const noexcept;
  };

  std::vector<ResolvedRecord> keys_;
  std::unordered_map<Identity, std::uint32_t, Hash> number_of_;
};

// One pair of counters by row.
class CounterSums {
 public:
  // std::length_error when all rows together come to 2^63 bytes or blocks: differences are signed.
  void add(std::uint32_t row, std::uint64_t count, std::uint64_t size);
  // Not checked: literal traces may have any size.
  void add_block(std::uint32_t row, std::uint64_t size) { add_unchecked(row, 1, size); }
  // For that many rows; the last thing to be called.
  Counters take(std::size_t rows);

 private:
  void add_unchecked(std::uint32_t row, std::uint64_t count, std::uint64_t size);

  Counters sums_;
  std::uint64_t total_count_ = 0, total_size_ = 0;
};

class ChurnSums {
 public:
  using Amount = ChurnStatistic::Amount;

  // std::length_error as CounterSums and RowNumbers.
  void add(const ResolvedRecord& key, const Amount& allocated, const Amount& freed, const Amount& temporary);
  // The last thing to be called.
  Churn take(std::shared_ptr<Dictionary> dictionary, std::int64_t traceback_limit, std::uint64_t microseconds);

 private:
  RowNumbers rows_;
  CounterSums allocated_, freed_, temporary_;
};

}  // namespace memtrace::snapshot
