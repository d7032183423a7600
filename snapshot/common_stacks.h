// The stacks of two snapshots as ids of one Dictionary, so that they can be compared by integers. Private to snapshot/.
// Thread-safety: pure functions.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "snapshot/dictionary.h"
#include "snapshot/keys.h"
#include "snapshot/snapshot.h"

namespace memtrace::snapshot {

enum class StackDetail : std::uint8_t { all_frames, most_recent_frame };

// Copies entries of one Dictionary into another, each once. Holds the target's lock as long as it lives.
class Importer {
 public:
  Importer(const Dictionary& from, Dictionary& to);

  StringId string(StringId id);
  FrameId frame(FrameId id);
  // The stacks of the snapshot's selected rows, by row index; kEmptyStack for the other rows.
  std::vector<StackId> stacks(const Snapshot& snapshot, StackDetail detail);
  TracebackId traceback(StackId stack_in_target, std::int32_t total_nframe);
  // What was set with set_module() for the files imported so far.
  void modules();

 private:
  std::vector<StackId> whole_stacks(const Snapshot& snapshot);

  const Dictionary& from_;
  Dictionary::Writer to_;
  std::vector<StringId> strings_;  // by id in from_
  std::vector<FrameId> frames_;
};

struct CommonStacks {
  std::shared_ptr<Dictionary> dictionary;
  std::vector<StackId> first, second;  // by row index of each snapshot; selected rows only
};

// Over the shared Dictionary where there is one, else over a new one.
CommonStacks common_stacks(const Snapshot& first, const Snapshot& second, StackDetail detail);

}  // namespace memtrace::snapshot
