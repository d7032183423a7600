#include "snapshot/merge.h"

#include <algorithm>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "snapshot/churn.h"
#include "snapshot/common_stacks.h"
#include "snapshot/mark_order.h"
#include "snapshot/row_sums.h"

namespace memtrace::snapshot {

namespace {

// One of the snapshots, with what its ids are in the whole's Dictionary.
struct Part {
  explicit Part(const Snapshot& of) : snapshot(of), churn(of.churn() == nullptr ? nullptr : &of.churn()->get()) {
    snapshot.stacks();  // resolves, before anything is copied of the Dictionary
    if (churn != nullptr) churn->allocated.stacks();
  }

  const Snapshot& snapshot;
  const Churn* churn;
  std::vector<TracebackId> tracebacks, churn_tracebacks;  // by row index; selected rows only
  std::unordered_map<StringId, StringId> types;
  NewNumbers generations, threads, labels;
};

// The numbers of threads or labels in the whole, of snapshots that number theirs by themselves. What has a name is known by
// it, anything else by its number; 0 is none, whatever it is called.
class SharedNumbers {
 public:
  std::uint32_t of(std::string_view name, std::uint32_t number) {
    if (number == 0) return 0;
    const auto [found, added] = numbers_.try_emplace({name, name.empty() ? number : 0});
    if (added) found->second = free_number(number);
    return found->second;
  }

 private:
  // The one wished for, if it is not taken.
  std::uint32_t free_number(std::uint32_t wish) {
    if (used_.insert(wish).second) return wish;
    while (!used_.insert(next_).second) ++next_;
    return next_;
  }

  std::map<std::pair<std::string_view, std::uint32_t>, std::uint32_t> numbers_;
  std::unordered_set<std::uint32_t> used_;
  std::uint32_t next_ = 1;
};

// use(key) of each row that is selected of the part and of its churn.
template <class Use>
void for_each_key(const Part& part, Use&& use) {
  for (const std::uint32_t row : part.snapshot.rows()) use(part.snapshot.keys()[row]);
  if (part.churn == nullptr) return;
  for (const std::uint32_t row : part.churn->allocated.rows()) use(part.churn->allocated.keys()[row]);
}

std::unordered_map<std::uint32_t, std::string_view> names_of(const Dictionary& dictionary, Tag tag) {
  std::unordered_map<std::uint32_t, std::string_view> names;
  for (const auto& [number, id] : dictionary.tag_names(tag)) names.emplace(number, dictionary.string(id));
  return names;
}

class Merger {
 public:
  explicit Merger(std::span<const Snapshot> snapshots) : parts_(snapshots.begin(), snapshots.end()) {
    const auto all = [&](auto&& has) { return std::all_of(parts_.begin(), parts_.end(), has); };
    const auto is_empty = [](const Part& part) { return part.snapshot.total_count() == 0; };
    has_blocks_ = all([](const Part& part) { return part.snapshot.has_blocks(); });
    has_churn_ = all([](const Part& part) { return part.churn != nullptr; });
    has_types_ = all([&](const Part& part) { return is_empty(part) || part.snapshot.has_types(); }) && !all(is_empty);
    has_samples_ = !all([](const Part& part) { return !part.snapshot.counters().has_samples(); });
  }

  Snapshot merged() {
    // Later settings of modules win: the first snapshot's are the ones that hold.
    for (std::size_t i = parts_.size(); i-- > 0;) import(parts_[i]);
    name_domains_and_types();
    share_numbers(Tag::thread, &Part::threads);
    share_numbers(Tag::label, &Part::labels);
    order_generations();
    for (const Part& part : parts_) add(part);
    return finished();
  }

 private:
  void import(Part& part) {
    Importer importer(*part.snapshot.dictionary(), *dictionary_);
    part.tracebacks = import_tracebacks(importer, part.snapshot);
    if (has_churn_) part.churn_tracebacks = import_tracebacks(importer, part.churn->allocated);
    if (has_types_) {
      for (const std::uint32_t row : part.snapshot.rows()) {
        const StringId type = part.snapshot.keys()[row].type;
        if (type != 0) part.types.try_emplace(type, importer.string(type));
      }
    }
    importer.modules();
  }

  static std::vector<TracebackId> import_tracebacks(Importer& importer, const Snapshot& snapshot) {
    std::vector<TracebackId> tracebacks(snapshot.column_count());
    const std::vector<StackId> stacks = importer.stacks(snapshot, StackDetail::all_frames);
    for (const std::uint32_t row : snapshot.rows()) {
      const Traceback traceback = snapshot.dictionary()->traceback(snapshot.keys()[row].traceback);
      tracebacks[row] = importer.traceback(stacks[row], traceback.total_nframe);
    }
    return tracebacks;
  }

  void name_if_unnamed(Tag tag, std::uint32_t number, std::string_view name) {
    if (!name.empty() && dictionary_->tag_name(tag, number).empty()) dictionary_->set_tag_name(tag, number, name);
  }

  void name_domains_and_types() {
    for (const Part& part : parts_) {
      for (const auto& [number, name] : names_of(*part.snapshot.dictionary(), Tag::domain))
        name_if_unnamed(Tag::domain, number, name);
      for (const auto& [theirs, ours] : part.types) {
        const std::string_view name = part.snapshot.dictionary()->tag_name(Tag::type, theirs);
        name_if_unnamed(Tag::type, ours, name);
      }
    }
  }

