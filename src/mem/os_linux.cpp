#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>

#include "src/mem/fault.h"
#include "src/mem/os.h"

namespace memtrace::os {

namespace {

pthread_key_t exit_key;
pthread_once_t exit_key_once = PTHREAD_ONCE_INIT;
bool exit_key_made = false;
std::atomic<void (*)(void*)> exit_function{nullptr};

// glibc runs the C++ thread_local destructors first and then up to PTHREAD_DESTRUCTOR_ITERATIONS rounds of key
// destructors. Asking for another round until the last one keeps the thread's state alive through the other keys'
// destructors.
#if defined(__SANITIZE_THREAD__)
// Its runtime takes the last round to end the thread, and we would run behind it.
constexpr int kExitRounds = PTHREAD_DESTRUCTOR_ITERATIONS - 2;
#else
constexpr int kExitRounds = PTHREAD_DESTRUCTOR_ITERATIONS - 1;
#endif
struct ExitRounds {
  void* value;
  int left;
};
thread_local ExitRounds exit_rounds __attribute__((tls_model("initial-exec"))) = {nullptr, 0};

void exit_round(void* value) {
  if (exit_rounds.left-- > 0 && pthread_setspecific(exit_key, value) == 0) return;
  exit_function.load(std::memory_order_relaxed)(value);
}

void make_exit_key() { exit_key_made = pthread_key_create(&exit_key, exit_round) == 0; }

}  // namespace

std::size_t page_size() noexcept {
  static const std::size_t size = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  return size;
}

void* map(std::size_t size) noexcept {
  if (fault::should_fail()) return nullptr;
  void* address = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (address == MAP_FAILED) return nullptr;
  madvise(address, size, MADV_NOHUGEPAGE);
  return address;
}

void unmap(void* address, std::size_t size) noexcept { munmap(address, size); }

void commit(void* address, std::size_t size) noexcept {
  constexpr int kPopulateWrite = 23;  // MADV_POPULATE_WRITE of Linux 5.14; the C library's header may be older
  const auto mask = ~std::uintptr_t{page_size() - 1};
  const auto first = (reinterpret_cast<std::uintptr_t>(address) + page_size() - 1) & mask;
  const auto last = (reinterpret_cast<std::uintptr_t>(address) + size) & mask;
  if (first < last) madvise(reinterpret_cast<void*>(first), last - first, kPopulateWrite);
}

std::uint64_t native_thread_id() noexcept { return static_cast<std::uint64_t>(syscall(SYS_gettid)); }

ThreadName thread_name() noexcept {
  ThreadName name = {};
  prctl(PR_GET_NAME, name.data());
  return name;
}

bool at_thread_exit(void (*on_exit)(void*), void* value) noexcept {
  exit_function.store(on_exit, std::memory_order_relaxed);
  pthread_once(&exit_key_once, make_exit_key);
  if (!exit_key_made || pthread_setspecific(exit_key, value) != 0) return false;
  exit_rounds = {value, kExitRounds};
  return true;
}

bool at_fork(void (*prepare)(), void (*parent)(), void (*child)()) noexcept {
  return pthread_atfork(prepare, parent, child) == 0;
}

void yield() noexcept { sched_yield(); }

}  // namespace memtrace::os
