// What one filter matches, whatever its `inclusive` says, by row. Private to snapshot/.
//
// An answer is two bits: surely and possibly. So `&` and `|` of answers are those of what they stand for, also where
// only the blocks of the row will tell.
//
// Each pattern is matched once for each name, not for each row; all_frames costs a pass over the stacks.
// Thread-safety: pure functions.
#pragma once

#include <cstdint>
#include <vector>

#include "snapshot/filter_kinds.h"
#include "snapshot/snapshot.h"

namespace memtrace::snapshot {

enum class Answer : std::uint8_t { no = 0b00, depends = 0b10, yes = 0b11 };

constexpr Answer operator&(Answer a, Answer b) noexcept {
  return Answer(static_cast<unsigned>(a) & static_cast<unsigned>(b));
}
constexpr Answer operator|(Answer a, Answer b) noexcept {
  return Answer(static_cast<unsigned>(a) | static_cast<unsigned>(b));
}
constexpr Answer operator!(Answer a) noexcept {
  return a == Answer::depends ? a : a == Answer::yes ? Answer::no : Answer::yes;
}
constexpr Answer answer(bool matches) noexcept { return matches ? Answer::yes : Answer::no; }

using Answers = std::vector<Answer>;

// By row index, for the selected rows. std::invalid_argument where a filter of blocks has none to look at.
Answers matching_rows(const Filter& filter, const Snapshot& snapshot);
Answers matching_rows(const DomainFilter& filter, const Snapshot& snapshot);
Answers matching_rows(const NameFilter& filter, const Snapshot& snapshot);
Answers matching_rows(const TagFilter& filter, const Snapshot& snapshot);
Answers matching_rows(const ThreadFilter& filter, const Snapshot& snapshot);
Answers matching_rows(const GenerationFilter& filter, const Snapshot& snapshot);
Answers matching_rows(const SizeFilter& filter, const Snapshot& snapshot);
Answers matching_rows(const BlockFilter& filter, const Snapshot& snapshot);

}  // namespace memtrace::snapshot
