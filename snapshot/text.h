// WTF-8: UTF-8 that may hold lone surrogates, as Python's str may.
// Thread-safety: pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace memtrace::snapshot {

struct CodePoint {
  std::uint32_t value;
  std::uint32_t length;  // in bytes; 0 when the bytes are no code point
};

// The code point at the begin of `text`, which is not empty. Surrogates are accepted, overlong forms and values above
// U+10FFFF are not.
inline CodePoint decode_one(std::string_view text) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i])); };
  const auto continues = [&](std::size_t i) { return i < text.size() && (byte(i) & 0xC0u) == 0x80u; };
  const std::uint32_t first = byte(0);
  if (first < 0x80) return {first, 1};
  if (first >= 0xC2 && first < 0xE0 && continues(1)) return {(first & 0x1Fu) << 6 | (byte(1) & 0x3Fu), 2};
  if (first >= 0xE0 && first < 0xF0 && continues(1) && continues(2)) {
    const std::uint32_t value = (first & 0x0Fu) << 12 | (byte(1) & 0x3Fu) << 6 | (byte(2) & 0x3Fu);
    if (value >= 0x800) return {value, 3};
  }
  if (first >= 0xF0 && first < 0xF5 && continues(1) && continues(2) && continues(3)) {
    const std::uint32_t value =
        (first & 0x07u) << 18 | (byte(1) & 0x3Fu) << 12 | (byte(2) & 0x3Fu) << 6 | (byte(3) & 0x3Fu);
    if (value >= 0x10000 && value <= 0x10FFFF) return {value, 4};
  }
  return {0, 0};
}

inline bool is_wtf8(std::string_view text) noexcept {
  while (!text.empty()) {
    const std::uint32_t length = decode_one(text).length;
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

}  // namespace memtrace::snapshot
