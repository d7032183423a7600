// Pattern: a shell pattern compiled to be matched against many file names.
//
// The language is that of Python's fnmatch.fnmatchcase, over code points: `*` any run, `?` any one, `[seq]` and
// `[!seq]` one in or not in a set with ranges; a `[` that is never closed is literal; an empty or reversed range is as
// Python reads it. Text is WTF-8 (see dictionary.h); a byte that is no part of valid text counts as one code point of
// its own.
//
// Cost of a match: O(name) for patterns with one star, O(name * pattern) at worst; never allocates.
// Thread-safety: a value; const use from any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace memtrace::snapshot {

class Pattern {
 public:
  explicit Pattern(std::string_view pattern);

  bool matches(std::string_view name) const noexcept;
  const std::string& text() const noexcept { return text_; }

 private:
  enum class Kind : std::uint8_t { character, any, run, set };
  struct Token {
    Kind kind;
    bool negated;  // set
    std::uint32_t value;  // character: code point; set: first range
    std::uint32_t range_end;  // set: one past its last range
  };

  bool matches_one(const Token& token, std::uint32_t character) const noexcept;
  // Reads the set that starts behind a '[' at `begin`; returns where reading goes on, or 0 when the '[' is literal.
  std::size_t compile_set(const std::vector<std::uint32_t>& pattern, std::size_t begin);

  std::string text_;
  std::vector<Token> tokens_;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> ranges_;  // first and last code point
};

}  // namespace memtrace::snapshot
