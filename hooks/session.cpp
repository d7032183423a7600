#include "hooks/session.h"

#include "hooks/allocator_hooks.h"
#include "hooks/compat/layout.h"
#include "hooks/compat/object.h"
#include "hooks/compat/thread_slot.h"
#include "hooks/events.h"
#include "hooks/reference_tracer.h"
#include "hooks/tracemalloc_api.h"
#include "src/mem/heap.h"

namespace memtrace::session {

namespace {

std::uint32_t limit = 1;
const char* misplaced = nullptr;

// Our structures need no lock to be held over a fork: they are lock-free, so the child finds them usable whatever the
// other threads were doing. What those had half done is put right in the child. The heap below them waits instead.
void after_fork_in_child() {
  heap::after_fork_in_child();
  Thread* own = Thread::current();
  if (own != nullptr) own->native_id = os::native_thread_id();
  control.after_fork_in_child(own);
  tracemalloc_api::after_fork_in_child();
}

void watch_forks() noexcept {
  static const bool watched = os::at_fork(heap::prepare_fork, heap::after_fork_in_parent, after_fork_in_child);
  static_cast<void>(watched);
}

bool finalization_watched = false;

// The interpreter is gone, and what was traced with it. A program that embeds another afterwards finds allocators
// without our hooks (3.12 and later).
void after_finalization() {
  finalization_watched = false;
  tracemalloc_api::uninstall();
  allocator_hooks::uninstall();
  control.end();
}

void watch_finalization() noexcept {
  if (!finalization_watched) finalization_watched = Py_AtExit(after_finalization) == 0;
}

}  // namespace

Control& tracer() noexcept { return control; }

bool is_tracing() noexcept { return control.era() != nullptr; }

std::uint32_t traceback_limit() noexcept { return limit; }

void prepare() noexcept {
  static const bool once = [] {
    misplaced = compat::misplaced_field();
    compat::find_thread_slot();
    return true;
  }();
  static_cast<void>(once);
}

const char* misplaced_field() noexcept { return misplaced; }

bool start(std::uint32_t nframe) noexcept {
  if (is_tracing()) return true;
  main_interpreter = PyInterpreterState_Main();
  watch_forks();
  watch_finalization();
  if (!control.begin(nframe)) return false;
  limit = nframe;
  allocator_hooks::install();
  reference_tracer::install();
  tracemalloc_api::install();
  return true;
}

void stop() noexcept {
  if (!is_tracing()) return;
  tracemalloc_api::uninstall();
  reference_tracer::uninstall();
  allocator_hooks::uninstall();
  control.end();
}

bool clear() noexcept { return !is_tracing() || control.begin(limit); }

Block find_block(const PyObject* object) noexcept {
  const Era* era = control.era();
  return era == nullptr ? Block{} : era->find(compat::block_of(object));
}

std::size_t own_bytes() noexcept {
  std::size_t total = heap::allocated_bytes();
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
