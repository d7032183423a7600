// Assertions in three tiers. None allocates, none takes a lock: they run inside allocator hooks.
//
//   MT_CHECK      always on, for what would corrupt the traced program if it went on
//   MT_ASSERT     on in debug builds, cheap
//   MT_EXPENSIVE  on in debug builds, whole-structure checks (`verify()`), O(n)
#pragma once

namespace memtrace {

[[noreturn]] void check_failed(const char* condition, const char* file, int line) noexcept;

}  // namespace memtrace

#define MT_CHECK(condition) \
  ((condition) ? static_cast<void>(0) : ::memtrace::check_failed(#condition, __FILE__, __LINE__))

#ifdef NDEBUG
#define MT_ASSERT(condition) static_cast<void>(0)
#define MT_EXPENSIVE(condition) static_cast<void>(0)
#else
#define MT_ASSERT(condition) MT_CHECK(condition)
#define MT_EXPENSIVE(condition) MT_CHECK(condition)
#endif
