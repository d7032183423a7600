#include "snapshot/filter.h"

#include <algorithm>
#include <cstddef>
#include <type_traits>
#include <variant>
#include <vector>

#include "snapshot/churn.h"
#include "snapshot/filter_match.h"

namespace memtrace::snapshot {

namespace {

// Evaluates filters over rows, or over blocks: over as many things as ask(filter) answers for.
template <class Ask>
class Evaluation {
 public:
  Evaluation(std::size_t count, Ask ask) : count_(count), ask_(std::move(ask)) {}

  Answers kept_by(std::span<const AnyFilter> filters) const {
    const bool any_inclusive =
        std::any_of(filters.begin(), filters.end(), [](const AnyFilter& any) { return any.is_inclusive(); });
    Answers kept(count_, answer(!any_inclusive));
    for (const AnyFilter& any : filters) {
      if (any.is_inclusive()) merge(kept, kept_by(any), [](Answer a, Answer b) { return a | b; });
    }
    for (const AnyFilter& any : filters) {
      if (!any.is_inclusive()) merge(kept, kept_by(any), [](Answer a, Answer b) { return a & b; });
    }
    return kept;
  }

 private:
  // When it is the only filter.
  Answers kept_by(const AnyFilter& any) const {
    Answers matching = std::visit([this](const auto& filter) { return matching_by(filter); }, any);
    if (!any.is_inclusive()) negate(matching);
    return matching;
  }

  template <class Kind>
  Answers matching_by(const Kind& filter) const {
    return ask_(filter);
  }
  Answers matching_by(const Combined& combined) const {
    Answers result(count_, answer(combined.op == Operator::all_of));
    for (const AnyFilter& operand : combined.operands) {
      merge(result, kept_by(operand),
            [&](Answer a, Answer b) { return combined.op == Operator::all_of ? a & b : a | b; });
    }
    if (combined.op == Operator::none_of) negate(result);
    return result;
  }

  template <class Operation>
  static void merge(Answers& result, const Answers& more, Operation&& operation) {
    std::transform(result.begin(), result.end(), more.begin(), result.begin(), operation);
  }
  static void negate(Answers& answers) {
    std::transform(answers.begin(), answers.end(), answers.begin(), [](Answer each) { return !each; });
  }

  const std::size_t count_;
  const Ask ask_;
};

Answers kept_rows(const Snapshot& snapshot, std::span<const AnyFilter> filters) {
  const auto ask = [&](const auto& filter) { return matching_rows(filter, snapshot); };
  return Evaluation(snapshot.column_count(), ask).kept_by(filters);
}

// By position in `blocks`, which are positions in the snapshot.
Answers kept_blocks(const Snapshot& snapshot, std::span<const std::size_t> blocks, std::span<const AnyFilter> filters) {
  const auto ask_each = [&](auto&& what) {
    Answers answers(blocks.size());
    std::transform(blocks.begin(), blocks.end(), answers.begin(), what);
    return answers;
  };
  const auto ask = [&](const auto& filter) {
    using Kind = std::decay_t<decltype(filter)>;
    if constexpr (std::is_same_v<Kind, SizeFilter>) {
      return ask_each([&](std::size_t at) {
        const std::uint64_t size = snapshot.block(at).size;
        return answer(filter.min <= size && size <= filter.max);
      });
    } else if constexpr (std::is_same_v<Kind, BlockFilter>) {
      return ask_each([&](std::size_t at) { return answer(filter.matches[at] != 0); });
    } else {
      return ask_each(
          [&, rows = matching_rows(filter, snapshot)](std::size_t at) { return rows[snapshot.block(at).row]; });
    }
  };
  return Evaluation(blocks.size(), ask).kept_by(filters);
}

bool looks_at_blocks(const AnyFilter& any) {
  return std::visit(
      [](const auto& filter) {
        using Kind = std::decay_t<decltype(filter)>;
        if constexpr (std::is_same_v<Kind, Combined>)
          return std::any_of(filter.operands.begin(), filter.operands.end(), looks_at_blocks);
        else
          return std::is_same_v<Kind, SizeFilter> || std::is_same_v<Kind, BlockFilter>;
      },
      any);
}

}  // namespace

Snapshot filter_traces(const Snapshot& snapshot, std::span<const AnyFilter> filters) {
  const Answers rows = kept_rows(snapshot, filters);
  const auto is_open = [&](std::uint32_t row) { return rows[row] == Answer::depends; };
  if (std::none_of(snapshot.rows().begin(), snapshot.rows().end(), is_open)) {
    std::vector<std::uint8_t> keep(rows.size());
    std::transform(rows.begin(), rows.end(), keep.begin(), [](Answer row) { return row == Answer::yes ? 1 : 0; });
    const Snapshot kept = snapshot.select_rows(keep);
    if (std::any_of(filters.begin(), filters.end(), looks_at_blocks)) return kept;
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
  const Answers blocks = kept_blocks(snapshot, open, filters);
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
