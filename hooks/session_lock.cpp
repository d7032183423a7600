#include "hooks/session_lock.h"

#include <atomic>
#include <chrono>

#include "hooks/compat/thread.h"
#include "src/mem/os.h"

namespace memtrace::session {

namespace {

// The holder, by the address of something that only it has; null: free.
constinit std::atomic<const void*> holder{nullptr};
thread_local constinit unsigned depth __attribute__((tls_model("initial-exec"))) = 0;
// Whether prepare_fork() got it.
constinit bool taken_for_fork = false;

constexpr auto kPatience = std::chrono::seconds{1};

bool try_enter() noexcept {
  const void* free = nullptr;
  if (depth == 0 && !holder.compare_exchange_strong(free, &depth, std::memory_order_acquire)) return false;
  ++depth;
  return true;
}

void leave() noexcept {
  if (--depth == 0) holder.store(nullptr, std::memory_order_release);
}

// While it lives, the calling thread is not attached to its interpreter: it has no GIL, and the world can stop without
// it.
class Unattached {
 public:
  // There is no thread state at the very end, after finalization.
  Unattached() noexcept : state_(compat::ask_interpreter() == nullptr ? nullptr : PyEval_SaveThread()) {}
  Unattached(const Unattached&) = delete;
  Unattached& operator=(const Unattached&) = delete;
  ~Unattached() {
    if (state_ != nullptr) PyEval_RestoreThread(state_);
  }

 private:
  PyThreadState* state_;
};

void enter() noexcept {
  while (!try_enter()) {
    const Unattached unattached;
    while (holder.load(std::memory_order_relaxed) != nullptr) os::yield();
  }
}

}  // namespace

Lock::Lock() noexcept { enter(); }

Lock::~Lock() { leave(); }

void Lock::before_fork_in_python() noexcept { enter(); }

void Lock::after_fork_in_python() noexcept { leave(); }

void Lock::prepare_fork() noexcept {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  bool taken = try_enter();
  while (!taken && std::chrono::steady_clock::now() < end) {
    {
#ifdef Py_GIL_DISABLED
      // The holder may be stopping the world, this thread included. With a GIL others must not run now.
      const Unattached unattached;
#endif
      os::yield();
    }
    taken = try_enter();
  }
  if (taken) taken_for_fork = true;
}

void Lock::after_fork_in_parent() noexcept {
  if (!taken_for_fork) return;
  taken_for_fork = false;
  leave();
}

void Lock::after_fork_in_child() noexcept {
  after_fork_in_parent();
  // Without `depth` the holder was another thread, which is not here.
  if (depth == 0) holder.store(nullptr, std::memory_order_relaxed);
}

}  // namespace memtrace::session
