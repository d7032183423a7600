// File format of snapshots: versioned, little-endian, compressed and checked by section. README.md shows the layout.
//
// Reading trusts nothing: every byte of a file is covered by a checksum or a fixed value, every length is checked
// against what is there before memory is asked for, ids are range-checked, strings validated. The memory asked for is
// bounded by a multiple of the file's size (kMaxExpansion in format_sections.h). Sections that this version does not
// know are skipped when they are marked optional.
//
// Errors: FormatError (damaged, not a snapshot), NewerVersionError, std::system_error (input and output, with errno),
// std::bad_alloc. Thread-safety: pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "snapshot/snapshot.h"

namespace memtrace::snapshot {

inline constexpr std::uint16_t kFormatVersion = 1;

// A file that cannot be read as a snapshot. what() is the message without the offset.
class FormatError : public std::runtime_error {
 public:
  FormatError(std::uint64_t offset, const std::string& message) : std::runtime_error(message), offset_(offset) {}
  // Where in the file the damage was noticed.
  std::uint64_t offset() const noexcept { return offset_; }

 private:
  std::uint64_t offset_;
};

// The file does not begin as one of ours does (it may be a tracemalloc pickle).
class NotASnapshotError : public FormatError {
 public:
  using FormatError::FormatError;
};

// Written by a version of memtrace that knows more than this one.
class NewerVersionError : public FormatError {
 public:
  using FormatError::FormatError;
};

// The bytes begin with our magic number.
bool looks_like_snapshot(std::span<const std::byte> bytes) noexcept;

// What a file holds beside the snapshot: the caller's own bytes, stored as they are in sections of their own (left out when
// empty), and checked as all others.
struct Extras {
  std::vector<std::byte> attributes;
  std::vector<std::byte> peak;  // a file in the file: what was live at the peak
  std::vector<std::byte> timeline;
};

// Selected rows and blocks only; resolves a deferred snapshot.
std::vector<std::byte> to_bytes(const Snapshot& snapshot, const Extras& extras = {});
Snapshot from_bytes(std::span<const std::byte> bytes, Extras* extras = nullptr);

// Writes through a temporary file in the same folder and a rename: a reader sees the old file or the whole new one. A
// path that exists and is no regular file (a pipe, /dev/stdout) is written directly; a symbolic link is followed.
// `path` is in the file system's encoding.
void dump(const Snapshot& snapshot, const std::string& path, const Extras& extras = {});
Snapshot load(const std::string& path);

}  // namespace memtrace::snapshot
