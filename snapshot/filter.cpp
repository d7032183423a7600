#include "snapshot/filter.h"

#include <algorithm>

#include "snapshot/churn.h"

namespace memtrace::snapshot {

namespace {

// One Filter over one Dictionary, with what is known so far by name.
class Evaluator {
 public:
  Evaluator(const Filter& filter, const Dictionary& dictionary)
      : filter_(filter),
        dictionary_(dictionary),
        stacks_(filter.all_frames ? dictionary.stack_count() : 0),
        names_(dictionary.string_count(), Answer::unknown) {
    find_stacks();
  }

  // Some frame that the filter looks at fits.
  bool fits(StackId stack) {
    return filter_.all_frames ? stacks_[stack] != 0 : frame_fits(dictionary_.stack(stack).frame);
  }

 private:
  enum class Answer : std::uint8_t { unknown, no, yes };

  bool frame_fits(FrameId id) {
    const Frame& frame = dictionary_.frame(id);
    if (filter_.lineno && *filter_.lineno != frame.lineno) return false;
    Answer& answer = names_[frame.filename];
    if (answer == Answer::unknown) {
      const bool fits = filter_.filename_pattern.matches(normalize_filename(dictionary_.string(frame.filename)));
      answer = fits ? Answer::yes : Answer::no;
    }
    return answer == Answer::yes;
  }

  // A stack fits when its own frame does or its parent, which has a smaller id, does.
  void find_stacks() {
    for (StackId id = 1; id < stacks_.size(); ++id) {
      const Stack stack = dictionary_.stack(id);
      stacks_[id] = stacks_[stack.parent] != 0 || frame_fits(stack.frame) ? 1 : 0;
    }
  }

  const Filter& filter_;
  const Dictionary& dictionary_;
  // In this order: the names of every stack that is counted are counted too, while a writer adds more.
  std::vector<std::uint8_t> stacks_;
  std::vector<Answer> names_;
};

// Calls hit(row) for each of the rows that the filter names, whatever `inclusive` says. A Filter with a domain names a
// row when both match.
template <class Hit>
void for_each_match(const AnyFilter& any, const Snapshot& snapshot, Hit&& hit) {
  const auto keys = snapshot.keys();
  const auto stacks = snapshot.stacks();
  if (const auto* by_domain = std::get_if<DomainFilter>(&any)) {
    for (const std::uint32_t row : snapshot.rows()) {
      if (keys[row].domain == by_domain->domain) hit(row);
    }
    return;
  }
  const Filter& filter = std::get<Filter>(any);
  Evaluator evaluator(filter, *snapshot.dictionary());
  for (const std::uint32_t row : snapshot.rows()) {
    if (filter.domain && keys[row].domain != *filter.domain) continue;
    if (evaluator.fits(stacks[row])) hit(row);
  }
}

bool is_inclusive(const AnyFilter& any) {
  return std::visit([](const auto& filter) { return filter.inclusive; }, any);
}

}  // namespace

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

Snapshot filter_traces(const Snapshot& snapshot, std::span<const AnyFilter> filters) {
  const bool any_inclusive = std::any_of(filters.begin(), filters.end(), is_inclusive);
  std::vector<std::uint8_t> keep(snapshot.column_count(), any_inclusive ? 0 : 1);
  for (const AnyFilter& filter : filters) {
    if (is_inclusive(filter)) for_each_match(filter, snapshot, [&](std::uint32_t row) { keep[row] = 1; });
  }
  for (const AnyFilter& filter : filters) {
    if (!is_inclusive(filter)) for_each_match(filter, snapshot, [&](std::uint32_t row) { keep[row] = 0; });
  }
  return with_churn_of(snapshot, snapshot.select_rows(keep),
                       [all = std::vector<AnyFilter>(filters.begin(), filters.end())](const Snapshot& churn) {
                         return filter_traces(churn, all);
                       });
}

Snapshot select_generations(const Snapshot& snapshot, std::uint64_t first, std::uint64_t end) {
  const auto keys = snapshot.keys();
  std::vector<std::uint8_t> keep(snapshot.column_count());
  for (const std::uint32_t row : snapshot.rows()) {
    keep[row] = keys[row].generation >= first && keys[row].generation < end;
  }
  return with_churn_of(snapshot, snapshot.select_rows(keep),
                       [=](const Snapshot& churn) { return select_generations(churn, first, end); });
}

}  // namespace memtrace::snapshot
