// BlockReader: the blocks of a snapshot as Python objects, a run at a time.
//
// Keeps the snapshot alive and shares names and frames between runs. Limits: the snapshot was taken with its blocks.
// Thread-safety: under the GIL.
#pragma once

#include <pybind11/pybind11.h>

#include <cstddef>
#include <memory>
#include <optional>

#include "python/binding/dictionary_view.h"
#include "snapshot/snapshot.h"

namespace memtrace::binding {

class BlockReader {
 public:
  // pybind11::value_error when the snapshot has no blocks.
  explicit BlockReader(const snapshot::Snapshot& snapshot);

  std::size_t count() const { return count_; }

  // `length` blocks from `start` in steps of `step`, as (domain, size, frames, total_nframe); equal stacks share one frames
  // tuple. Given a class, as objects of it whose slots _trace and _source are set.
  pybind11::list read(std::size_t start, std::ptrdiff_t step, std::size_t length,
                      const std::optional<pybind11::type>& cls);

 private:
  snapshot::Snapshot snapshot_;
  std::size_t count_;
  std::shared_ptr<DictionaryView> view_;
};

}  // namespace memtrace::binding
