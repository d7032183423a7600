#include "hooks/events.h"

#include <utility>

#include "hooks/labels.h"
#include "hooks/limits.h"
#include "hooks/reports.h"
#include "hooks/timeline.h"

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

template <Access access>
bool refresh(Thread& thread, Era& era, const PyThreadState* attached) noexcept {
  Thread::Tagged& tagged = access == Access::kExclusive ? thread.exclusive : thread.apart;
  // Read first: a change that comes while this runs is seen at the next event.
  const std::uint64_t version = control.version(std::memory_order_acquire);
  const std::uint32_t sampling = era.sampling();
  const std::uint32_t label = labels::current(thread, attached);
  const std::uint64_t stack_version = Control::stack_version(version);
  // The era can be newer than the version: who replaces it changes one after the other.
  const bool is_same_stack = tagged.stack_version == stack_version && thread.stack.era() == era.number();
  const bool is_same_generation = is_same_stack && tagged.version == version;
  if (is_same_generation && tagged.label == label) return true;
  if (!is_same_stack) {
    thread.stack.reset(era);
    thread.own_states = {};
  }
  const Thread::Tagged old = is_same_generation ? tagged : Thread::Tagged{};
  ContextId context = old.context_before;
  if (context == kNone || old.label_before != label)
    context = era.tables().contexts.intern({.generation = control.generation(),
                                            .thread = thread.id_in(era),
                                            .label = label,
                                            .sampling = sampling,
                                            .owner = access == Access::kExclusive ? 0 : thread.index});
  tagged = {.version = context == kNone ? 0 : version,
            .stack_version = stack_version,
            .label = label,
            .context = context,
            .label_before = old.label,
            .context_before = old.context};
  if (thread.is_nameless() && attached != nullptr && attached->interp == main_interpreter) {
    thread.find_name(era, attached);
    if (thread.is_nameless()) tagged.version = 0;  // comes here again
  }
  // What an exclusive event does at once is not for samples.
  if (access == Access::kExclusive && sampling != 0) tagged.version = 0;
  return context != kNone;
}

// The context for blocks of `domain`.
ContextId context_in(Domain domain, Thread::Tagged& tagged, Era& era) noexcept {
  if (domain == 0) return tagged.context;
  if (tagged.domain == domain) return tagged.domain_context;
  Context context = era.tables().contexts[tagged.context];
  context.domain = domain;
  const ContextId id = era.tables().contexts.intern(context);
  if (id != kNone) {
    tagged.domain = domain;
    tagged.domain_context = id;
  }
  return id;
}

RecordId capture_apart(Thread& thread, Era& era, PyThreadState* attached, Domain domain) noexcept {
  if (!refresh<Access::kApart>(thread, era, attached)) return kNone;
  const ContextId context = context_in(domain, thread.apart, era);
  if (context == kNone) return kNone;
  PyThreadState* state = attached != nullptr ? attached : compat::detached(thread.own_states);
  return thread.stack.capture(era, state, context, true);
}

void add_apart(Thread& thread, Era& era, PyThreadState* attached, const void* block, std::size_t size) noexcept {
  const RecordId record = capture_apart(thread, era, attached, 0);
  if (record == kNone) return era.drop();
  era.add(Access::kApart, thread, block, size, record);
}

// Calls event(access, era) as the caller's GIL allows. False when nothing is traced.
template <typename Event>
bool with_era(Thread& thread, const PyThreadState* attached, Event&& event) noexcept {
  if (is_exclusive(attached)) {
    Era* const era = control.era();
    if (era != nullptr) event(Access::kExclusive, *era);
    return era != nullptr;
  }
  const Section section(thread);
  if (section.era() != nullptr) event(Access::kApart, *section.era());
  return section.era() != nullptr;
}

// The calling thread's state for one report, which may come from anywhere: under a hook, or after the thread's end.
class Reporter {
 public:
  Reporter() noexcept : thread_(Thread::attach()), late_(thread_ == nullptr) {
    if (late_) thread_ = Thread::begin_late();
    if (thread_ != nullptr) busy_ = std::exchange(thread_->busy, true);
  }
  Reporter(const Reporter&) = delete;
  Reporter& operator=(const Reporter&) = delete;
  ~Reporter() {
    if (thread_ == nullptr) return;
    thread_->busy = busy_;
    if (late_) Thread::end_late(thread_);
  }

  Thread* thread() const noexcept { return thread_; }

 private:
  Thread* thread_;
  bool late_;
  bool busy_ = false;
};

// Calls report(thread, access, era, attached) as the caller's GIL allows, unless there is no memory for a thread's state.
// False when nothing is traced.
template <typename Report>
bool in_era(Report&& report) noexcept {
  if (control.era() == nullptr) return false;
  const Reporter reporter;
  Thread* const thread = reporter.thread();
  if (thread == nullptr) {
    control.drop();
    return true;
  }
  PyThreadState* const attached = attached_thread<Gil::kUnknown>(*thread);
  return with_era(*thread, attached, [&](Access access, Era& era) { report(*thread, access, era, attached); });
}

RecordId capture_in(Thread& thread, Access access, Era& era, PyThreadState* attached, Domain domain) noexcept {
  if (access == Access::kApart) return capture_apart(thread, era, attached, domain);
  if (!is_current(thread, attached) && !refresh<Access::kExclusive>(thread, era, attached)) return kNone;
  const ContextId context = context_in(domain, thread.exclusive, era);
  const bool is_sample = context != kNone && era.tables().contexts[context].sampling != 0;
  return context == kNone ? kNone : thread.stack.capture(era, attached, context, is_sample);
}

