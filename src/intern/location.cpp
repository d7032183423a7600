#include "src/intern/location.h"

#include <algorithm>

namespace memtrace {

namespace {

// Entry kinds, in bits 3 to 6 of an entry's first byte. Up to 9 they are short forms with columns, 10 to 12 one line
// with columns.
constexpr unsigned kOneLine0 = 10;
constexpr unsigned kOneLine2 = 12;
constexpr unsigned kNoColumns = 13;
constexpr unsigned kLong = 14;
constexpr unsigned kNoLocation = 15;

// Bytes from a mark to the next: a mark's own size, and some microseconds.
constexpr std::size_t kStride = 1024;

class Reader {
 public:
  Reader(std::string_view bytes, std::size_t position) noexcept : bytes_(bytes), position_(position) {}

  std::size_t position() const noexcept { return position_; }

  bool done() const noexcept { return position_ >= bytes_.size(); }
  unsigned byte() noexcept { return done() ? 0 : static_cast<unsigned char>(bytes_[position_++]); }
  // Entries start with a byte whose top bit is set; nothing else in the table has it.
  bool at_entry() const noexcept { return !done() && (static_cast<unsigned char>(bytes_[position_]) & 0x80) != 0; }

  std::uint32_t varint() noexcept {
    std::uint32_t value = 0;
    unsigned shift = 0;
    unsigned piece = 0;
    do {
      piece = byte();
      if (shift < 32) value |= (piece & 63) << shift;
      shift += 6;
    } while ((piece & 64) != 0 && !done());
    return value;
  }

  std::int32_t signed_varint() noexcept {
    const std::uint32_t value = varint();
    const std::uint32_t magnitude = value >> 1;
    return static_cast<std::int32_t>((value & 1) != 0 ? 0u - magnitude : magnitude);
  }

 private:
  std::string_view bytes_;
  std::size_t position_;
};

std::int32_t add(std::int32_t a, std::int32_t b) noexcept {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(a) + static_cast<std::uint32_t>(b));
}

}  // namespace

Location LocationTable::at(std::uint32_t unit) {
  const auto after = std::upper_bound(marks_.begin(), marks_.end(), unit,
                                      [](std::uint32_t wanted, const Mark& mark) { return wanted < mark.unit; });
  const Mark start = after == marks_.begin() ? Mark{0, 0, firstlineno_} : *std::prev(after);
  Reader reader(linetable_, start.position);
  std::int32_t line = start.line;
  std::uint64_t next = start.unit;
  while (!reader.done()) {
    if (!reader.at_entry()) {
      reader.byte();
      continue;
    }
    if (reader.position() >= (marks_.empty() ? 0 : marks_.back().position) + kStride)
      marks_.push_back({next, reader.position(), line});
    const unsigned first = reader.byte();
    const unsigned kind = first >> 3 & 15;
    next += (first & 7) + 1;
    Location here;
    if (kind == kNoLocation) {
      if (unit < next) return here;
      continue;
    }
    if (kind == kLong) {
      line = add(line, reader.signed_varint());
      here.end_line = add(line, static_cast<std::int32_t>(reader.varint()));
      here.column = static_cast<std::int32_t>(reader.varint()) - 1;
      here.end_column = static_cast<std::int32_t>(reader.varint()) - 1;
    } else if (kind == kNoColumns) {
      line = add(line, reader.signed_varint());
      here.end_line = line;
    } else if (kind >= kOneLine0 && kind <= kOneLine2) {
      line = add(line, static_cast<std::int32_t>(kind - kOneLine0));
      here.end_line = line;
      here.column = static_cast<std::int32_t>(reader.byte());
      here.end_column = static_cast<std::int32_t>(reader.byte());
    } else {
      const unsigned columns = reader.byte();
      here.end_line = line;
      here.column = static_cast<std::int32_t>(kind << 3 | columns >> 4);
      here.end_column = here.column + static_cast<std::int32_t>(columns & 15);
    }
    here.line = line;
    if (unit < next) return here;
  }
  return {};
}

}  // namespace memtrace
