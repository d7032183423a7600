#include "hooks/thread.h"

#include "hooks/compat/thread_slot.h"
#include "src/mem/mapped.h"
#include "src/mem/os.h"

namespace memtrace {

constinit Control control;

thread_local constinit Thread* Thread::current_ = nullptr;
thread_local constinit bool Thread::over_ = false;

Thread* Thread::make() noexcept {
  auto* thread = static_cast<Thread*>(control.threads().adopt());
  if (thread == nullptr) {
    thread = make_mapped<Thread>();
    if (thread == nullptr) return nullptr;
    control.threads().add(thread);
  }
  // What an earlier thread had cached is not this one's.
  thread->exclusive = thread->apart = {};
  thread->label_seen = {};
  thread->label = 0;
  thread->id_era.set(0);
  thread->busy = false;
  return thread;
}

ThreadId Thread::id_in(Era& era) noexcept {
  if (id_era.get() == era.number()) return id.get();
  ThreadTable& threads = era.tables().threads;
  const std::uint64_t native_id = os::native_thread_id();
  // Past its end a thread is attached for one event at a time.
  ThreadId known = over_ ? threads.find(native_id) : kNone;
  if (known == kNone) known = threads.add(native_id, os::thread_name());
  id.set(known);
  id_era.set(era.number());
  return known;
}

Thread* Thread::attach() noexcept {
  if (current_ != nullptr) return current_;
  if (over_) return nullptr;
  Thread* thread = make();
  if (thread == nullptr) return nullptr;
  current_ = thread;
  compat::check_thread_slot();
  // Without a callback the state stays with the dead thread: a leak of one state, and nothing worse.
  os::at_thread_exit([](void* value) { on_thread_exit(value); }, thread);
  return thread;
}

void Thread::on_thread_exit(void* value) noexcept {
  current_ = nullptr;
  over_ = true;
  auto* const thread = static_cast<Thread*>(value);
  thread->stack.shrink();
  // Often set after the first allocation.
  Era* const era = control.enter(*thread);
  if (const ThreadId id = era == nullptr ? kNone : thread->known_in(*era))
    era->tables().threads.set_name(id, os::thread_name());
  control.leave(*thread);
  thread->in_use.store(false, std::memory_order_release);
}

Thread* Thread::begin_late() noexcept { return make(); }

void Thread::end_late(Thread* thread) noexcept { thread->in_use.store(false, std::memory_order_release); }

}  // namespace memtrace
