#include "hooks/events.h"

namespace memtrace {

constinit PyInterpreterState* main_interpreter = nullptr;

namespace {

// The bracket around an event that does not hold the main interpreter's GIL.
class Section {
 public:
  explicit Section(Thread& thread) noexcept : thread_(thread), era_(control.enter(thread)) {}
  Section(const Section&) = delete;
  Section& operator=(const Section&) = delete;
  ~Section() { control.leave(thread_); }

  Era* era() const noexcept { return era_; }

 private:
  Thread& thread_;
  Era* era_;
};

bool refresh_apart(Thread& thread, Era& era) noexcept {
  const std::uint64_t version = control.version();
  // The era can be newer than the version: who replaces it changes one after the other.
  if (thread.version_apart == version && thread.stack.era() == era.number()) return true;
  thread.stack.reset(era);
  thread.own_states = {};
  thread.context_apart = era.tables().contexts.intern({.thread = thread.index, .thread_records = 1});
  thread.version_apart = thread.context_apart == kNone ? 0 : version;
  return thread.context_apart != kNone;
}

void add_apart(Thread& thread, Era& era, PyThreadState* attached, const void* block, std::size_t size) noexcept {
  if (!refresh_apart(thread, era)) return era.drop();
  const PyThreadState* state = attached != nullptr ? attached : compat::detached(thread.own_states);
  const compat::Frame* top = state == nullptr ? nullptr : compat::top_frame(state);
  const RecordId record = thread.stack.capture(era, top, thread.context_apart, true);
  if (record == kNone) return era.drop();
  era.add(Access::kApart, thread, block, size, record);
}

}  // namespace

bool refresh(Thread& thread, Era& era) noexcept {
  // Read first: a change that comes while this runs is seen at the next event.
  const std::uint64_t version = control.version();
  thread.stack.reset(era);
  thread.own_states = {};
  thread.context = era.tables().contexts.intern({.thread = thread.index, .thread_records = 0});
  thread.version = thread.context == kNone ? 0 : version;
  return thread.context != kNone;
}

void record_apart(Thread& thread, PyThreadState* attached, const void* block, std::size_t size) noexcept {
  const Section section(thread);
  if (Era* era = section.era()) add_apart(thread, *era, attached, block, size);
}

void forget_apart(Thread& thread, const void* block) noexcept {
  const Section section(thread);
  Era* era = section.era();
  if (era != nullptr && era->remove(Access::kApart, thread, block)) control.invalidate();
}

Block take_apart(Thread& thread, const void* block) noexcept {
  const Section section(thread);
  Era* era = section.era();
  if (era == nullptr) return {};
  const Block taken = era->take(block);
  if (taken) thread.resize_era.set(era->number());
  return taken;
}

void resized_apart(Thread& thread, PyThreadState* attached, const void* old_block, const Block& old, const void* block,
                   std::size_t size) noexcept {
  const Section section(thread);
  Era* era = section.era();
  // What was taken from an era that has ended meanwhile is gone with it.
  const bool known = era != nullptr && thread.resize_era.get() == era->number();
  thread.resize_era.set(0);
  if (era == nullptr) return;
  if (block == nullptr) {
    if (known) era->put_back(old_block, old);
    return;
  }
  if (known && era->account_free(Access::kApart, thread, old)) control.invalidate();
  add_apart(thread, *era, attached, block, size);
}

}  // namespace memtrace
