#include "hooks/session.h"

#include <atomic>

#include "hooks/allocator_hooks.h"
#include "hooks/compat/layout.h"
#include "hooks/compat/object.h"
#include "hooks/compat/thread_name.h"
#include "hooks/compat/thread_slot.h"
#include "hooks/compat/world.h"
#include "hooks/events.h"
#include "hooks/labels.h"
#include "hooks/limits.h"
#include "hooks/reference_tracer.h"
#include "hooks/timeline.h"
#include "hooks/tracemalloc_api.h"
#include "src/mem/heap.h"

namespace memtrace::session {

namespace {

std::atomic<std::uint32_t> limit{1};
Options current_options;
const char* misplaced = nullptr;
std::atomic<Listener> listener{nullptr};

// Of an era that is over; the other threads let go at their next event.
void shrink_own_state() noexcept {
  if (Thread* own = Thread::current()) own->stack.shrink();
}

void tell_listener() noexcept {
  if (const Listener told = listener.load()) told(is_tracing());
}

// Our structures need no lock to be held over a fork: they are lock-free, so the child finds them usable whatever the
// other threads were doing. What those had half done is put right in the child. Who starts, stops or reads is waited
// for, and so is the heap below.
void prepare_fork() {
  Lock::prepare_fork();
  heap::prepare_fork();
}

void after_fork_in_parent() {
  heap::after_fork_in_parent();
  Lock::after_fork_in_parent();
}

void after_fork_in_child() {
  heap::after_fork_in_child();
  Lock::after_fork_in_child();
  compat::free_world_lock();
  Thread* own = Thread::current();
  control.after_fork_in_child(own);
  Era* const era = control.era();
  if (const ThreadId id = own == nullptr || era == nullptr ? kNone : own->known_in(*era))
    era->tables().threads.set_native_id(id, os::native_thread_id());
  timeline::after_fork_in_child();
  tracemalloc_api::after_fork_in_child();
}

void watch_forks() noexcept {
  static const bool watched = os::at_fork(prepare_fork, after_fork_in_parent, after_fork_in_child);
  static_cast<void>(watched);
}

bool finalization_watched = false;

// The interpreter is gone, and what was traced with it. A program that embeds another afterwards finds allocators
// without our hooks (3.12 and later).
void after_finalization() {
  const Lock lock;
  finalization_watched = false;
  tracemalloc_api::uninstall();
  allocator_hooks::uninstall();
  control.end();
  timeline::begin(0);
  labels::forget_variable();
  compat::forget_thread_names();
  tell_listener();
}

void watch_finalization() noexcept {
  if (!finalization_watched) finalization_watched = Py_AtExit(after_finalization) == 0;
}

}  // namespace

Control& tracer() noexcept { return control; }

void set_listener(Listener told) noexcept { listener.store(told); }

bool is_tracing() noexcept { return control.era() != nullptr; }

std::uint32_t traceback_limit() noexcept { return limit; }

void prepare() noexcept {
  static const bool once = [] {
    misplaced = compat::misplaced_field();
    compat::find_thread_slot();
    return true;
  }();
  static_cast<void>(once);
  compat::prepare_thread_names();
}

const char* misplaced_field() noexcept { return misplaced; }

const Options& options() noexcept { return current_options; }

bool start(std::uint32_t nframe, const Options& options) noexcept {
  const Lock lock;
  if (is_tracing()) return true;
  main_interpreter = PyInterpreterState_Main();
  bool begun = false;
  const auto begin = [&] {
    watch_forks();
    watch_finalization();
    begun = control.begin(nframe, options.samples);
    if (!begun) return;
    limit = nframe;
    current_options = options;
    limits::begin(options.max_memory);
    timeline::begin(options.timeline);
    const auto mode = options.samples.can_sample() ? allocator_hooks::Mode::kSampled
                      : options.timeline != 0      ? allocator_hooks::Mode::kTimed
                                                   : allocator_hooks::Mode::kExact;
    compat::with_world_stopped([&] { allocator_hooks::install(mode); });
    // An object from a free list is no new sample: its block is that of the one before.
    if (options.samples.interval == 0) reference_tracer::install();
    tracemalloc_api::install();
    tell_listener();
  };
  return compat::with_main_gil(main_interpreter, begin) && begun;
}

bool stop() noexcept {
  const Lock lock;
  if (!is_tracing()) return true;
  return compat::with_main_gil(main_interpreter, [] {
    tracemalloc_api::uninstall();
    reference_tracer::uninstall();
    compat::with_world_stopped([] { allocator_hooks::uninstall(); });
    control.end();
    timeline::begin(0);
    shrink_own_state();
    tell_listener();
  });
}

bool clear() noexcept {
  const Lock lock;
  if (!is_tracing()) return true;
  bool begun = false;
  const auto begin = [&] {
    begun = control.begin(limit, current_options.samples);
    if (!begun) return;
    limits::begin(current_options.max_memory);
    timeline::begin(current_options.timeline);
    shrink_own_state();
  };
  return compat::with_main_gil(main_interpreter, begin) && begun;
}

Block find_block(const PyObject* object) noexcept {
  const Era* era = control.era();
  return era == nullptr ? Block{} : era->find(compat::block_of(object));
}

std::size_t own_bytes() noexcept {
  const Lock lock;
  std::size_t total = heap::allocated_bytes();
  if (is_tracing() && current_options.samples.can_sample()) total += sizeof(SampleFilter);
  const Era* era = control.era();
  if (era != nullptr) total += era->resident_bytes();
  for (const ThreadState* state = control.threads().first(); state != nullptr; state = state->next) {
    total += os::resident_bytes(state, mapped_bytes<Thread>());
    // A ledger of an earlier era may go at any time.
    if (era == nullptr || state->ledger_era.load(std::memory_order_acquire) != era->number()) continue;
    const Ledger* ledger = state->ledger.load(std::memory_order_acquire);
    total += os::resident_bytes(ledger, mapped_bytes<Ledger>()) + ledger->resident_bytes();
  }
  return total;
}

}  // namespace memtrace::session
