// Taking snapshots of the tracer: the only part of snapshot/ that sees it.
//
// take() copies counters and, when asked for, the blocks' (record, size) columns; what a record means is decoded at the
// snapshot's first use, from the era's tables, which the snapshot keeps alive. Snapshots of one era share one
// Dictionary and one Resolver, so each record is decoded once.
//
// Thread-safety: the caller holds the GIL, under which eras come and go.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "snapshot/dictionary.h"
#include "snapshot/resolver.h"
#include "snapshot/snapshot.h"
#include "src/tracer/control.h"
#include "src/tracer/typed_block.h"

namespace memtrace::snapshot {

class Taker {
 public:
  // O(live blocks), or O(records) without them. May throw std::bad_alloc. `mark` is the generation that begins now, if one
  // does.
  // pre: `era` is the current one of `control`.
  Snapshot take(Era& era, const Control& control, bool blocks, std::uint64_t mark = 0);

  // A snapshot of these blocks, whose types are `types`, by number. O(blocks). As take().
  Snapshot take_typed(Era& era, const Control& control, std::span<const TypedBlock> typed,
                      std::span<const StringId> types, bool blocks, std::uint64_t mark = 0);

  // The live records that rows of `snapshot` are of, with the types of these rows. O(records). pre: the snapshot is of this
  // era, dictionary_of(era) being its Dictionary.
  std::unordered_map<RecordId, std::vector<StringId>> records_of(Era& era, const Control& control,
                                                                 const Snapshot& snapshot);

  // What was live at the peak of `region`, without blocks. O(records). As take().
  Snapshot take_peak(Era& era, Control& control, const PeakRegions::Region& region);

  const std::shared_ptr<Dictionary>& dictionary_of(Era& era);
  TracebackId traceback_of(Era& era, RecordId record);

  // Lets go of an era that is over: its memory is the snapshots' alone from here on.
  void forget() noexcept;

 private:
  void follow(Era& era);

  std::uint64_t era_ = 0;
  std::shared_ptr<Dictionary> dictionary_;
  std::shared_ptr<Resolver> resolver_;
};

}  // namespace memtrace::snapshot
