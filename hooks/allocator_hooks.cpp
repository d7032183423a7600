#include "hooks/allocator_hooks.h"

#include <algorithm>
#include <chrono>

#include "hooks/compat/allocators.h"
#include "hooks/events.h"
#include "hooks/reports.h"
#include "hooks/timeline.h"
#include "src/base/hot.h"

namespace memtrace::allocator_hooks {

namespace {

// Marks the calling thread as inside a hook. Null inside, and when there is no memory for its state: pass the call on
// and record nothing.
MT_HOT Thread* enter(PyMemAllocatorDomain domain) noexcept {
  Thread* thread = Thread::current();
  if (thread == nullptr) [[unlikely]]
    thread = Thread::attach();
  if (thread == nullptr) [[unlikely]]
    return nullptr;
  if (thread->busy) {
    ++thread->nested_calls[domain];
    return nullptr;
  }
  thread->busy = true;
  return thread;
}

MT_HOT void leave(Thread* thread) noexcept { thread->busy = false; }

// A thread past its end still allocates and frees: from thread-local destructors of other libraries, say. Nothing to do
// for calls inside of a hook, which come here, too.
MT_COLD void record_late(const void* block, std::size_t size) noexcept {
  if (Thread::current() == nullptr && block != nullptr) track(0, reinterpret_cast<std::uintptr_t>(block), size);
}
MT_COLD void forget_late(const void* block) noexcept {
  if (Thread::current() == nullptr && block != nullptr) untrack(0, reinterpret_cast<std::uintptr_t>(block));
}

// Of an era that can have samples: nearly all events end after one look, at the bytes to the next sample or at what the
// filter has for an address, without a look at era, GIL or stack.
template <Gil kGil>
MT_COLD void sample(Thread& thread, const void* block, std::size_t size) noexcept {
  record_sampled(thread, attached_thread<kGil>(thread), block, size);
}

template <Gil kGil>
MT_COLD void forget_at_length(const void* block) noexcept {
  Thread* const thread = Thread::current();
  if (thread == nullptr) return forget_late(block);
  if (thread->busy || block == nullptr) return;
  forget_sampled(*thread, attached_thread<kGil>(*thread), block);
}

template <PyMemAllocatorDomain kDomain, Mode kMode>
struct Hooks {
  static constexpr Gil kGil = kDomain == PYMEM_DOMAIN_RAW ? Gil::kUnknown : Gil::kHeld;
  // More than a pool serves itself.
  static constexpr std::size_t kLargeProbe = std::size_t{1} << 20;

  // What was installed before us. Read by hooks without the GIL: written only while our hooks are not in the chain.
  static inline constinit PyMemAllocatorEx below = {};
  static inline constinit bool in_chain = false;

  static void* malloc(void*, std::size_t size) {
    Thread* const thread = enter(kDomain);
    void* block = below.malloc(below.ctx, size);
    if (thread == nullptr) [[unlikely]]
      record_late(block, size);
    else
      leave_with(thread, block, size);
    return block;
  }

  static void* calloc(void*, std::size_t count, std::size_t size) {
    Thread* const thread = enter(kDomain);
    void* block = below.calloc(below.ctx, count, size);
    if (thread == nullptr) [[unlikely]]
      record_late(block, count * size);
    else
      leave_with(thread, block, count * size);
    return block;
  }

  static void* realloc(void*, void* old_block, std::size_t size) {
    Thread* const thread = enter(kDomain);
    if (thread == nullptr) [[unlikely]]
      return realloc_late(old_block, size);
    if constexpr (kMode == Mode::kSampled) return realloc_sampled(thread, old_block, size);
    const Block old = old_block == nullptr ? Block{} : begin_resize<kGil>(*thread, old_block);
    void* block = below.realloc(below.ctx, old_block, size);
    end_resize<kGil>(*thread, old_block, old, block, size);
    look_at_time(thread, size);
    if constexpr (kDomain == PYMEM_DOMAIN_OBJ) thread->last_object_block = block;
    leave(thread);
    return block;
  }

  static void* realloc_sampled(Thread* thread, void* old_block, std::size_t size) {
    Block old;
    if (old_block != nullptr && control.filter().may_have(old_block)) [[unlikely]]
      old = take_sampled(*thread, attached_thread<kGil>(*thread), old_block);
    void* block = below.realloc(below.ctx, old_block, size);
    if (old) [[unlikely]]
      resized_sampled(*thread, attached_thread<kGil>(*thread), old_block, old, block != nullptr);
    leave_with(thread, block, size);
    return block;
  }

  static void free(void*, void* block) {
    if constexpr (kMode == Mode::kSampled) return free_sampled(block);
    Thread* const thread = enter(kDomain);
    if (thread == nullptr) [[unlikely]] {
      forget_late(block);
      return below.free(below.ctx, block);
    }
    if (block != nullptr) forget<kGil>(*thread, block);
    below.free(below.ctx, block);
    leave(thread);
  }

