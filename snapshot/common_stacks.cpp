#include "snapshot/common_stacks.h"

namespace memtrace::snapshot {

namespace {

constexpr std::uint32_t kNotYet = kMaxEntries;

}  // namespace

Importer::Importer(const Dictionary& from, Dictionary& to)
    : from_(from), to_(to), strings_(from.string_count(), kNotYet), frames_(from.frame_count(), kNotYet) {}

StringId Importer::string(StringId id) {
  if (strings_[id] == kNotYet) strings_[id] = to_.string(from_.string(id));
  return strings_[id];
}

FrameId Importer::frame(FrameId id) {
  if (frames_[id] == kNotYet) {
    Frame frame = from_.frame(id);
    frame.filename = string(frame.filename);
    frame.function = string(frame.function);
    frames_[id] = to_.frame(frame);
  }
  return frames_[id];
}

std::vector<StackId> Importer::stacks(const Snapshot& snapshot, StackDetail detail) {
  if (detail == StackDetail::all_frames) return whole_stacks(snapshot);
  std::vector<StackId> imported(snapshot.column_count(), kEmptyStack);
  const auto stacks = snapshot.stacks();
  for (const std::uint32_t row : snapshot.rows()) {
    imported[row] = to_.stack(kEmptyStack, frame(from_.stack(stacks[row]).frame));
  }
  return imported;
}

// Parents have smaller ids: one pass down marks what is needed, one pass up copies it.
std::vector<StackId> Importer::whole_stacks(const Snapshot& snapshot) {
  const auto stacks = snapshot.stacks();
  std::vector<StackId> copy_of(from_.stack_count(), kEmptyStack);
  for (const std::uint32_t row : snapshot.rows()) copy_of[stacks[row]] = kNotYet;
  for (std::size_t id = copy_of.size(); id-- > 1;) {
    if (copy_of[id] == kNotYet) copy_of[from_.stack(static_cast<StackId>(id)).parent] = kNotYet;
  }
  copy_of[kEmptyStack] = kEmptyStack;
  for (std::size_t id = 1; id < copy_of.size(); ++id) {
    if (copy_of[id] != kNotYet) continue;
    const Stack stack = from_.stack(static_cast<StackId>(id));
    copy_of[id] = to_.stack(copy_of[stack.parent], frame(stack.frame));
  }
  std::vector<StackId> imported(snapshot.column_count(), kEmptyStack);
  for (const std::uint32_t row : snapshot.rows()) imported[row] = copy_of[stacks[row]];
  return imported;
}

TracebackId Importer::traceback(StackId stack_in_target, std::int32_t total_nframe) {
  return to_.traceback(stack_in_target, total_nframe);
}

void Importer::modules() {
  for (const auto& [filename, module] : from_.modules()) {
    // Names that came since are no part of what was imported.
    if (filename >= strings_.size() || strings_[filename] == kNotYet) continue;
    to_.set_module(strings_[filename], from_.string(module));
  }
}

CommonStacks common_stacks(const Snapshot& first, const Snapshot& second, StackDetail detail) {
  if (first.dictionary() == second.dictionary()) {
    const auto a = first.stacks(), b = second.stacks();
    return {first.dictionary(), {a.begin(), a.end()}, {b.begin(), b.end()}};
  }
  auto dictionary = std::make_shared<Dictionary>();
  CommonStacks common{dictionary, {}, {}};
  const auto import = [&](const Snapshot& snapshot) {
    snapshot.stacks();  // resolves, before the counts of its Dictionary are taken
    Importer importer(*snapshot.dictionary(), *dictionary);
    std::vector<StackId> stacks = importer.stacks(snapshot, detail);
    importer.modules();
    return stacks;
  };
  // Later settings win: the first snapshot's modules are the ones that hold.
  common.second = import(second);
  common.first = import(first);
  return common;
}

}  // namespace memtrace::snapshot
