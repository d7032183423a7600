// Filters: tracemalloc's Filter and DomainFilter, evaluated once per file name, frame and row, never per block.
//
//   inclusive filters are pooled: a trace is kept when any of them matches (or when there is none)
//   exclusive filters are pooled: a trace is dropped when any of them matches
//
// A pattern is a shell pattern over code points, exactly as Python's fnmatch on a case-sensitive system: * ? [seq]
// [!seq]. A name or pattern that ends in ".pyc" is read as ".py".
//
// Thread-safety: values; const use from any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "snapshot/pattern.h"
#include "snapshot/snapshot.h"

namespace memtrace::snapshot {

// `text` without the final "c" of ".pyc".
std::string_view normalize_filename(std::string_view text) noexcept;

struct Filter {
  bool inclusive = true;
  Pattern filename_pattern;  // of the normalised pattern: make with the constructor
  std::optional<std::int64_t> lineno;
  bool all_frames = false;  // match any frame, not only the most recent one
  std::optional<std::int64_t> domain;

  Filter(bool inclusive, std::string_view filename_pattern, std::optional<std::int64_t> lineno = std::nullopt,
         bool all_frames = false, std::optional<std::int64_t> domain = std::nullopt);

  // The frame fits pattern and line, whatever `inclusive` says.
  bool fits(std::string_view filename, std::int64_t lineno) const;
};

struct DomainFilter {
  bool inclusive = true;
  std::int64_t domain = 0;
};

using AnyFilter = std::variant<Filter, DomainFilter>;

// A new snapshot with the traces that pass. Without filters: the same traces. O(rows), and O(stacks) for all_frames.
Snapshot filter_traces(const Snapshot& snapshot, std::span<const AnyFilter> filters);

// The traces with a generation from `first` up to, but not with, `end`. O(rows).
Snapshot select_generations(const Snapshot& snapshot, std::uint64_t first, std::uint64_t end);

}  // namespace memtrace::snapshot
