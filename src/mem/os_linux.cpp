#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "src/mem/fault.h"
#include "src/mem/os.h"

namespace memtrace::os {

namespace {

// Which pages are backed by memory. The kernel's page map knows pages that went to swap, too; mincore() takes those for
// untouched and serves only where there is no /proc.
class Residency {
 public:
  // Pages asked for at a time; the answers are on the stack.
  static constexpr std::size_t kWindow = 512;

  Residency() noexcept : map_(open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC)) {}
  Residency(const Residency&) = delete;
  Residency& operator=(const Residency&) = delete;
  ~Residency() {
    if (map_ >= 0) close(map_);
  }

  // Asks for `count` pages from `address` on, at most kWindow.
  void ask(const char* address, std::size_t count) noexcept {
    const std::size_t page = page_size();
    const std::size_t bytes = count * sizeof entries_[0];
    const auto offset = static_cast<off_t>(reinterpret_cast<std::uintptr_t>(address) / page * sizeof entries_[0]);
    mapped_ = map_ >= 0 && pread(map_, entries_, bytes, offset) == static_cast<ssize_t>(bytes);
    if (mapped_) return;
    // A failure here can only mean a range that is not mapped; claiming all of it present is the safe answer.
    if (mincore(const_cast<char*>(address), count * page, present_) != 0) std::fill_n(present_, count, 1);
  }
  bool operator[](std::size_t index) const noexcept {
    return mapped_ ? (entries_[index] & (kPresent | kSwapped)) != 0 : (present_[index] & 1) != 0;
  }

 private:
  // Documentation/admin-guide/mm/pagemap.rst in the kernel's source.
  static constexpr std::uint64_t kPresent = std::uint64_t{1} << 63;
  static constexpr std::uint64_t kSwapped = std::uint64_t{1} << 62;

  const int map_;
  bool mapped_ = false;
  std::uint64_t entries_[kWindow];
  unsigned char present_[kWindow];
};

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

void for_each_resident(const void* address, std::size_t size, void* context,
                       void (*visit)(void*, const char*, const char*)) noexcept {
  const std::size_t page = page_size();
  const char* const base = static_cast<const char*>(address);
  const std::size_t pages = size / page;
  Residency resident;
  std::size_t run = 0;  // pages of the run that ends before `index`
  for (std::size_t index = 0; index < pages;) {
    const std::size_t window = std::min(Residency::kWindow, pages - index);
    resident.ask(base + index * page, window);
    for (std::size_t i = 0; i < window; ++i, ++index) {
      if (resident[i]) {
        ++run;
      } else if (run != 0) {
        visit(context, base + (index - run) * page, base + index * page);
        run = 0;
      }
    }
  }
  if (run != 0) visit(context, base + (pages - run) * page, base + pages * page);
}

std::size_t resident_bytes(const void* address, std::size_t size) noexcept {
  std::size_t total = 0;
  for_each_resident(address, size, &total, [](void* sum, const char* first, const char* last) {
    *static_cast<std::size_t*>(sum) += static_cast<std::size_t>(last - first);
  });
  return total;
}

std::uint64_t native_thread_id() noexcept { return static_cast<std::uint64_t>(syscall(SYS_gettid)); }

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
