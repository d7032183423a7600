#include "snapshot/filter_match.h"

#include <algorithm>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "snapshot/keys.h"

namespace memtrace::snapshot {

namespace {

// Asks of each number below `count` once.
template <class Ask>
class Remembered {
 public:
  Remembered(std::size_t count, Ask ask) : known_(count, Known::nothing), ask_(std::move(ask)) {}

  bool operator()(std::uint32_t number) {
    Known& known = known_[number];
    if (known == Known::nothing) known = ask_(number) ? Known::yes : Known::no;
    return known == Known::yes;
  }

 private:
  enum class Known : std::uint8_t { nothing, no, yes };
  std::vector<Known> known_;
  Ask ask_;
};

template <class Matches>
Answers ask_rows(const Snapshot& snapshot, Matches&& matches) {
  Answers answers(snapshot.column_count(), Answer::no);
  for (const std::uint32_t row : snapshot.rows()) answers[row] = answer(matches(row));
  return answers;
}

template <class Fits>
Answers ask_frames(const Snapshot& snapshot, bool all_frames, Fits&& fits) {
  const Dictionary& dictionary = *snapshot.dictionary();
  const std::span<const StackId> stacks = snapshot.stacks();
  if (!all_frames) {
    return ask_rows(snapshot, [&](std::uint32_t row) { return fits(dictionary.stack(stacks[row]).frame); });
  }
  // A stack fits when its own frame does or its parent, which has a smaller id, does.
  const StackId last = stacks.empty() ? kEmptyStack : *std::max_element(stacks.begin(), stacks.end());
  std::vector<std::uint8_t> fitting(std::size_t{last} + 1);
  for (StackId id = 1; id < fitting.size(); ++id) {
    const Stack stack = dictionary.stack(id);
    fitting[id] = fitting[stack.parent] != 0 || fits(stack.frame) ? 1 : 0;
  }
  return ask_rows(snapshot, [&](std::uint32_t row) { return fitting[stacks[row]] != 0; });
}

// `matches` is asked for the text by which statistics show a tag.
template <class Matches>
Answers ask_tags(const Snapshot& snapshot, Tag tag, Matches&& matches) {
  const Dictionary& dictionary = *snapshot.dictionary();
  const std::span<const ResolvedRecord> keys = snapshot.keys();
  std::unordered_map<std::uint32_t, bool> known;
  return ask_rows(snapshot, [&](std::uint32_t row) {
    const std::uint32_t number = keys[row].number(tag);
    const auto [found, added] = known.try_emplace(number);
    if (added) {
      const std::string_view name = dictionary.tag_name(tag, number);
      found->second = matches(name.empty() ? std::to_string(number) : std::string(name));
    }
    return found->second;
  });
}

// "MainThread (4711)" as its two parts; other texts are names alone.
std::pair<std::string_view, std::string_view> name_and_native_id(std::string_view text) {
  const std::size_t space = text.rfind(" (");
  if (space == std::string_view::npos || !text.ends_with(')')) return {text, {}};
  return {text.substr(0, space), text.substr(space + 2, text.size() - space - 3)};
}

Answers undecided(const Snapshot& snapshot) {
  if (!snapshot.has_blocks()) {
    throw std::invalid_argument(
        "the snapshot was taken with blocks=False: it has no blocks whose size could be looked at");
  }
  return Answers(snapshot.column_count(), Answer::depends);
}

}  // namespace

Answers matching_rows(const Filter& filter, const Snapshot& snapshot) {
  const Dictionary& dictionary = *snapshot.dictionary();
  const std::span<const ResolvedRecord> keys = snapshot.keys();  // resolved: the names are all there
  Remembered name_fits(dictionary.string_count(), [&](StringId name) {
    return filter.filename_pattern.matches(normalize_filename(dictionary.string(name)));
  });
  Answers answers = ask_frames(snapshot, filter.all_frames, [&](FrameId id) {
    const Frame& frame = dictionary.frame(id);
    return (!filter.lineno || *filter.lineno == frame.lineno) && name_fits(frame.filename);
  });
  if (!filter.domain) return answers;
  for (const std::uint32_t row : snapshot.rows()) {
    if (keys[row].domain != *filter.domain) answers[row] = Answer::no;
  }
  return answers;
}

Answers matching_rows(const DomainFilter& filter, const Snapshot& snapshot) {
  const std::span<const ResolvedRecord> keys = snapshot.keys();
  return ask_rows(snapshot, [&](std::uint32_t row) { return keys[row].domain == filter.domain; });
}

Answers matching_rows(const NameFilter& filter, const Snapshot& snapshot) {
  snapshot.stacks();  // resolves, so the keys cover what this snapshot needs
  const std::shared_ptr<const KeyTables> tables = snapshot.dictionary()->keys();
  const FrameGroups& groups = filter.name_of == NameOf::function ? tables->functions() : tables->modules();
  Remembered name_fits(groups.count, [&](std::uint32_t group) {
    return std::any_of(filter.patterns.begin(), filter.patterns.end(),
                       [&](const Pattern& pattern) { return pattern.matches(groups.names[group]); });
  });
  return ask_frames(snapshot, filter.all_frames, [&](FrameId id) { return name_fits(groups.of_frame[id]); });
}

Answers matching_rows(const TagFilter& filter, const Snapshot& snapshot) {
  if (filter.tag == Tag::type && snapshot.column_count() != 0 && !snapshot.has_types())
    throw std::invalid_argument("the snapshot was taken without types: take it with take_snapshot(types=True)");
  return ask_tags(snapshot, filter.tag, [&](std::string_view text) { return filter.pattern.matches(text); });
}

Answers matching_rows(const ThreadFilter& filter, const Snapshot& snapshot) {
  const Pattern* pattern = std::get_if<Pattern>(&filter.name_or_native_id);
  const std::string wanted =
      pattern ? std::string() : std::to_string(std::get<std::uint64_t>(filter.name_or_native_id));
  return ask_tags(snapshot, Tag::thread, [&](std::string_view text) {
    const auto [name, native_id] = name_and_native_id(text);
    return pattern != nullptr ? pattern->matches(name) : native_id == wanted;
  });
}

Answers matching_rows(const GenerationFilter& filter, const Snapshot& snapshot) {
  const std::span<const ResolvedRecord> keys = snapshot.keys();
  return ask_rows(snapshot, [&](std::uint32_t row) {
    return filter.first <= keys[row].generation && keys[row].generation < filter.end;
  });
}

Answers matching_rows(const SizeFilter&, const Snapshot& snapshot) { return undecided(snapshot); }

Answers matching_rows(const BlockFilter& filter, const Snapshot& snapshot) {
  Answers answers = undecided(snapshot);
  if (filter.matches.size() != snapshot.block_count()) {
    throw std::invalid_argument("a filter of chosen blocks needs one entry per block");
  }
  return answers;
}

std::string_view normalize_filename(std::string_view text) noexcept {
  if (text.ends_with(".pyc")) text.remove_suffix(1);
  return text;
}

Filter::Filter(bool inclusive_, std::string_view filename_pattern_, std::optional<std::int64_t> lineno_,
               bool all_frames_, std::optional<std::int64_t> domain_)
    : inclusive(inclusive_),
      filename_pattern(normalize_filename(filename_pattern_)),
      lineno(lineno_),
      all_frames(all_frames_),
      domain(domain_) {}

bool Filter::fits(std::string_view filename, std::int64_t line) const {
  return (!lineno || *lineno == line) && filename_pattern.matches(normalize_filename(filename));
}

}  // namespace memtrace::snapshot
