// Hashes. The only user of xxHash.
#pragma once

#include <cstddef>
#include <cstdint>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace memtrace {

// XXH3, 64 bits. Stable across platforms and runs: files carry it as a checksum.
inline std::uint64_t hash64(const void* data, std::size_t size, std::uint64_t seed = 0) noexcept {
  return XXH3_64bits_withSeed(data, size, seed);
}

}  // namespace memtrace
