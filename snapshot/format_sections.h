// The container of the file format: a header, a table of sections, and the sections, each compressed and checked on its
// own. What the sections hold is format_write.cpp's and format_read.cpp's business; README.md draws the layout.
// Thread-safety: pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "snapshot/byte_io.h"

namespace memtrace::snapshot {

inline constexpr std::uint64_t kMagic = 0x0A'43'52'54'4D'45'4D'89;  // 89 "MEMTRC" 0A
inline constexpr std::size_t kHeaderSize = 32;
inline constexpr std::size_t kSectionEntrySize = 32;
inline constexpr std::size_t kMaxSections = 256;

// A section may grow to this when it is decompressed: kFreeExpansion bytes, and kMaxExpansion for each byte stored. So
// a file cannot ask for memory out of proportion to its size; the writer pads what compresses better.
inline constexpr std::uint64_t kFreeExpansion = std::uint64_t{1} << 20;
inline constexpr std::uint64_t kMaxExpansion = 64;

enum class SectionId : std::uint16_t {
  meta = 1,
  strings = 2,
  frames = 3,
  stacks = 4,
  tracebacks = 5,
  rows = 6,
  blocks = 7,
  modules = 8,
  attributes = 9,
  domains = 10,
  tag_names = 11,
  origin = 12,
  churn = 13,
  samples = 14,
  types = 15,
  peak = 16,
  timeline = 17,
};
inline constexpr SectionId kLastSection = SectionId::timeline;

// In the column of sizes: the size is in the list of large ones.
inline constexpr std::uint32_t kLargeSize = 0xFFFFFFFF;

// Level 1 for the large columns, more for the small tables, none for what is compressed inside.
enum class Effort : std::uint8_t { none, fast, thorough };

class SectionsWriter {
 public:
  void add(std::uint16_t id, bool optional, Effort effort, ByteView content);
  Bytes finish() &&;

 private:
  struct Stored {
    std::uint16_t id;
    bool optional;
    bool compressed;
    std::uint64_t raw_size;
    Bytes bytes;
  };
  std::vector<Stored> sections_;
};

class SectionsReader {
 public:
  // Checks the header, the table and every checksum; decompresses nothing.
  explicit SectionsReader(ByteView file);

  bool has(SectionId id) const noexcept;

  // A known section, decompressed. FormatError when it is missing.
  struct Content {
    Bytes bytes;
    std::uint64_t offset;  // of the stored section in the file
    ByteReader reader() const { return ByteReader(bytes, offset, ByteReader::Place::section); }
  };
  Content content(SectionId id) const;
  // The same of a section that is a file itself: FormatError when it is compressed, for then it could expand twice.
  Content content_as_is(SectionId id) const;

 private:
  struct Entry {
    std::uint16_t id;
    std::uint8_t encoding;
    std::uint64_t stored_size, raw_size, offset;
  };
  const Entry* find(SectionId id) const noexcept;

  ByteView file_;
  std::vector<Entry> entries_;
};

}  // namespace memtrace::snapshot
