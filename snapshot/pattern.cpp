#include "snapshot/pattern.h"

#include <algorithm>
#include <cstddef>

#include "src/base/wtf8.h"

namespace memtrace::snapshot {

namespace {

constexpr std::uint32_t kInvalidByte = 0x110000;  // above every code point; the byte is added

// Takes one character off the front of `text`, which is not empty.
std::uint32_t next_character(std::string_view& text) noexcept {
  const CodePoint point = decode_one(text);
  if (point.length != 0) {
    text.remove_prefix(point.length);
    return point.value;
  }
  const auto byte = static_cast<unsigned char>(text.front());
  text.remove_prefix(1);
  return kInvalidByte + byte;
}

// A character of a set, or the hyphen between the ends of a range.
struct SetItem {
  std::uint32_t character;
  bool is_range;
};

using Characters = std::vector<std::uint32_t>;

// Splits the inside of a set at the hyphens that make ranges, and removes reversed ranges, as fnmatch.translate does
// before it hands the set to the regular expression compiler. What is left of the text around a removed range can read
// as something else (a leading '!' negates): that is Python's behaviour too.
std::vector<Characters> split_ranges(const Characters& inside) {
  std::vector<Characters> parts;
  std::size_t begin = 0;
  std::size_t search = inside.front() == '!' ? 2 : 1;
  while (search < inside.size()) {
    const auto hyphen = std::find(inside.begin() + static_cast<std::ptrdiff_t>(search), inside.end(), '-');
    if (hyphen == inside.end()) break;
    parts.emplace_back(inside.begin() + static_cast<std::ptrdiff_t>(begin), hyphen);
    begin = static_cast<std::size_t>(hyphen - inside.begin()) + 1;
    search = begin + 2;
  }
  if (begin < inside.size()) {
    parts.emplace_back(inside.begin() + static_cast<std::ptrdiff_t>(begin), inside.end());
  } else {
    parts.back().push_back('-');
  }
  for (std::size_t i = parts.size() - 1; i > 0; --i) {
    Characters& left = parts[i - 1];
    const Characters& right = parts[i];
    if (left.back() <= right.front()) continue;
    left.pop_back();
    left.insert(left.end(), right.begin() + 1, right.end());
    parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(i));
  }
  return parts;
}

std::vector<SetItem> join(const std::vector<Characters>& parts) {
  std::vector<SetItem> items;
  for (const Characters& part : parts) {
    if (!items.empty()) items.push_back({'-', true});
    for (const std::uint32_t character : part) items.push_back({character, false});
  }
  return items;
}

}  // namespace

Pattern::Pattern(std::string_view pattern) : text_(pattern) {
  Characters characters;
  while (!pattern.empty()) characters.push_back(next_character(pattern));
  for (std::size_t at = 0; at < characters.size();) {
    const std::uint32_t character = characters[at++];
    if (character == '*') {
      if (tokens_.empty() || tokens_.back().kind != Kind::run) tokens_.push_back({Kind::run, false, 0, 0});
    } else if (character == '?') {
      tokens_.push_back({Kind::any, false, 0, 0});
    } else if (const std::size_t end = character == '[' ? compile_set(characters, at) : 0; end != 0) {
      at = end;
    } else {
      tokens_.push_back({Kind::character, false, character, 0});
    }
  }
}

std::size_t Pattern::compile_set(const Characters& pattern, std::size_t begin) {
  std::size_t end = begin;
  if (end < pattern.size() && pattern[end] == '!') ++end;
  if (end < pattern.size() && pattern[end] == ']') ++end;
  while (end < pattern.size() && pattern[end] != ']') ++end;
  if (end >= pattern.size()) return 0;

  const Characters inside(pattern.begin() + static_cast<std::ptrdiff_t>(begin),
                          pattern.begin() + static_cast<std::ptrdiff_t>(end));
  const std::vector<SetItem> items = join(split_ranges(inside));
  const bool negated = !items.empty() && items.front().character == '!';
  const auto first_range = static_cast<std::uint32_t>(ranges_.size());
  for (std::size_t i = negated ? 1 : 0; i < items.size(); ++i) {
    const bool is_range = i + 2 < items.size() && items[i + 1].is_range;
    ranges_.emplace_back(items[i].character, items[is_range ? i + 2 : i].character);
    if (is_range) i += 2;
  }
  tokens_.push_back({Kind::set, negated, first_range, static_cast<std::uint32_t>(ranges_.size())});
  return end + 1;
}

bool Pattern::matches_one(const Token& token, std::uint32_t character) const noexcept {
  switch (token.kind) {
    case Kind::character:
      return character == token.value;
    case Kind::set: {
      const auto inside = [character](const auto& range) {
        return range.first <= character && character <= range.second;
      };
      return std::any_of(ranges_.begin() + token.value, ranges_.begin() + token.range_end, inside) != token.negated;
    }
    default:
      return true;
  }
}

bool Pattern::matches(std::string_view name) const noexcept {
  std::size_t at = 0;
  std::size_t after_run = 0;  // token behind the last '*' passed; 0: none
  std::string_view retry;     // where that '*' would end next
  while (!name.empty()) {
    if (at < tokens_.size() && tokens_[at].kind == Kind::run) {
      after_run = ++at;
      retry = name;
      if (at == tokens_.size()) return true;
      continue;
    }
    std::string_view rest = name;
    if (at < tokens_.size() && matches_one(tokens_[at], next_character(rest))) {
      ++at;
      name = rest;
      continue;
    }
    if (after_run == 0) return false;
    next_character(retry);
    name = retry;
    at = after_run;
  }
  while (at < tokens_.size() && tokens_[at].kind == Kind::run) ++at;
  return at == tokens_.size();
}

}  // namespace memtrace::snapshot
