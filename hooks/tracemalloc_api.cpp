#include "hooks/tracemalloc_api.h"

#include <dlfcn.h>

#include <atomic>
#include <cstring>

#include "hooks/compat/tracemalloc.h"
#include "hooks/reports.h"
#include "src/mem/os.h"

namespace memtrace::tracemalloc_api {

namespace {

constinit std::atomic<TracebackGetter> traceback_getter{nullptr};

constexpr int kTraced = 0;
constexpr int kFailed = -1;

int track(unsigned int domain, std::uintptr_t address, std::size_t size) {
  const int theirs = compat::tracemalloc_track(domain, address, size);
  if (theirs == kFailed) return kFailed;
  return memtrace::track(domain, address, size) ? kTraced : theirs;
}

int untrack(unsigned int domain, std::uintptr_t address) {
  const bool ours = memtrace::untrack(domain, address);
  const int theirs = compat::tracemalloc_untrack(domain, address);
  return ours ? kTraced : theirs;
}

PyObject* get_traceback(unsigned int domain, std::uintptr_t address) {
  PyObject* const theirs = compat::tracemalloc_get_traceback(domain, address);
  const TracebackGetter getter = traceback_getter.load(std::memory_order_acquire);
  if (theirs != Py_None || getter == nullptr) return theirs;
  Py_DECREF(theirs);
  return getter(domain, address);
}

void* find_symbol(void* library, const char* name) noexcept;

template <typename Function>
os::Redirection redirection(const char* name, Function* original, Function* replacement) noexcept {
  return {name, reinterpret_cast<const void*>(original), reinterpret_cast<const void*>(replacement)};
}

const os::Redirection redirections[] = {
    redirection("PyTraceMalloc_Track", compat::tracemalloc_track, track),
    redirection("PyTraceMalloc_Untrack", compat::tracemalloc_untrack, untrack),
    redirection("_PyTraceMalloc_GetTraceback", compat::tracemalloc_get_traceback, get_traceback),
    redirection("dlsym", dlsym, find_symbol),
};

// Held while slots are written. Nothing that it waits for can wait for us: the dynamic loader's lock on its list.
class Patching {
 public:
  Patching() noexcept {
    while (lock_.test_and_set(std::memory_order_acquire)) os::yield();
  }
  Patching(const Patching&) = delete;
  Patching& operator=(const Patching&) = delete;
  ~Patching() { release(); }

  static void release() noexcept { lock_.clear(std::memory_order_release); }

 private:
  static inline constinit std::atomic_flag lock_ = ATOMIC_FLAG_INIT;
};

constinit std::atomic<bool> active{false};
constinit std::atomic<std::uint64_t> objects_seen{0};

// pre: Patching.
void redirect(bool on) noexcept {
  // Read first: what is loaded meanwhile is found at the next look.
  const std::uint64_t objects = os::loaded_objects();
  os::redirect_imports(redirections, reinterpret_cast<const void*>(&install), on);
  active.store(on, std::memory_order_release);
  objects_seen.store(objects, std::memory_order_release);
}

void look_for_new_objects() noexcept {
  if (!active.load(std::memory_order_acquire)) return;
  if (os::loaded_objects() == objects_seen.load(std::memory_order_acquire)) return;
  const Patching patching;
  // Not when tracing has been stopped meanwhile.
  if (active.load(std::memory_order_relaxed)) redirect(true);
}

const void* replacement_of(const char* name, const void* found) noexcept {
  for (const os::Redirection& one : redirections)
    if (found == one.original && std::strcmp(name, one.name) == 0) return one.replacement;
  return found;
}

bool is_tracemalloc_function(const char* name) noexcept { return std::strstr(name, "PyTraceMalloc_") != nullptr; }

// In place of dlsym().
void* find_symbol(void* library, const char* name) noexcept {
  look_for_new_objects();
  if (name != nullptr && is_tracemalloc_function(name))
    return const_cast<void*>(replacement_of(name, dlsym(library, name)));
  // A jump, not a call: RTLD_NEXT and RTLD_DEFAULT mean something else for each caller.
  return dlsym(library, name);
}

}  // namespace

void set_traceback_getter(TracebackGetter getter) noexcept {
  traceback_getter.store(getter, std::memory_order_release);
}

void install() noexcept {
  const Patching patching;
  redirect(true);
}

void uninstall() noexcept {
  const Patching patching;
  if (active.load(std::memory_order_relaxed)) redirect(false);
}

void after_fork_in_child() noexcept { Patching::release(); }

}  // namespace memtrace::tracemalloc_api
