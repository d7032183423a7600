#include "python/binding/detached.h"

#include <new>

#include "src/mem/os.h"

namespace memtrace::binding {

std::shared_mutex& Detached::gate() noexcept {
  // Never destroyed: threads may be at work when the process ends.
  alignas(std::shared_mutex) static std::byte storage[sizeof(std::shared_mutex)];
  static auto* const gate = ::new (storage) std::shared_mutex;
  return *gate;
}

void Detached::watch_forks() noexcept {
  const auto in_child = [] {
    gate().unlock();
    // Threads that were waiting for it count as readers, and are not in the child: it has to forget them.
    ::new (&gate()) std::shared_mutex;
  };
  // Where the system cannot call us, a child may find a mutex locked: no worse than without us.
  static const bool watched = os::at_fork([] { gate().lock(); }, [] { gate().unlock(); }, in_child);
  static_cast<void>(watched);
}

}  // namespace memtrace::binding
