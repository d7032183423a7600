// BlockReader: the blocks of a snapshot as Python objects, a run at a time.
//
// Keeps the snapshot alive and shares names and frames between runs. Limits: the snapshot was taken with its blocks.
// Thread-safety: under the GIL.
#pragma once

#include <pybind11/pybind11.h>

#include <cstddef>
#include <memory>

#include "python/binding/dictionary_view.h"
#include "snapshot/snapshot.h"

namespace memtrace::binding {

class BlockReader {
 public:
  // pybind11::value_error when the snapshot has no blocks.
  explicit BlockReader(const snapshot::Snapshot& snapshot);

  std::size_t count() const { return count_; }

  // `length` blocks from `start` in steps of `step`, as (domain, size, frames, total_nframe). Equal stacks share one
  // frames tuple. pybind11::index_error when one of them is not there.
  pybind11::list tuples(std::size_t start, std::ptrdiff_t step, std::size_t length);
  // The same as objects of a class whose slots _trace and _source are set.
  pybind11::list objects(std::size_t start, std::ptrdiff_t step, std::size_t length, const pybind11::type& cls);

 private:
  // use(i, stack, trace tuple) for each of them.
  template <typename Use>
  void for_each(std::size_t start, std::ptrdiff_t step, std::size_t length, Use use);

  snapshot::Snapshot snapshot_;
  std::size_t count_;
  std::shared_ptr<DictionaryView> view_;
};

}  // namespace memtrace::binding
