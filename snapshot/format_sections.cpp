#include "snapshot/format_sections.h"

#include <zstd.h>

#include <algorithm>
#include <new>
#include <string>
#include <utility>

#include "src/base/hash.h"

namespace memtrace::snapshot {

namespace {

constexpr std::uint8_t kOptionalFlag = 1;
constexpr std::uint8_t kStoredAsIs = 0;
constexpr std::uint8_t kZstd = 1;
constexpr std::size_t kChecksumOffset = 24;

bool expands_too_much(std::uint64_t raw_size, std::uint64_t stored_size) noexcept {
  return raw_size > kFreeExpansion && raw_size - kFreeExpansion > stored_size * kMaxExpansion;
}

// A skippable frame of zeros: decoders pass over it.
void pad_to(Bytes& stored, std::uint64_t size) {
  constexpr std::uint32_t kSkippableMagic = 0x184D2A50;
  const std::uint64_t header = 8;
  const std::uint64_t zeros = size > stored.size() + header ? size - stored.size() - header : 0;
  ByteWriter frame;
  frame.number(kSkippableMagic);
  frame.number(static_cast<std::uint32_t>(zeros));
  stored.insert(stored.end(), frame.view().begin(), frame.view().end());
  stored.resize(stored.size() + static_cast<std::size_t>(zeros));
}

Bytes compress(ByteView content, Effort effort) {
  Bytes stored(ZSTD_compressBound(content.size()));
  const std::size_t size =
      ZSTD_compress(stored.data(), stored.size(), content.data(), content.size(), effort == Effort::fast ? 1 : 3);
  if (ZSTD_isError(size)) throw std::bad_alloc();  // the bound is enough, so memory is all that can be missing
  stored.resize(size);
  if (expands_too_much(content.size(), stored.size())) pad_to(stored, content.size() / kMaxExpansion);
  return stored;
}

std::uint64_t table_checksum(ByteView header, ByteView table) {
  return hash64(table.data(), table.size(), hash64(header.data(), kChecksumOffset));
}

}  // namespace

void SectionsWriter::add(std::uint16_t id, bool optional, Effort effort, ByteView content) {
  Bytes packed = effort == Effort::none ? Bytes(content.begin(), content.end()) : compress(content, effort);
  const bool compressed = packed.size() < content.size();
  if (!compressed) packed.assign(content.begin(), content.end());
  packed.shrink_to_fit();
  sections_.push_back({id, optional, compressed, content.size(), std::move(packed)});
}

Bytes SectionsWriter::finish() && {
  ByteWriter table;
  std::uint64_t file_size = kHeaderSize + sections_.size() * kSectionEntrySize;
  for (const Stored& section : sections_) {
    table.number(section.id);
    table.number<std::uint8_t>(section.optional ? kOptionalFlag : 0);
    table.number(section.compressed ? kZstd : kStoredAsIs);
    table.number(std::uint32_t{0});
    table.number(std::uint64_t{section.bytes.size()});
    table.number(section.raw_size);
    table.number(hash64(section.bytes.data(), section.bytes.size()));
    file_size += section.bytes.size();
  }
  ByteWriter file;
  file.number(kMagic);
  file.number(kFormatVersion);
  file.number(static_cast<std::uint16_t>(sections_.size()));
  file.number(std::uint32_t{0});
  file.number(file_size);
  file.number(table_checksum(file.view(), table.view()));
  file.bytes(table.view());
  Bytes bytes = std::move(file).take();
  bytes.reserve(static_cast<std::size_t>(file_size));
  for (const Stored& section : sections_) bytes.insert(bytes.end(), section.bytes.begin(), section.bytes.end());
  return bytes;
}

SectionsReader::SectionsReader(ByteView file) : file_(file) {
  if (!looks_like_snapshot(file)) throw NotASnapshotError(0, "not a memtrace snapshot");
  ByteReader header(file, 0, ByteReader::Place::exact);
  header.number<std::uint64_t>();
  if (header.left() < sizeof kFormatVersion) header.fail("the file is truncated");
  const auto version = header.number<std::uint16_t>();
  if (version > kFormatVersion) {
    throw NewerVersionError(sizeof kMagic, "written in format " + std::to_string(version) +
                                               " by a newer version of memtrace; this one reads up to format " +
                                               std::to_string(kFormatVersion));
  }
  if (version == 0) throw FormatError(sizeof kMagic, "format 0 does not exist");
  if (file.size() < kHeaderSize) header.fail("the file is truncated");
  const auto count = header.number<std::uint16_t>();
  const auto reserved = header.number<std::uint32_t>();
  const auto file_size = header.number<std::uint64_t>();
  const auto checksum = header.number<std::uint64_t>();
  if (file.size() < file_size) {
    throw FormatError(file.size(), "the file is truncated: " + std::to_string(file.size()) + " of " +
                                       std::to_string(file_size) + " bytes");
  }
  if (count > kMaxSections || count * kSectionEntrySize > header.left())
    header.fail("the table of sections is too long");
  const ByteView table = header.take(count * kSectionEntrySize);
  if (reserved != 0 || checksum != table_checksum(file, table)) {
    throw FormatError(kChecksumOffset, "the header is damaged");
  }
  if (file.size() > file_size) throw FormatError(file_size, "the file goes on behind its end");

  ByteReader entries(table, kHeaderSize, ByteReader::Place::exact);
  for (unsigned i = 0; i < count; ++i) {
    const auto id = entries.number<std::uint16_t>();
    const auto flags = entries.number<std::uint8_t>();
    const auto encoding = entries.number<std::uint8_t>();
    const auto zero = entries.number<std::uint32_t>();
    const auto stored_size = entries.number<std::uint64_t>();
    const auto raw_size = entries.number<std::uint64_t>();
    const auto section_checksum = entries.number<std::uint64_t>();
    if (flags > kOptionalFlag || encoding > kZstd || zero != 0) entries.fail("a section is of an unknown kind");
    if (stored_size > header.left()) entries.fail("a section is longer than the file");
    const std::uint64_t offset = file.size() - header.left();
    const ByteView stored = header.take(static_cast<std::size_t>(stored_size));
    if (hash64(stored.data(), stored.size()) != section_checksum) throw FormatError(offset, "a section is damaged");
    const auto same_id = [id](const Entry& entry) { return entry.id == id; };
    if (std::any_of(entries_.begin(), entries_.end(), same_id)) throw FormatError(offset, "a section occurs twice");
    const bool known =
        id >= static_cast<std::uint16_t>(SectionId::meta) && id <= static_cast<std::uint16_t>(kLastSection);
    if (!known && flags != kOptionalFlag) {
      throw NewerVersionError(offset,
                              "written by a newer version of memtrace: section " + std::to_string(id) + " is unknown");
    }
    entries_.push_back({id, encoding, stored_size, raw_size, offset});
  }
  header.expect_end();
}

const SectionsReader::Entry* SectionsReader::find(SectionId id) const noexcept {
  const auto found = std::find_if(entries_.begin(), entries_.end(),
                                  [id](const Entry& entry) { return entry.id == static_cast<std::uint16_t>(id); });
  return found != entries_.end() ? &*found : nullptr;
}

bool SectionsReader::has(SectionId id) const noexcept { return find(id) != nullptr; }

SectionsReader::Content SectionsReader::content_as_is(SectionId id) const {
  if (const Entry* entry = find(id); entry != nullptr && entry->encoding != kStoredAsIs)
    throw FormatError(entry->offset, "a file in the file is compressed");
  return content(id);
}

SectionsReader::Content SectionsReader::content(SectionId id) const {
  const Entry* entry = find(id);
  if (entry == nullptr) {
    throw FormatError(kHeaderSize, "section " + std::to_string(static_cast<unsigned>(id)) + " is missing");
  }
  const ByteView stored =
      file_.subspan(static_cast<std::size_t>(entry->offset), static_cast<std::size_t>(entry->stored_size));
  if (entry->encoding == kStoredAsIs) {
    if (entry->raw_size != entry->stored_size) throw FormatError(entry->offset, "a section has two sizes");
    return {Bytes(stored.begin(), stored.end()), entry->offset};
  }
  if (expands_too_much(entry->raw_size, entry->stored_size)) {
    throw FormatError(entry->offset, "a section expands too much");
  }
  Content content{Bytes(static_cast<std::size_t>(entry->raw_size)), entry->offset};
  const std::size_t size = ZSTD_decompress(content.bytes.data(), content.bytes.size(), stored.data(), stored.size());
  if (ZSTD_isError(size) || size != content.bytes.size()) {
    throw FormatError(entry->offset, "a section does not decompress");
  }
  return content;
}

}  // namespace memtrace::snapshot
