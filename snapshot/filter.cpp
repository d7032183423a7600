#include "snapshot/filter.h"

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>
#include <variant>
#include <vector>

#include "snapshot/churn.h"
#include "snapshot/filter_match.h"

namespace memtrace::snapshot {

namespace {

// The rows of a snapshot, for filters to be evaluated over.
class Rows {
 public:
  explicit Rows(const Snapshot& snapshot) : snapshot_(snapshot) {}

  std::size_t count() const { return snapshot_.column_count(); }
  bool takes_apart(const Combined&) const { return true; }
  Answers matching(const AnyFilter& any) const {
    return std::visit([this](const auto& filter) { return matching(filter); }, any);
  }

 private:
  template <class Kind>
  Answers matching(const Kind& filter) const {
    return matching_rows(filter, snapshot_);
  }
  Answers matching(const Combined&) const { return {}; }  // is taken apart

  const Snapshot& snapshot_;
};

// Evaluates filters over Rows or Blocks.
template <class Things>
class Evaluation {
 public:
  explicit Evaluation(Things things) : things_(std::move(things)) {}

  // By the rule for lists.
  Answers kept_by(std::span<const AnyFilter> filters) const {
    const bool any_inclusive =
        std::any_of(filters.begin(), filters.end(), [](const AnyFilter& any) { return any.is_inclusive(); });
    Answers kept(things_.count(), answer(!any_inclusive));
    for (const AnyFilter& any : filters) {
      if (any.is_inclusive()) merge(kept, kept_by(any), [](Answer a, Answer b) { return a | b; });
    }
    for (const AnyFilter& any : filters) {
      if (!any.is_inclusive()) merge(kept, kept_by(any), [](Answer a, Answer b) { return a & b; });
    }
    return kept;
  }

  Answers matching(const AnyFilter& any) const {
    const auto* combined = std::get_if<Combined>(&any);
    if (combined == nullptr || !things_.takes_apart(*combined)) return things_.matching(any);
    const bool all = combined->op == Operator::all_of;
    Answers result(things_.count(), answer(all));
    for (const AnyFilter& operand : combined->operands) {
      merge(result, kept_by(operand), [all](Answer a, Answer b) { return all ? a & b : a | b; });
    }
    if (combined->op == Operator::none_of) negate(result);
    return result;
  }

 private:
  // When it is the only filter.
  Answers kept_by(const AnyFilter& any) const {
    Answers result = matching(any);
    if (!any.is_inclusive()) negate(result);
    return result;
  }

  template <class Operation>
  static void merge(Answers& result, const Answers& more, Operation&& operation) {
    std::transform(result.begin(), result.end(), more.begin(), result.begin(), operation);
  }
  static void negate(Answers& answers) {
    std::transform(answers.begin(), answers.end(), answers.begin(), [](Answer each) { return !each; });
  }

  const Things things_;
};

// Whether `is_wanted` is true of a filter, or of one that it is combined of.
template <class IsWanted>
bool some_part(const AnyFilter& any, IsWanted&& is_wanted) {
  const auto* combined = std::get_if<Combined>(&any);
  if (combined == nullptr) return is_wanted(any);
  return std::any_of(combined->operands.begin(), combined->operands.end(),
                     [&](const AnyFilter& operand) { return some_part(operand, is_wanted); });
}

bool looks_at_blocks(const AnyFilter& any) {
  return some_part(any, [](const AnyFilter& part) {
    return std::holds_alternative<SizeFilter>(part) || std::holds_alternative<BlockFilter>(part);
  });
}

// By type nothing is known of what has come and gone.
bool looks_at_types(const AnyFilter& any) {
  return some_part(any, [](const AnyFilter& part) {
    const auto* by_tag = std::get_if<TagFilter>(&part);
    return by_tag != nullptr && by_tag->tag == Tag::type;
  });
}

// Some blocks of a snapshot, by their positions.
class Blocks {
 public:
  Blocks(const Snapshot& snapshot, std::span<const std::size_t> positions)
      : snapshot_(snapshot), positions_(positions) {}

  std::size_t count() const { return positions_.size(); }
  // What looks at rows alone is evaluated over those, as a whole.
  bool takes_apart(const Combined& combined) const {
    return std::any_of(combined.operands.begin(), combined.operands.end(), looks_at_blocks);
  }
  Answers matching(const AnyFilter& any) const {
    if (const auto* by_size = std::get_if<SizeFilter>(&any)) {
      return ask_each([&](std::size_t at) {
        const std::uint64_t size = snapshot_.block(at).size;
        return answer(by_size->min <= size && size <= by_size->max);
      });
    }
    if (const auto* chosen = std::get_if<BlockFilter>(&any)) {
      return ask_each([&](std::size_t at) { return answer(chosen->matches[at] != 0); });
    }
    const Answers rows = Evaluation(Rows(snapshot_)).matching(any);
    return ask_each([&](std::size_t at) { return rows[snapshot_.block(at).row]; });
  }

 private:
  template <class Ask>
  Answers ask_each(Ask&& ask) const {
    Answers answers(positions_.size());
    std::transform(positions_.begin(), positions_.end(), answers.begin(), ask);
    return answers;
  }

  const Snapshot& snapshot_;
  const std::span<const std::size_t> positions_;
};

}  // namespace

Snapshot filter_traces(const Snapshot& snapshot, std::span<const AnyFilter> filters) {
  const Answers rows = Evaluation(Rows(snapshot)).kept_by(filters);
  const auto is_open = [&](std::uint32_t row) { return rows[row] == Answer::depends; };
  if (std::none_of(snapshot.rows().begin(), snapshot.rows().end(), is_open)) {
    std::vector<std::uint8_t> keep(rows.size());
    std::transform(rows.begin(), rows.end(), keep.begin(), [](Answer row) { return row == Answer::yes ? 1 : 0; });
    const Snapshot kept = snapshot.select_rows(keep);
    if (std::any_of(filters.begin(), filters.end(),
                    [](const AnyFilter& any) { return looks_at_blocks(any) || looks_at_types(any); }))
      return kept;
    return with_churn_of(snapshot, kept,
                         [all = std::vector<AnyFilter>(filters.begin(), filters.end())](const Snapshot& churn) {
                           return filter_traces(churn, all);
                         });
  }

  std::vector<std::size_t> open, chosen;
  const std::size_t count = snapshot.block_count();
  for (std::size_t at = 0; at < count; ++at) {
    if (is_open(snapshot.block(at).row)) open.push_back(at);
  }
  const Answers blocks = Evaluation(Blocks(snapshot, open)).kept_by(filters);
  auto decided = blocks.begin();
  for (std::size_t at = 0; at < count; ++at) {
    const Answer row = rows[snapshot.block(at).row];
    if ((row == Answer::depends ? *decided++ : row) == Answer::yes) chosen.push_back(at);
  }
  return snapshot.select_blocks(chosen);
}

Snapshot select_generations(const Snapshot& snapshot, std::uint64_t first, std::uint64_t end) {
  const AnyFilter filter = GenerationFilter{true, first, end};
  return filter_traces(snapshot, {&filter, 1});
}

}  // namespace memtrace::snapshot
