// Little-endian numbers and columns of numbers in bytes; the reader checks every access.
//
// A column of n numbers is stored as byte planes: the n lowest bytes first, then the n second lowest, and so on.
// Numbers that are mostly small leave planes of zeros, which compress to nothing and fast.
// Thread-safety: plain values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "snapshot/format.h"

namespace memtrace::snapshot {

using Bytes = std::vector<std::byte>;
using ByteView = std::span<const std::byte>;

class ByteWriter {
 public:
  template <class T>
  void number(T value) {
    using Bits = std::make_unsigned_t<T>;
    std::byte* out = extend(sizeof(T));
    for (std::size_t i = 0; i < sizeof(T); ++i) out[i] = byte_of(static_cast<Bits>(value), i);
  }

  template <class T>
  void column(std::span<const T> values) {
    using Bits = std::make_unsigned_t<T>;
    std::byte* out = extend(values.size() * sizeof(T));
    for (std::size_t plane = 0; plane < sizeof(T); ++plane, out += values.size()) {
      for (std::size_t i = 0; i < values.size(); ++i) out[i] = byte_of(static_cast<Bits>(values[i]), plane);
    }
  }
  template <class T>
  void column(const std::vector<T>& values) {
    column(std::span<const T>(values));
  }

  void bytes(ByteView view);
  void text(std::string_view view) { bytes(std::as_bytes(std::span(view))); }

  const Bytes& view() const noexcept { return bytes_; }
  Bytes take() && { return std::move(bytes_); }

 private:
  template <class Bits>
  static std::byte byte_of(Bits value, std::size_t index) {
    return static_cast<std::byte>(static_cast<unsigned char>(std::uint64_t{value} >> (8 * index)));
  }

  // Room for `size` bytes more.
  std::byte* extend(std::size_t size);

  Bytes bytes_;
};

// Reads `bytes`, which begin at `offset` of the file; errors name that offset plus what was read, or only `offset` when
// the bytes were compressed and have no place of their own in the file.
class ByteReader {
 public:
  enum class Place : std::uint8_t { exact, section };

  ByteReader(ByteView bytes, std::uint64_t offset, Place place) : bytes_(bytes), offset_(offset), place_(place) {}

  template <class T>
  T number() {
    using Bits = std::make_unsigned_t<T>;
    const ByteView from = take(sizeof(T));
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < sizeof(T); ++i)
      value |= std::uint64_t{std::to_integer<std::uint8_t>(from[i])} << (8 * i);
    return static_cast<T>(static_cast<Bits>(value));
  }

  // Memory is asked for only after the bytes were found to be there.
  template <class T>
  std::vector<T> column(std::size_t count) {
    using Bits = std::make_unsigned_t<T>;
    if (count > bytes_.size() / sizeof(T)) fail("a column is longer than its section");
    const ByteView from = take(count * sizeof(T));
    std::vector<T> values(count);
    for (std::size_t plane = 0; plane < sizeof(T); ++plane) {
      const std::byte* in = from.data() + plane * count;
      for (std::size_t i = 0; i < count; ++i) {
        const auto byte = static_cast<Bits>(std::to_integer<std::uint8_t>(in[i]));
        values[i] = static_cast<T>(static_cast<Bits>(values[i]) | static_cast<Bits>(byte << (8 * plane)));
      }
    }
    return values;
  }

  ByteView take(std::size_t size) {
    if (size > bytes_.size()) fail("data ends early");
    const ByteView taken = bytes_.first(size);
    bytes_ = bytes_.subspan(size);
    read_ += size;
    return taken;
  }

  std::string_view text(std::size_t size) {
    const ByteView from = take(size);
    return {reinterpret_cast<const char*>(from.data()), from.size()};
  }

  std::size_t left() const noexcept { return bytes_.size(); }
  void expect_end() const {
    if (!bytes_.empty()) fail("a section is longer than its content");
  }

  [[noreturn]] void fail(const std::string& message) const {
    throw FormatError(place_ == Place::exact ? offset_ + read_ : offset_, message);
  }

 private:
  ByteView bytes_;
  std::uint64_t offset_;
  std::uint64_t read_ = 0;
  Place place_;
};

}  // namespace memtrace::snapshot