// After Sampler::passes() has said no.
bool is_sampled(Thread& thread, Era& era, std::size_t size) noexcept {
  return thread.sampler.is_sampled(size, era.plan(), era.number(), [&] { return era.next_seed(); });
}

void untrack_in(Thread& thread, Access access, Era& era, Domain domain, std::uint64_t address) noexcept {
  if (era.untrack(access, thread, domain, address)) control.invalidate();
}

void track_in(Thread& thread, Access access, Era& era, PyThreadState* attached, Domain domain, std::uint64_t address,
              std::size_t size) noexcept {
  const RecordId record = capture_in(thread, access, era, attached, domain);
  if (record == kNone || !limits::allows_more()) {
    untrack_in(thread, access, era, domain, address);
    return era.drop();
  }
  era.track(access, thread, domain, address, size, record);
  limits::recorded(thread, era, address);
}

}  // namespace

bool track(Domain domain, std::uint64_t address, std::size_t size) noexcept {
  return in_era([&](Thread& thread, Access access, Era& era, PyThreadState* attached) {
    if (era.can_sample() && (thread.sampler.passes(size) || !is_sampled(thread, era, size)))
      return untrack_in(thread, access, era, domain, address);
    track_in(thread, access, era, attached, domain, address, size);
  });
}

bool untrack(Domain domain, std::uint64_t address) noexcept {
  return in_era([&](Thread& thread, Access access, Era& era, PyThreadState*) {
    untrack_in(thread, access, era, domain, address);
  });
}

bool refresh(Thread& thread, Era& era, const PyThreadState* attached) noexcept {
  return era.sampling() == 0 && refresh<Access::kExclusive>(thread, era, attached);
}

void record_first(Thread& thread, PyThreadState* attached, const void* block, std::size_t size) noexcept {
  Era* const era = control.era();
  if (era == nullptr) return;
  if (era->can_sample()) {
    // By hooks of an exact session, which somebody has kept.
    if (!thread.sampler.passes(size)) record_sampled(thread, attached, block, size);
    return;
  }
  record_as(capture(thread, *era, attached), thread, *era, block, size);
}

void record_elsewhere(Thread& thread, Era& era, PyThreadState* attached, std::uint64_t place, const void* block,
                      std::size_t size) noexcept {
  record_as(thread.stack.capture_from(place, era, attached, thread.exclusive.context), thread, era, block, size);
}

void record_apart(Thread& thread, PyThreadState* attached, const void* block, std::size_t size) noexcept {
  const Section section(thread);
  Era* const era = section.era();
  if (era == nullptr) return;
  if (!era->can_sample()) return add_apart(thread, *era, attached, block, size);
  if (!thread.sampler.passes(size) && is_sampled(thread, *era, size))
    track_in(thread, Access::kApart, *era, attached, 0, reinterpret_cast<std::uintptr_t>(block), size);
}

void look_at_clock(Thread& thread, const PyThreadState* attached) noexcept {
  with_era(thread, attached, [](Access, Era& era) { timeline::look(era); });
}

void record_sampled(Thread& thread, PyThreadState* attached, const void* block, std::size_t size) noexcept {
  with_era(thread, attached, [&](Access access, Era& era) {
    if (!is_sampled(thread, era, size)) return;
    track_in(thread, access, era, attached, 0, reinterpret_cast<std::uintptr_t>(block), size);
    // A sample stands for many blocks.
    if (timeline::is_on() && timeline::is_time(thread, size + era.plan().interval)) timeline::look(era);
  });
}

void forget_sampled(Thread& thread, const PyThreadState* attached, const void* block) noexcept {
  with_era(thread, attached, [&](Access access, Era& era) {
    untrack_in(thread, access, era, 0, reinterpret_cast<std::uintptr_t>(block));
  });
}

Block take_sampled(Thread& thread, const PyThreadState* attached, const void* block) noexcept {
  if (!is_exclusive(attached)) return take_apart(thread, block);
  Era* const era = control.era();
  return era == nullptr ? Block{} : era->take_any(block);
}

void resized_sampled(Thread& thread, const PyThreadState* attached, const void* old_block, const Block& old,
                     bool succeeded) noexcept {
  with_era(thread, attached, [&](Access access, Era& era) {
    // What was taken from an era that has ended meanwhile is gone with it.
    if (access == Access::kApart && thread.resize_era.get() != era.number()) return;
    if (!succeeded) return era.put_back(old_block, old);
    era.forget_free(old_block, old);
    if (era.account_free(access, thread, old)) control.invalidate();
  });
  thread.resize_era.set(0);
}

void forget_apart(Thread& thread, const void* block) noexcept {
  const Section section(thread);
  Era* era = section.era();
  if (era != nullptr && era->remove(Access::kApart, thread, block)) control.invalidate();
}

void reassign_apart(Thread& thread, PyThreadState* attached, const void* block) noexcept {
  const Section section(thread);
  Era* era = section.era();
  if (era == nullptr || era->sampling() != 0) return;
  era->reassign(Access::kApart, thread, block, [&] { return capture_apart(thread, *era, attached, 0); });
}

Block take_apart(Thread& thread, const void* block) noexcept {
  const Section section(thread);
  Era* era = section.era();
  if (era == nullptr) return {};
  const Block taken = era->take_any(block);
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
  if (known && era->account_free(Access::kApart, thread, old, thread.is_latest(old_block))) control.invalidate();
  add_apart(thread, *era, attached, block, size);
}

}  // namespace memtrace
