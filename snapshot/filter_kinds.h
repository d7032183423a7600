// The kinds of filters: what each looks at. filter.h has the rules by which several of them decide.
//
//   Filter, DomainFilter   tracemalloc's own: file and line of frames, the domain
//   NameFilter             the function or the module of frames, as statistics show it
//   TagFilter              the name of a label, …, as statistics show it
//   ThreadFilter           a thread's name or native id
//   GenerationFilter       what was allocated from one mark up to another
//   SizeFilter             the size of single blocks
//   BlockFilter            blocks that the caller has chosen, one by one
//   Combined               filters of any kind, by all_of, any_of or none_of
//
// A pattern is a shell pattern over code points, exactly as Python's fnmatch on a case-sensitive system: * ? [seq]
// [!seq]. A file name or its pattern that ends in ".pyc" is read as ".py".
//
// Thread-safety: values; const use from any thread.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "snapshot/dictionary.h"
#include "snapshot/pattern.h"

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

enum class NameOf : std::uint8_t { function, module };

struct NameFilter {
  bool inclusive = true;
  NameOf name_of = NameOf::function;
  std::vector<Pattern> patterns;  // one of them must match
  bool all_frames = false;
};

struct TagFilter {
  bool inclusive = true;
  Tag tag = Tag::label;
  Pattern pattern;
};

struct ThreadFilter {
  bool inclusive = true;
  std::variant<Pattern, std::uint64_t> name_or_native_id;
};

struct GenerationFilter {
  bool inclusive = true;
  std::uint64_t first = 0;
  std::uint64_t end = std::numeric_limits<std::uint64_t>::max();  // the first that does not match
};

struct SizeFilter {
  bool inclusive = true;
  std::uint64_t min = 0;  // bytes, both inclusive
  std::uint64_t max = std::numeric_limits<std::uint64_t>::max();
};

struct BlockFilter {
  bool inclusive = true;
  std::vector<std::uint8_t> matches;  // by position, as Snapshot::block()
};

struct AnyFilter;

enum class Operator : std::uint8_t { all_of, any_of, none_of };

// Each operand stands for what it keeps when it is the only filter.
struct Combined {
  bool inclusive = true;
  Operator op = Operator::all_of;
  std::vector<AnyFilter> operands;
};

struct AnyFilter : std::variant<Filter, DomainFilter, NameFilter, TagFilter, ThreadFilter, GenerationFilter, SizeFilter,
                                BlockFilter, Combined> {
  using variant::variant;

  bool is_inclusive() const {
    return std::visit([](const auto& filter) { return filter.inclusive; }, *this);
  }
};

}  // namespace memtrace::snapshot
