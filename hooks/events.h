// What the allocator hooks and the reference tracer do with the tracer, whatever the domain.
//
// None of these takes the GIL, calls Python or fails the program. When something cannot be recorded it is dropped and
// counted. pre, where there is a `thread`: it is the caller's own state and marked busy.
#pragma once

#include "hooks/compat/frame.h"
#include "hooks/compat/thread.h"
#include "hooks/thread.h"
#include "src/base/hot.h"

namespace memtrace {

// Whether a domain's callers hold the GIL by contract.
enum class Gil { kHeld, kUnknown };

// The main interpreter, once a session has begun. Events that hold its GIL are exclusive.
extern constinit PyInterpreterState* main_interpreter;

template <Gil kGil>
inline PyThreadState* attached_thread(Thread& thread) noexcept {
  return kGil == Gil::kHeld ? compat::attached_by_contract(thread.own_states) : compat::attached(thread.own_states);
}

// Brings what is cached in `thread` up to date for exclusive events: another era or generation has begun, a code object
// has died, or the thread is in another context. False when memory cannot be had.
MT_COLD bool refresh(Thread& thread, Era& era, const PyThreadState* attached) noexcept;

// The first allocation of a thread after the version has changed, or when nothing is traced.
MT_COLD void record_first(Thread& thread, PyThreadState* attached, const void* block, std::size_t size) noexcept;
// Where the stack has changed since the thread's last event, or the record was not asked for lately: `place` is what
// place_at_once() has said.
MT_COLD void record_elsewhere(Thread& thread, Era& era, PyThreadState* attached, std::uint64_t place, const void* block,
                              std::size_t size) noexcept;
// Events without the main interpreter's GIL.
MT_COLD void record_apart(Thread& thread, PyThreadState* attached, const void* block, std::size_t size) noexcept;
MT_COLD void forget_apart(Thread& thread, const void* block) noexcept;
MT_COLD void reassign_apart(Thread& thread, PyThreadState* attached, const void* block) noexcept;
MT_COLD Block take_apart(Thread& thread, const void* block) noexcept;
MT_COLD void resized_apart(Thread& thread, PyThreadState* attached, const void* old_block, const Block& old,
                           const void* block, std::size_t size) noexcept;

// Events of an era with samples, of either kind, when the sampler or the filter has asked for more than a look.
MT_COLD void record_sampled(Thread& thread, PyThreadState* attached, const void* block, std::size_t size) noexcept;
MT_COLD void forget_sampled(Thread& thread, const PyThreadState* attached, const void* block) noexcept;
// The two halves of a resize, of which the second is for what the first has found.
MT_COLD Block take_sampled(Thread& thread, const PyThreadState* attached, const void* block) noexcept;
MT_COLD void resized_sampled(Thread& thread, const PyThreadState* attached, const void* old_block, const Block& old,
                             bool succeeded) noexcept;

// For the timeline, when it is time.
MT_COLD void look_at_clock(Thread& thread, const PyThreadState* attached) noexcept;

// pre: `attached` is not null.
MT_HOT bool is_current(const Thread& thread, const PyThreadState* attached) noexcept {
  return thread.exclusive.version == control.version() && thread.label_seen.is_of(attached);
}

// The calling thread's record in an exclusive event.
MT_HOT RecordId capture(Thread& thread, Era& era, PyThreadState* attached) noexcept {
  if (!is_current(thread, attached) && !refresh(thread, era, attached)) [[unlikely]]
    return kNone;
  return thread.stack.capture(era, attached, thread.exclusive.context, false);
}

inline bool is_exclusive(const PyThreadState* attached) noexcept {
  return attached != nullptr && compat::holds_main_gil(attached, main_interpreter);
}

MT_HOT void record_as(RecordId record, Thread& thread, Era& era, const void* block, std::size_t size) noexcept {
  if (record == kNone) [[unlikely]]
    return era.drop();
  era.add(Access::kExclusive, thread, block, size, record);
}

template <Gil kGil>
MT_HOT void record(Thread& thread, const void* block, std::size_t size) noexcept {
  PyThreadState* attached = attached_thread<kGil>(thread);
  if (!is_exclusive(attached)) [[unlikely]]
    return record_apart(thread, attached, block, size);
  if (!is_current(thread, attached)) [[unlikely]]
    return record_first(thread, attached, block, size);
  // What is current is of an era.
  Era* const era = control.era();
  const std::uint64_t place = thread.stack.place_at_once(attached);
  const RecordId record = thread.stack.remembered(place, thread.exclusive.context);
  if (record == kNone) [[unlikely]]
    return record_elsewhere(thread, *era, attached, place, block, size);
  era->add(Access::kExclusive, thread, block, size, record);
}

template <Gil kGil>
MT_HOT void forget(Thread& thread, const void* block) noexcept {
  if constexpr (kGil == Gil::kUnknown) thread.own_states.freed(block);
  if (!is_exclusive(attached_thread<kGil>(thread))) [[unlikely]]
    return forget_apart(thread, block);
  Era* era = control.era();
  if (era == nullptr) return;
  if (era->remove(Access::kExclusive, thread, block)) [[unlikely]]
    control.invalidate();
}

// First half of a resize: the block leaves the table before its address can be another's.
template <Gil kGil>
inline Block begin_resize(Thread& thread, const void* block) noexcept {
  if (!is_exclusive(attached_thread<kGil>(thread))) [[unlikely]]
    return take_apart(thread, block);
  Era* era = control.era();
  return era == nullptr ? Block{} : era->take(block);
}

// Second half: `block` is the new one, or null when the resize failed and the old one lives on.
template <Gil kGil>
inline void end_resize(Thread& thread, const void* old_block, const Block& old, const void* block,
                       std::size_t size) noexcept {
  PyThreadState* attached = attached_thread<kGil>(thread);
  if (!is_exclusive(attached)) [[unlikely]]
    return resized_apart(thread, attached, old_block, old, block, size);
  Era* era = control.era();
  if (era == nullptr) return;
  if (block == nullptr) return era->put_back(old_block, old);
  if (era->account_free(Access::kExclusive, thread, old, thread.is_latest(old_block))) control.invalidate();
  record_as(capture(thread, *era, attached), thread, *era, block, size);
}

}  // namespace memtrace
