// How much of a test to run: a sanitizer makes everything several times slower.
#pragma once

namespace memtrace::test {

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

// `count` in a plain build, a fraction of it under a sanitizer.
template <typename T>
constexpr T scaled(T count, T fraction = 8) noexcept {
  return kSanitized ? (count + fraction - 1) / fraction : count;
}

}  // namespace memtrace::test
