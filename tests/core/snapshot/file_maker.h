// Files of the snapshot format made by hand: valid checksums around any content.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "snapshot/byte_io.h"
#include "snapshot/format_sections.h"
#include "src/base/hash.h"

namespace memtrace::snapshot {

// The sections of a small valid file: "a.py" line 1 calls "b.py" line 2, which holds three blocks in two rows.
// Change a section, or take one away, and bytes() packs them anew.
class FileMaker {
 public:
  using Ids = std::vector<std::uint32_t>;
  using Lines = std::vector<std::int32_t>;
  using Counts = std::vector<std::uint64_t>;

  FileMaker() {
    section(SectionId::meta).number(std::int64_t{25});
    section(SectionId::meta).number(std::uint64_t{0});
    strings({"", "a.py", "b.py", "f"});
    frames({1, 2}, {0, 3}, {1, 2});
    stacks({1, 1}, {0, 1});
    tracebacks({1, 2}, {1, 2});
    rows({0, 1}, {1, 2}, {10, 30});
    blocks({1, 0, 1}, {12, 10, 18}, {}, {});
  }

  ByteWriter& section(SectionId id) { return sections_[id]; }
  void remove(SectionId id) { sections_.erase(id); }

  void strings(const std::vector<std::string_view>& texts) {
    Ids lengths;
    for (const std::string_view text : texts) lengths.push_back(static_cast<std::uint32_t>(text.size()));
    ByteWriter& out = begin(SectionId::strings, texts.size());
    out.column(lengths);
    for (const std::string_view text : texts) out.text(text);
  }
  void frames(const Ids& filenames, const Ids& functions, const Lines& lines) {
    ByteWriter& out = begin(SectionId::frames, filenames.size());
    const Lines unknown(lines.size(), -1);
    out.column(filenames);
    out.column(functions);
    for (const Lines* column : {&lines, &lines, &unknown, &unknown}) out.column(*column);
  }
  void stacks(const Ids& distances, const Ids& frames) {
    ByteWriter& out = begin(SectionId::stacks, distances.size());
    out.column(distances);
    out.column(frames);
  }
  void tracebacks(const Ids& stacks, const Lines& totals) {
    ByteWriter& out = begin(SectionId::tracebacks, stacks.size());
    out.column(stacks);
    out.column(totals);
  }
  void rows(const Ids& tracebacks, const Counts& counts, const Counts& sizes) {
    ByteWriter& out = begin(SectionId::rows, tracebacks.size());
    const Ids zeros(tracebacks.size(), 0);
    out.column(tracebacks);
    for (int i = 0; i < 4; ++i) out.column(zeros);
    out.column(counts);
    out.column(sizes);
  }
  void blocks(const Ids& owners, const Ids& sizes, const Ids& large_positions, const Counts& large_sizes) {
    ByteWriter& out = begin(SectionId::blocks, owners.size());
    out.number(static_cast<std::uint32_t>(large_positions.size()));
    out.column(owners);
    out.column(sizes);
    out.column(large_positions);
    out.column(large_sizes);
  }
  void modules(const Ids& filenames, const Ids& modules) {
    ByteWriter& out = begin(SectionId::modules, filenames.size());
    out.column(filenames);
    out.column(modules);
  }

  Bytes bytes() const {
    SectionsWriter writer;
    for (const auto& [id, content] : sections_) {
      writer.add(static_cast<std::uint16_t>(id), false, Effort::fast, content.view());
    }
    return std::move(writer).finish();
  }

 private:
  ByteWriter& begin(SectionId id, std::size_t count) {
    sections_[id] = ByteWriter();
    sections_[id].number(static_cast<std::uint32_t>(count));
    return sections_[id];
  }

  std::map<SectionId, ByteWriter> sections_;
};

// Writes `value` at `offset`, little-endian.
template <class T>
void patch(Bytes& file, std::size_t offset, T value) {
  ByteWriter bytes;
  bytes.number(value);
  std::copy(bytes.view().begin(), bytes.view().end(), file.begin() + static_cast<std::ptrdiff_t>(offset));
}

// Makes the checksum of header and table fit again.
inline void mend_table(Bytes& file) {
  const auto count = std::to_integer<std::size_t>(file[10]) + 256 * std::to_integer<std::size_t>(file[11]);
  patch(file, 24, hash64(file.data() + kHeaderSize, count * kSectionEntrySize, hash64(file.data(), 24)));
}

// Offsets in the table.
constexpr std::size_t entry_offset(std::size_t index) { return kHeaderSize + index * kSectionEntrySize; }
inline constexpr std::size_t kFlagsField = 2, kEncodingField = 3, kReservedField = 4, kStoredSizeField = 8,
                             kRawSizeField = 16, kChecksumField = 24;

}  // namespace memtrace::snapshot
