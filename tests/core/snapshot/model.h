// The dumb reference that the snapshot library is compared with: literal traces in std::map and std::sort, written
// after the behaviour of tracemalloc, a loop over blocks for everything.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "snapshot/compare.h"
#include "snapshot/filter.h"
#include "snapshot/module_name.h"
#include "snapshot/snapshot.h"
#include "snapshot/snapshot_builder.h"
#include "snapshot/statistics.h"

namespace memtrace::snapshot::model {

struct Frame {
  std::string filename;
  std::int32_t lineno;
  std::string function = {};

  std::pair<std::string, std::int32_t> place() const { return {filename, lineno}; }
  friend auto operator<=>(const Frame&, const Frame&) = default;
};

struct Trace {
  std::uint32_t domain;
  std::uint64_t size;
  std::vector<Frame> frames;  // oldest first
  std::int32_t total_nframe;
  std::uint32_t generation = 0, thread = 0, label = 0;
  friend auto operator<=>(const Trace&, const Trace&) = default;
};

using Traces = std::vector<Trace>;
using Places = std::vector<std::pair<std::string, std::int32_t>>;  // a traceback as statistics show it, oldest first

struct Statistic {
  Places traceback;
  std::string key;
  std::uint64_t size, count;
  friend auto operator<=>(const Statistic&, const Statistic&) = default;
};

struct Difference {
  Places traceback;
  std::string key;
  std::uint64_t size;
  std::int64_t size_diff;
  std::uint64_t count;
  std::int64_t count_diff;
  friend auto operator<=>(const Difference&, const Difference&) = default;
};

inline std::string key_of(const Frame& frame, GroupBy group_by) {
  const std::string module = module_name(frame.filename);
  if (group_by == GroupBy::module) return module;
  if (frame.function.empty()) return module == kUnknownName ? module : module + ".<unknown>";
  return module + "." + frame.function;
}

struct GroupSum {
  std::uint64_t size = 0, count = 0;
  std::map<std::pair<std::string, std::int32_t>, std::pair<std::uint64_t, std::uint64_t>> places;  // size, count
};

// Groups by what identifies them: the text key, or the traceback.
using GroupId = std::pair<Places, std::string>;
using Groups = std::map<GroupId, GroupSum>;

inline void count_place(Groups& groups, const GroupId& id, const Frame& frame, std::uint64_t size) {
  GroupSum& group = groups[id];
  group.size += size;
  ++group.count;
  auto& place = group.places[frame.place()];
  place.first += size;
  ++place.second;
}

inline void count_frame(Groups& groups, const Frame& frame, GroupBy group_by, std::uint64_t size) {
  GroupId id;
  if (group_by == GroupBy::filename)
    id.first = {{frame.filename, 0}};
  else if (group_by == GroupBy::lineno)
    id.first = {frame.place()};
  else
    id.second = key_of(frame, group_by);
  count_place(groups, id, frame, size);
}

// In the order of the numbers.
inline std::string padded(std::string number) {
  return std::string(10 - std::min<std::size_t>(10, number.size()), '0') + number;
}

inline std::optional<std::uint32_t> number_of(const Trace& trace, GroupBy group_by) {
  switch (group_by) {
    case GroupBy::domain:
      return trace.domain;
    case GroupBy::generation:
      return trace.generation;
    case GroupBy::thread:
      return trace.thread;
    case GroupBy::label:
      return trace.label;
    default:
      return std::nullopt;
  }
}

inline Groups group(const Traces& traces, GroupBy group_by, bool cumulative) {
  Groups groups;
  for (const Trace& trace : traces) {
    if (group_by == GroupBy::traceback) {
      Places places;
      for (const Frame& frame : trace.frames) places.push_back(frame.place());
      GroupSum& sum = groups[{places, {}}];
      sum.size += trace.size;
      ++sum.count;
    } else if (const auto number = number_of(trace, group_by)) {
      count_place(groups, {{}, padded(std::to_string(*number))}, trace.frames.back(), trace.size);
    } else if (!cumulative) {
      count_frame(groups, trace.frames.back(), group_by, trace.size);
    } else {
      const bool once = group_by == GroupBy::function || group_by == GroupBy::module;
      std::set<std::string> seen;
      for (const Frame& frame : trace.frames) {
        if (once && !seen.insert(key_of(frame, group_by)).second) continue;
        count_frame(groups, frame, group_by, trace.size);
      }
    }
  }
  return groups;
}

// The traceback that a group shows.
inline Places shown(const GroupId& id, const GroupSum& sum) {
  if (id.second.empty()) return id.first;
  const auto lighter = [](const auto& a, const auto& b) { return a.second < b.second; };
  // max_element gives the first of equal ones, and the map is in order of place.
  return {std::max_element(sum.places.begin(), sum.places.end(), lighter)->first};
}

inline std::vector<Statistic> statistics(const Traces& traces, GroupBy group_by, bool cumulative) {
  std::vector<std::pair<std::tuple<std::uint64_t, std::uint64_t, GroupId>, Statistic>> sorted;
  for (const auto& [id, sum] : group(traces, group_by, cumulative)) {
    sorted.push_back({{sum.size, sum.count, id}, {shown(id, sum), id.second, sum.size, sum.count}});
  }
  std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<Statistic> result;
  for (auto& item : sorted) result.push_back(std::move(item.second));
  return result;
}

inline std::vector<Difference> compare(const Traces& current, const Traces& old, GroupBy group_by, bool cumulative) {
  const Groups now = group(current, group_by, cumulative), before = group(old, group_by, cumulative);
  std::set<GroupId> ids;
  for (const auto& item : now) ids.insert(item.first);
  for (const auto& item : before) ids.insert(item.first);
  using Order = std::tuple<std::int64_t, std::uint64_t, std::int64_t, std::uint64_t, GroupId>;
  std::vector<std::pair<Order, Difference>> sorted;
  for (const GroupId& id : ids) {
    const auto a = now.find(id), b = before.find(id);
    const GroupSum none;
    const GroupSum& new_sum = a != now.end() ? a->second : none;
    const GroupSum& old_sum = b != before.end() ? b->second : none;
    const auto size_diff = static_cast<std::int64_t>(new_sum.size - old_sum.size);
    const auto count_diff = static_cast<std::int64_t>(new_sum.count - old_sum.count);
    sorted.push_back({{std::abs(size_diff), new_sum.size, std::abs(count_diff), new_sum.count, id},
                      {shown(id, a != now.end() ? new_sum : old_sum), id.second, new_sum.size, size_diff, new_sum.count,
                       count_diff}});
  }
  std::sort(sorted.begin(), sorted.end(), [](const auto& x, const auto& y) { return x.first > y.first; });
  std::vector<Difference> result;
  for (auto& item : sorted) result.push_back(std::move(item.second));
  return result;
}

// tracemalloc's Filter._match and DomainFilter._match, and Snapshot._filter_trace.
inline bool passes(const AnyFilter& any, const Trace& trace) {
  if (const auto* by_domain = std::get_if<DomainFilter>(&any)) {
    return (trace.domain == by_domain->domain) == by_domain->inclusive;
  }
  const Filter& filter = std::get<Filter>(any);
  bool fits = filter.fits(trace.frames.back().filename, trace.frames.back().lineno);
  if (filter.all_frames) {
    fits = std::any_of(trace.frames.begin(), trace.frames.end(),
                       [&](const Frame& frame) { return filter.fits(frame.filename, frame.lineno); });
  }
  const bool result = fits == filter.inclusive;
  if (!filter.domain) return result;
  if (filter.inclusive) return result && trace.domain == *filter.domain;
  return result || trace.domain != *filter.domain;
}

inline Traces filter_traces(const Traces& traces, const std::vector<AnyFilter>& filters) {
  const auto inclusive = [](const AnyFilter& any) {
    return std::visit([](const auto& f) { return f.inclusive; }, any);
  };
  const bool any_inclusive = std::any_of(filters.begin(), filters.end(), inclusive);
  Traces kept;
  for (const Trace& trace : traces) {
    bool included = !any_inclusive, excluded = false;
    for (const AnyFilter& filter : filters) {
      if (inclusive(filter))
        included = included || passes(filter, trace);
      else
        excluded = excluded || !passes(filter, trace);
    }
    if (included && !excluded) kept.push_back(trace);
  }
  return kept;
}

// --- Between the model and the library ---

inline TracebackId intern(Dictionary& dictionary, const Trace& trace) {
  std::vector<FrameId> frames;
  for (const Frame& frame : trace.frames) {
    frames.push_back(dictionary.intern_frame({.filename = dictionary.intern_string(frame.filename),
                                              .function = dictionary.intern_string(frame.function),
                                              .lineno = frame.lineno}));
  }
  return dictionary.intern_traceback(frames, trace.total_nframe);
}

// With generations, threads and labels. Snapshots of one Dictionary are as those of one tracer.
inline Snapshot build_tagged(std::shared_ptr<Dictionary> dictionary, const Traces& traces, bool with_blocks = true) {
  using Key = std::tuple<TracebackId, std::uint32_t, std::uint32_t, std::uint32_t, std::uint32_t>;
  std::map<Key, std::uint32_t> row_of;
  std::vector<ResolvedRecord> keys;
  Counters counters;
  BlockColumns blocks(static_cast<std::uint32_t>(traces.size()));
  for (const Trace& trace : traces) {
    const ResolvedRecord key{intern(*dictionary, trace), trace.domain, trace.generation, trace.thread, trace.label};
    const auto [found, added] =
        row_of.try_emplace({key.traceback, key.domain, key.generation, key.thread, key.label}, keys.size());
    if (added) {
      keys.push_back(key);
      counters.count.push_back(0);
      counters.size.push_back(0);
    }
    ++counters.count[found->second];
    counters.size[found->second] += trace.size;
    blocks.append(found->second, trace.size);
  }
  std::optional<BlockColumns> columns;
  if (with_blocks) columns = std::move(blocks);
  return Snapshot::resolved(std::move(dictionary), std::move(keys), std::move(counters), std::move(columns), 25);
}

// Literal traces, as tracemalloc has them: without tags.
inline Snapshot build(const Traces& traces, std::int64_t traceback_limit = 25) {
  SnapshotBuilder builder;
  for (const Trace& trace : traces) builder.add(trace.domain, trace.size, intern(builder.dictionary(), trace));
  return builder.build(traceback_limit);
}

inline Trace trace_at(const Snapshot& snapshot, std::size_t position) {
  const Block block = snapshot.block(position);
  const Row row = snapshot.row(block.row);
  const Dictionary& dictionary = *snapshot.dictionary();
  const Traceback traceback = dictionary.traceback(row.key.traceback);
  Trace trace{row.key.domain,     block.size,     {},           traceback.total_nframe,
              row.key.generation, row.key.thread, row.key.label};
  for (const FrameId id : dictionary.frames_of(traceback.stack)) {
    const memtrace::snapshot::Frame& frame = dictionary.frame(id);
    trace.frames.push_back(
        {std::string(dictionary.string(frame.filename)), frame.lineno, std::string(dictionary.string(frame.function))});
  }
  return trace;
}

inline Traces traces_of(const Snapshot& snapshot) {
  Traces traces;
  for (std::size_t i = 0; i < snapshot.block_count(); ++i) traces.push_back(trace_at(snapshot, i));
  return traces;
}

inline Places places_of(const Dictionary& dictionary, GroupBy group_by, const Site& site) {
  Places places;
  for (const auto& frame : traceback_frames(dictionary, group_by, site)) {
    places.emplace_back(std::string(dictionary.string(frame.filename)), frame.lineno);
  }
  return places;
}

// The text by which the model knows a group.
template <class Item>
std::string key_text(GroupBy group_by, const Item& item) {
  if (!tag_of(group_by)) return std::string(item.key);
  return padded(item.key.empty() ? std::to_string(item.number) : std::string(item.key));
}

inline std::vector<Statistic> plain(const Statistics& statistics) {
  std::vector<Statistic> result;
  for (const auto& item : statistics.items) {
    result.push_back({places_of(*statistics.dictionary, statistics.group_by.by, item.site),
                      key_text(statistics.group_by.by, item), item.size, item.count});
  }
  return result;
}

inline std::vector<Difference> plain(const Comparison& comparison) {
  std::vector<Difference> result;
  for (const auto& item : comparison.items) {
    result.push_back({places_of(*comparison.dictionary, comparison.group_by.by, item.site),
                      key_text(comparison.group_by.by, item), item.size, item.size_diff, item.count, item.count_diff});
  }
  return result;
}

// --- Random data ---

class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}

  // Not a standard distribution: those differ between libraries, and a committed file is compared with this data.
  std::uint32_t below(std::uint32_t limit) { return static_cast<std::uint32_t>(engine_() % limit); }
  bool chance(std::uint32_t one_in) { return below(one_in) == 0; }

  // Few names, lines, functions and sizes, so that everything collides; stacks that recurse.
  Frame frame() {
    static const std::vector<std::string> files{"a.py",
                                                "b.py",
                                                "b.pyc",
                                                "pkg/__init__.py",
                                                "pkg/m.py",
                                                "<unknown>",
                                                "/usr/lib/python3.13/json/decoder.py",
                                                "caf\xC3\xA9.py",
                                                "lone\xED\xB2\x80.py",
                                                "\xF0\x9F\x90\x8D.py"};
    static const std::vector<std::string> functions{"", "f", "C.g", "<module>"};
    return {files[below(static_cast<std::uint32_t>(files.size()))], static_cast<std::int32_t>(below(5)) - 1,
            functions[below(static_cast<std::uint32_t>(functions.size()))]};
  }

  Traces traces(std::size_t count) {
    std::vector<std::vector<Frame>> stacks(1 + count / 4);
    for (auto& stack : stacks) {
      if (&stack != &stacks.front() && chance(2))
        stack = stacks[below(static_cast<std::uint32_t>(&stack - stacks.data()))];
      const std::uint32_t more = 1 + below(4);
      for (std::uint32_t i = 0; i < more; ++i) stack.push_back(frame());
    }
    Traces result;
    for (std::size_t i = 0; i < count; ++i) {
      const auto& frames = stacks[below(static_cast<std::uint32_t>(stacks.size()))];
      const auto total = static_cast<std::int32_t>(frames.size() + below(2));
      const std::uint64_t size = chance(40) ? 0xFFFFFFFFull + below(3) : 8ull * below(4);
      result.push_back({below(3), size, frames, chance(9) ? kUnknownTotal : total});
    }
    return result;
  }

  // The same with tags.
  Traces tagged_traces(std::size_t count) {
    static const std::vector<std::uint32_t> labels{0, 1, 2, 7, 0xFFFFFFFF};
    Traces result = traces(count);
    for (Trace& trace : result) {
      trace.generation = below(4);
      trace.thread = below(5);
      trace.label = labels[below(5)];
    }
    return result;
  }

  AnyFilter filter() {
    static const std::vector<std::string> patterns{
        "*",     "a.py",   "b.py",    "*.pyc",          "?.py",    "[ab].py", "[!a]*",
        "pkg/*", "*/m.py", "none.py", "*\xED\xB2\x80*", "caf?.py", "<unk*>",  "lone?.py"};
    if (chance(4)) return DomainFilter{chance(2), static_cast<std::int64_t>(below(4)) - 1};
    std::optional<std::int64_t> line, domain;
    if (chance(3)) line = static_cast<std::int64_t>(below(4)) - 1;
    if (chance(3)) domain = static_cast<std::int64_t>(below(4)) - 1;
    return Filter(chance(2), patterns[below(static_cast<std::uint32_t>(patterns.size()))], line, chance(2), domain);
  }

 private:
  std::mt19937_64 engine_;
};

inline constexpr GroupBy kEveryKey[] = {GroupBy::filename,   GroupBy::lineno, GroupBy::traceback,
                                        GroupBy::function,   GroupBy::module, GroupBy::domain,
                                        GroupBy::generation, GroupBy::thread, GroupBy::label};

}  // namespace memtrace::snapshot::model
