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
  // Where the system cannot call us, a child may find a mutex locked: no worse than without us.
  static_cast<void>(os::at_fork([] { gate().lock(); }, [] { gate().unlock(); },
                                // Not unlocked: the lock remembers a thread that the child does not have.
                                [] { ::new (&gate()) std::shared_mutex; }));
}

}  // namespace memtrace::binding