  // Not marked as inside: what is freed underneath has no block any more.
  MT_HOT static void free_sampled(void* block) {
    if constexpr (kGil == Gil::kUnknown && compat::OwnStates::kAsksForFrees) {
      if (Thread* const thread = Thread::current()) thread->own_states.freed(block);
    }
    if (control.filter().may_have(block)) [[unlikely]]
      forget_at_length<kGil>(block);
    below.free(below.ctx, block);
  }

  MT_COLD static void* realloc_late(void* old_block, std::size_t size) noexcept {
    forget_late(old_block);
    void* block = below.realloc(below.ctx, old_block, size);
    record_late(block, size);
    return block;
  }

  MT_HOT static void leave_with(Thread* thread, void* block, std::size_t size) noexcept {
    if constexpr (kMode == Mode::kSampled) {
      if (block != nullptr && !thread->sampler.passes(size)) [[unlikely]] {
        sample<kGil>(*thread, block, size);
        if constexpr (kDomain == PYMEM_DOMAIN_OBJ) thread->last_object_block = block;
      }
    } else if (block != nullptr) [[likely]] {
      record<kGil>(*thread, block, size);
      look_at_time(thread, size);
      if constexpr (kDomain == PYMEM_DOMAIN_OBJ) thread->last_object_block = block;
    }
    leave(thread);
  }

  MT_HOT static void look_at_time(Thread* thread, std::size_t size) noexcept {
    if constexpr (kMode == Mode::kTimed) {
      if (timeline::is_time(*thread, size)) [[unlikely]]
        look_at_clock(*thread, attached_thread<kGil>(*thread));
    }
  }

  // Whether a call to the domain reaches our hooks: somebody else may have removed them together with his own.
  static bool is_called() noexcept {
    Thread* thread = Thread::attach();
    if (thread == nullptr) return true;
    const bool busy = thread->busy;
    const std::uint64_t before = thread->nested_calls[kDomain];
    thread->busy = true;
    PyMemAllocatorEx top;
    PyMem_GetAllocator(kDomain, &top);
    // A pool above us serves small blocks itself: taken for "not called", it would be called by us and we by it, in a
    // circle.
    for (const std::size_t size : {std::size_t{1}, kLargeProbe}) top.free(top.ctx, top.malloc(top.ctx, size));
    thread->busy = busy;
    return thread->nested_calls[kDomain] != before;
  }

  static void install() noexcept {
    if (in_chain && is_called()) return;
    PyMem_GetAllocator(kDomain, &below);
    // With the context of the one below, which may be called with it meanwhile.
    compat::set_allocator(kDomain, {below.ctx, malloc, calloc, realloc, free});
    in_chain = true;
  }

  // Seconds for one block of `allocator`.
  static double time(const PyMemAllocatorEx& allocator) noexcept {
    using Clock = std::chrono::steady_clock;
    constexpr int kBlocks = 64;
    constexpr int kRounds = 8;
    double best = 1;
    for (int round = 0; round < kRounds; ++round) {
      const Clock::time_point begin = Clock::now();
      for (int i = 0; i < kBlocks; ++i) allocator.free(allocator.ctx, allocator.malloc(allocator.ctx, 64));
      best = std::min(best, std::chrono::duration<double>(Clock::now() - begin).count());
    }
    return best / kBlocks;
  }
  static double measure() noexcept {
    if (!in_chain) return 0;
    return std::max(time({below.ctx, malloc, calloc, realloc, free}) - time(below), 0.0);
  }

  static void uninstall() noexcept {
    PyMemAllocatorEx top;
    PyMem_GetAllocator(kDomain, &top);
    if (!in_chain || top.malloc != malloc) return;
    compat::set_allocator(kDomain, below);
    in_chain = false;
  }
};

template <Mode kMode>
void install_all() noexcept {
  Hooks<PYMEM_DOMAIN_RAW, kMode>::install();
  Hooks<PYMEM_DOMAIN_MEM, kMode>::install();
  Hooks<PYMEM_DOMAIN_OBJ, kMode>::install();
}

template <Mode kMode>
void uninstall_all() noexcept {
  Hooks<PYMEM_DOMAIN_OBJ, kMode>::uninstall();
  Hooks<PYMEM_DOMAIN_MEM, kMode>::uninstall();
  Hooks<PYMEM_DOMAIN_RAW, kMode>::uninstall();
}

}  // namespace

double measure() noexcept {
  return std::max({Hooks<PYMEM_DOMAIN_MEM, Mode::kExact>::measure(), Hooks<PYMEM_DOMAIN_MEM, Mode::kTimed>::measure(),
                   Hooks<PYMEM_DOMAIN_MEM, Mode::kSampled>::measure()});
}

void install(Mode mode) noexcept {
  switch (mode) {
    case Mode::kExact:
      return install_all<Mode::kExact>();
    case Mode::kTimed:
      return install_all<Mode::kTimed>();
    case Mode::kSampled:
      return install_all<Mode::kSampled>();
  }
}

void uninstall() noexcept {
  uninstall_all<Mode::kSampled>();
  uninstall_all<Mode::kTimed>();
  uninstall_all<Mode::kExact>();
}

}  // namespace memtrace::allocator_hooks