  void share_numbers(Tag tag, NewNumbers Part::* numbers) {
    SharedNumbers shared;
    for (Part& part : parts_) {
      const auto names = names_of(*part.snapshot.dictionary(), tag);
      for_each_key(part, [&](const ResolvedRecord& key) {
        const std::uint32_t number = key.number(tag);
        const auto [found, added] = (part.*numbers).try_emplace(number);
        if (!added) return;
        const auto name = names.find(number);
        const std::string_view text = name != names.end() ? name->second : std::string_view();
        found->second = shared.of(text, number);
        name_if_unnamed(tag, found->second, text);
      });
    }
  }

  void order_generations() {
    std::vector<Marks> marks;
    for (const Part& part : parts_) {
      Marks& own = marks.emplace_back();
      for (const auto& [number, name] : names_of(*part.snapshot.dictionary(), Tag::generation)) own[number] = name;
      for_each_key(part, [&](const ResolvedRecord& key) { own.try_emplace(key.generation); });
    }
    const std::optional<std::vector<NewNumbers>> ordered = order_marks(marks);
    if (!ordered) return;
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      for (const auto& [number, name] : marks[i]) name_if_unnamed(Tag::generation, (*ordered)[i].at(number), name);
      parts_[i].generations = (*ordered)[i];
    }
  }

  ResolvedRecord key_in_whole(const Part& part, const ResolvedRecord& key, TracebackId traceback) const {
    const auto generation = part.generations.find(key.generation);
    return {.traceback = traceback,
            .domain = key.domain,
            .generation = generation != part.generations.end() ? generation->second : 0,
            .thread = part.threads.at(key.thread),
            .label = part.labels.at(key.label),
            .type = has_types_ && key.type != 0 ? part.types.at(key.type) : 0};
  }

  void add(const Part& part) {
    const Snapshot& snapshot = part.snapshot;
    const Counters& counters = snapshot.counters();
    const bool has_rows = !has_types_ || snapshot.has_types();  // else nothing is alive in them
    std::vector<std::uint32_t> row_of(snapshot.column_count());
    for (const std::uint32_t row : has_rows ? snapshot.rows() : std::span<const std::uint32_t>()) {
      const std::uint64_t interval = counters.has_samples() ? counters.interval[row] : 0;
      const std::uint32_t ours = rows_.of(key_in_whole(part, snapshot.keys()[row], part.tracebacks[row]), interval);
      row_of[row] = ours;
      live_.add(ours, counters.count[row], counters.size[row]);
      if (has_samples_) {
        spread_.resize(rows_.count());
        interval_.resize(rows_.count());
        interval_[ours] = interval;
        spread_[ours] +=
            counters.has_samples() ? counters.spread[row] : Spread{.count = static_cast<double>(counters.count[row])};
      }
    }
    if (has_blocks_) add_blocks(snapshot, row_of);
    if (has_churn_) add_churn(part);
    dropped_ += std::min(snapshot.dropped(), std::numeric_limits<std::uint64_t>::max() - dropped_);
    traceback_limit_ = std::max(traceback_limit_, snapshot.traceback_limit());
    sample_interval_ = std::max(sample_interval_, snapshot.sample_interval());
  }

  void add_blocks(const Snapshot& snapshot, const std::vector<std::uint32_t>& row_of) {
    blocks_.make_room_for(rows_.count());
    for (std::size_t i = 0, count = snapshot.block_count(); i < count; ++i) {
      const Block block = snapshot.block(i);
      blocks_.append(row_of[block.row], block.size);
    }
  }

  void add_churn(const Part& part) {
    const Churn& churn = *part.churn;
    const auto amount = [](const Counters& counters, std::uint32_t row) {
      return ChurnSums::Amount{counters.count[row], counters.size[row]};
    };
    for (const std::uint32_t row : churn.allocated.rows()) {
      churn_.add(key_in_whole(part, churn.allocated.keys()[row], part.churn_tracebacks[row]),
                 amount(churn.allocated.counters(), row), amount(churn.ended->freed, row),
                 amount(churn.ended->temporary, row));
    }
    microseconds_ = std::max(microseconds_, churn.microseconds);
  }

  Snapshot finished() {
    Counters counters = live_.take(rows_.count());
    counters.sample_interval = sample_interval_;
    if (has_samples_) {
      for (std::size_t row = 0; row < interval_.size(); ++row) {
        if (interval_[row] != 0) counters.count[row] = rounded(spread_[row].count);
      }
      counters.spread = std::move(spread_);
      counters.interval = std::move(interval_);
    }
    std::optional<BlockColumns> blocks;
    if (has_blocks_) blocks = std::move(blocks_);
    Snapshot whole = Snapshot::resolved(dictionary_, rows_.take_keys(), std::move(counters), std::move(blocks),
                                        traceback_limit_, dropped_);
    if (!has_churn_) return whole;
    return whole.with_churn(
        std::make_shared<const LazyChurn>(churn_.take(dictionary_, traceback_limit_, microseconds_)));
  }

  std::vector<Part> parts_;
  bool has_blocks_, has_churn_, has_types_, has_samples_;
  std::shared_ptr<Dictionary> dictionary_ = std::make_shared<Dictionary>();

  RowNumbers rows_;
  CounterSums live_;
  ChurnSums churn_;
  std::vector<Spread> spread_;
  std::vector<std::uint64_t> interval_;
  BlockColumns blocks_;
  std::int64_t traceback_limit_ = 0;
  std::uint64_t dropped_ = 0, sample_interval_ = 0, microseconds_ = 0;
};

}  // namespace

Snapshot merge(std::span<const Snapshot> snapshots) {
  if (snapshots.empty()) throw std::invalid_argument("a merge needs at least one snapshot");
  return Merger(snapshots).merged();
}

}  // namespace memtrace::snapshot
