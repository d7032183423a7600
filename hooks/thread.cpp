#include "hooks/thread.h"

#include <algorithm>

#include "hooks/compat/thread_name.h"
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
  thread->sampler.restart();
  return thread;
}

namespace {

// A thread's first events come before its first frame.
constexpr int kAttemptsToName = 16;

void set_system_name(ThreadTable& threads, ThreadId id) noexcept {
  const os::ThreadName name = os::thread_name();
  ThreadTable::Name longer = {};
  std::copy(name.begin(), name.end(), longer.begin());
  threads.set_name(id, longer, ThreadTable::Source::kSystem);
}

}  // namespace

void Thread::find_name(Era& era, const PyThreadState* attached) noexcept {
  ThreadTable::Name name = {};
  const compat::NameFound found = compat::find_thread_name(attached, name);
  if (found == compat::NameFound::kYes) era.tables().threads.set_name(id.get(), name, ThreadTable::Source::kThread);
  attempts_to_name = found == compat::NameFound::kNotYet ? attempts_to_name - 1 : 0;
}

ThreadId Thread::id_in(Era& era) noexcept {
  if (id_era.get() == era.number()) return id.get();
  ThreadTable& threads = era.tables().threads;
  const std::uint64_t native_id = os::native_thread_id();
  // Past its end a thread is attached for one event at a time.
  ThreadId known = over_ ? threads.find(native_id) : kNone;
  attempts_to_name = 0;
  if (known == kNone && (known = threads.add(native_id)) != kNone) {
    set_system_name(threads, known);
    attempts_to_name = kAttemptsToName;
  }
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
  if (const ThreadId id = era == nullptr ? kNone : thread->known_in(*era)) set_system_name(era->tables().threads, id);
  control.leave(*thread);
  thread->in_use.store(false, std::memory_order_release);
}

Thread* Thread::begin_late() noexcept { return make(); }

void Thread::end_late(Thread* thread) noexcept { thread->in_use.store(false, std::memory_order_release); }

}  // namespace memtrace
