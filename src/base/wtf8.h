// WTF-8: UTF-8 that has lone surrogates, too, as the interpreter's texts do (https://simonsapin.github.io/wtf-8/).
// Thread-safety: pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace memtrace {

inline constexpr std::size_t kLongestWtf8 = 4;  // bytes of a character

inline std::size_t wtf8_length(std::uint32_t character) noexcept {
  return character < 0x80 ? 1 : character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
}

// Writes the character's bytes; how many they are.
inline std::size_t encode_wtf8(std::uint32_t character, char* to) noexcept {
  static constexpr unsigned kFirst[] = {0, 0x00, 0xc0, 0xe0, 0xf0};
  const std::size_t length = wtf8_length(character);
  for (std::size_t i = length; i-- > 1; character >>= 6) to[i] = static_cast<char>(0x80 | (character & 0x3f));
  to[0] = static_cast<char>(kFirst[length] | character);
  return length;
}

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

}  // namespace memtrace
