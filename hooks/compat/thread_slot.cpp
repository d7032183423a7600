#include "hooks/compat/thread_slot.h"

#include <link.h>

#include <cstdint>

#include "hooks/compat/thread.h"

namespace memtrace::compat {

#if PY_VERSION_HEX >= 0x030c0000

namespace {

thread_local constinit PyThreadState* nobody __attribute__((tls_model("initial-exec"))) = nullptr;

// The same in every thread.
std::ptrdiff_t offset_of_nobody() noexcept {
  return reinterpret_cast<char*>(&nobody) - static_cast<char*>(__builtin_thread_pointer());
}

// Thread-local storage of libraries loaded at start-up lies this close to the thread pointer, inside every thread's
// stack mapping; what was loaded later lies elsewhere, at a distance of its own in each thread.
constexpr std::ptrdiff_t kNear = 8 * 1024;

struct Storage {
  std::uintptr_t function;
  char* first = nullptr;
  std::size_t size = 0;
};

// Finds the calling thread's thread-local storage of the object that has `function`.
int find_storage(dl_phdr_info* info, std::size_t, void* argument) {
  Storage& storage = *static_cast<Storage*>(argument);
  bool ours = false;
  std::size_t size = 0;
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const ElfW(Phdr) & header = info->dlpi_phdr[i];
    if (header.p_type == PT_LOAD && storage.function - (info->dlpi_addr + header.p_vaddr) < header.p_memsz) ours = true;
    if (header.p_type == PT_TLS) size = header.p_memsz;
  }
  if (!ours) return 0;
  storage.first = static_cast<char*>(info->dlpi_tls_data);
  storage.size = storage.first == nullptr ? 0 : size;
  return 1;
}

}  // namespace

// Set when the module is loaded, before any hook is installed.
std::ptrdiff_t thread_slot_offset = offset_of_nobody();

void find_thread_slot() noexcept {
  Storage storage{.function = reinterpret_cast<std::uintptr_t>(&ask_interpreter)};
  dl_iterate_phdr(find_storage, &storage);
  PyThreadState* const self = ask_interpreter();
  char* const thread_pointer = static_cast<char*>(__builtin_thread_pointer());
  std::ptrdiff_t found = offset_of_nobody();
  for (std::size_t at = 0; at + sizeof self <= storage.size; at += sizeof self) {
    auto* const word = reinterpret_cast<PyThreadState* const volatile*>(storage.first + at);
    const std::ptrdiff_t offset = storage.first + at - thread_pointer;
    if (*word != self || offset > kNear || offset < -kNear) continue;
    // Other variables hold the state also when it is not attached.
    PyThreadState* const saved = PyEval_SaveThread();
    const bool cleared = *word == nullptr;
    PyEval_RestoreThread(saved);
    if (cleared && *word == self) found = offset;
  }
  thread_slot_offset = found;
}

void check_thread_slot() noexcept {
  if (thread_in_slot() != ask_interpreter()) thread_slot_offset = offset_of_nobody();
}

PyThreadState* attached_without_slot() noexcept {
  return thread_slot_offset == offset_of_nobody() ? ask_interpreter() : nullptr;
}

#else

void find_thread_slot() noexcept {}
void check_thread_slot() noexcept {}

#endif

}  // namespace memtrace::compat
