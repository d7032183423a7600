// Churn: what has come and gone, by row, since a trace began or between two snapshots of it.
//
//   allocated   blocks that were allocated, whatever became of them
//   freed       blocks that ended; a block that is resized ends, and another begins
//   temporary   of those the ones that ended before their thread's next allocation but one
//
// A snapshot of the tracer brings its churn along. It has more rows than the snapshot: all records that a block was ever
// allocated from. What is selected of a snapshot is selected of its churn when somebody asks for it.
// Thread-safety: values; const use from any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

#include "snapshot/snapshot.h"
#include "snapshot/statistics.h"

namespace memtrace::snapshot {

struct Churn {
  struct Ended {
    Counters freed, temporary;
  };

  Snapshot allocated;  // its counters are of what was allocated
  std::shared_ptr<const Ended> ended;  // by row index of `allocated`
  std::uint64_t microseconds = 0;  // that all this took
};

class LazyChurn {
 public:
  using Select = std::function<Snapshot(const Snapshot&)>;

  explicit LazyChurn(Churn churn) : churn_(std::move(churn)) {}
  LazyChurn(std::shared_ptr<const LazyChurn> whole, Select select)
      : whole_(std::move(whole)), select_(std::move(select)) {}

  // May throw what `select` throws, each time anew.
  const Churn& get() const;

 private:
  mutable std::mutex mutex_;  // guards all of it
  mutable std::shared_ptr<const LazyChurn> whole_;  // until churn_ is there
  mutable Select select_;
  mutable std::optional<Churn> churn_;
};

// `selected` with the churn of `whole`, as far as `select` selects it.
Snapshot with_churn_of(const Snapshot& whole, Snapshot selected, LazyChurn::Select select);

// What `now` has more than `before`, an earlier one of the same trace (std::invalid_argument for any other).
Churn subtract(const Churn& now, const Churn& before);

struct ChurnStatistic {
  struct Amount {
    std::uint64_t count = 0;  // blocks
    std::uint64_t size = 0;  // bytes
  };

  Amount allocated, freed, temporary;
  Site site;
  std::string_view key;  // these as Statistic's
  std::uint32_t number = 0;
  std::string_view joined;
};

struct ChurnStatistics {
  std::vector<ChurnStatistic> items;
  std::shared_ptr<const Dictionary> dictionary;  // of the sites' ids
  std::shared_ptr<const void> keep_alive;  // owner of the keys' text
};

// The groups in which something was allocated or freed, largest first by (allocated bytes, allocated blocks, key).
// std::invalid_argument as statistics(). By type there is one group: records know no types.
ChurnStatistics churn_statistics(const Churn& churn, Grouping group_by, bool cumulative = false);

}  // namespace memtrace::snapshot
