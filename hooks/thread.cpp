#include "hooks/thread.h"

#include "hooks/compat/thread_slot.h"
#include "src/mem/mapped.h"
#include "src/mem/os.h"

namespace memtrace {

constinit Control control;

thread_local constinit Thread* Thread::current_ = nullptr;
thread_local constinit bool Thread::over_ = false;

Thread* Thread::make() noexcept {
  if (ThreadState* state = control.threads().adopt()) return static_cast<Thread*>(state);
  Thread* thread = make_mapped<Thread>();
  if (thread != nullptr) control.threads().add(thread);
  return thread;
}

Thread* Thread::attach() noexcept {
  if (current_ != nullptr) return current_;
  if (over_) return nullptr;
  Thread* thread = make();
  if (thread == nullptr) return nullptr;
  thread->native_id = os::native_thread_id();
  // What an earlier thread had cached is not this one's.
  thread->version = thread->version_apart = 0;
  thread->busy = false;
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
  thread->in_use.store(false, std::memory_order_release);
}

Thread* Thread::begin_late() noexcept {
  Thread* thread = make();
  if (thread == nullptr) return nullptr;
  thread->version = thread->version_apart = 0;
  thread->busy = false;
  return thread;
}

void Thread::end_late(Thread* thread) noexcept { thread->in_use.store(false, std::memory_order_release); }

}  // namespace memtrace
