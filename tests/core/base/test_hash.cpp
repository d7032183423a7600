// Whatever hash64() returns, the tables work; only these values notice that it has changed. Files carry it as a
// checksum, so a change must be meant.
#include "src/base/hash.h"

#include <catch2/catch_test_macros.hpp>
#include <cstdint>
#include <string>
#include <string_view>

using memtrace::hash64;

namespace {

std::uint64_t hash_of(std::string_view text, std::uint64_t seed = 0) { return hash64(text.data(), text.size(), seed); }

}  // namespace

TEST_CASE("hashes are XXH3's, for each of its ranges of length") {
  CHECK(hash_of("") == 0x2d06800538d394c2u);
  CHECK(hash_of("a") == 0xe6c632b61e964e1fu);
  CHECK(hash_of("memtrace") == 0x19aa616983e023f7u);
  CHECK(hash_of(std::string(16, 'x')) == 0xdf76ff0d7f0d9edfu);
  CHECK(hash_of(std::string(100, 'x')) == 0xc90984ffdf50ce42u);
  CHECK(hash_of(std::string(200, 'x')) == 0x50ef124fb1e4de53u);
  CHECK(hash_of(std::string(5000, 'x')) == 0x8d8567cbc9ee3d90u);
}

TEST_CASE("a seed makes another hash") {
  CHECK(hash_of("memtrace", 1) == 0x50ec5ea29fd3e6c5u);
  CHECK(hash_of("memtrace", 1) != hash_of("memtrace"));
}
