#include <algorithm>
#include <bit>
#include <limits>
#include <unordered_map>
#include <utility>

#include "snapshot/churn.h"
#include "snapshot/file_io.h"
#include "snapshot/format.h"
#include "snapshot/format_sections.h"
#include "src/base/wtf8.h"

namespace memtrace::snapshot {

namespace {

// Ids of the file, by position, as ids of the Dictionary that is being built. A file of ours has no duplicates, so both
// are the same; another file may have some.
using IdMap = std::vector<std::uint32_t>;

std::uint32_t mapped(const ByteReader& in, const IdMap& map, std::uint32_t id, const char* what) {
  if (id >= map.size()) in.fail(std::string("a ") + what + " is referred to that does not exist");
  return map[id];
}

class DictionaryReader {
 public:
  explicit DictionaryReader(const SectionsReader& sections) : sections_(sections) {}

  // Fills the dictionary; returns the tracebacks.
  IdMap read(Dictionary& dictionary) {
    Dictionary::Writer writer(dictionary);
    const IdMap strings = read_strings(writer);
    const IdMap frames = read_frames(writer, strings);
    const IdMap stacks = read_stacks(writer, dictionary, frames);
    if (sections_.has(SectionId::modules)) read_modules(writer, dictionary, strings);
    if (sections_.has(SectionId::domains)) read_tag_names(writer, SectionId::domains, std::span(kTags).first(1));
    if (sections_.has(SectionId::tag_names))
      read_tag_names(writer, SectionId::tag_names, std::span(kTags).subspan(1, 3));
    return read_tracebacks(writer, stacks);
  }

 private:
  IdMap read_strings(Dictionary::Writer& writer) {
    const auto content = sections_.content(SectionId::strings);
    ByteReader in = content.reader();
    const auto lengths = in.column<std::uint32_t>(in.number<std::uint32_t>());
    IdMap map(lengths.size());
    for (std::size_t i = 0; i < lengths.size(); ++i) {
      const std::string_view text = in.text(lengths[i]);
      if (!is_wtf8(text)) in.fail("a string is not valid text");
      map[i] = writer.string(text);
    }
    in.expect_end();
    return map;
  }

  IdMap read_frames(Dictionary::Writer& writer, const IdMap& strings) {
    const auto content = sections_.content(SectionId::frames);
    ByteReader in = content.reader();
    const auto count = in.number<std::uint32_t>();
    const auto filenames = in.column<std::uint32_t>(count);
    const auto functions = in.column<std::uint32_t>(count);
    const auto lines = in.column<std::int32_t>(count);
    const auto end_lines = in.column<std::int32_t>(count);
    const auto columns = in.column<std::int32_t>(count);
    const auto end_columns = in.column<std::int32_t>(count);
    in.expect_end();
    IdMap map(count);
    for (std::size_t i = 0; i < count; ++i) {
      map[i] = writer.frame({.filename = mapped(in, strings, filenames[i], "file name"),
                             .function = mapped(in, strings, functions[i], "function name"),
                             .lineno = lines[i],
                             .end_lineno = end_lines[i],
                             .column = columns[i],
                             .end_column = end_columns[i]});
    }
    return map;
  }

  // Position 0 of the result is the empty stack, which is not in the file.
  IdMap read_stacks(Dictionary::Writer& writer, const Dictionary& dictionary, const IdMap& frames) {
    const auto content = sections_.content(SectionId::stacks);
    ByteReader in = content.reader();
    const auto count = in.number<std::uint32_t>();
    const auto distances = in.column<std::uint32_t>(count);
    const auto stack_frames = in.column<std::uint32_t>(count);
    in.expect_end();
    IdMap map(std::size_t{count} + 1, kEmptyStack);
    for (std::size_t i = 1; i < map.size(); ++i) {
      const std::uint32_t distance = distances[i - 1];
      if (distance == 0 || distance > i) in.fail("a stack's parent does not come before it");
      const StackId parent = map[i - distance];
      if (dictionary.depth(parent) == kMaxDepth) in.fail("a traceback has too many frames");
      map[i] = writer.stack(parent, mapped(in, frames, stack_frames[i - 1], "frame"));
    }
    return map;
  }

  IdMap read_tracebacks(Dictionary::Writer& writer, const IdMap& stacks) {
    const auto content = sections_.content(SectionId::tracebacks);
    ByteReader in = content.reader();
    const auto count = in.number<std::uint32_t>();
    const auto stack_ids = in.column<std::uint32_t>(count);
    const auto totals = in.column<std::int32_t>(count);
    in.expect_end();
    IdMap map(count);
    for (std::size_t i = 0; i < count; ++i) {
      const StackId stack = mapped(in, stacks, stack_ids[i], "stack");
      if (stack == kEmptyStack) in.fail("a traceback has no frame");
      if (totals[i] < kUnknownTotal) in.fail("a traceback has a negative number of frames");
      map[i] = writer.traceback(stack, totals[i]);
    }
    return map;
  }

  void read_modules(Dictionary::Writer& writer, const Dictionary& dictionary, const IdMap& strings) {
    const auto content = sections_.content(SectionId::modules);
    ByteReader in = content.reader();
    const auto count = in.number<std::uint32_t>();
    const auto filenames = in.column<std::uint32_t>(count);
    const auto modules = in.column<std::uint32_t>(count);
    in.expect_end();
    for (std::size_t i = 0; i < count; ++i) {
      const StringId module = mapped(in, strings, modules[i], "module name");
      writer.set_module(mapped(in, strings, filenames[i], "file name"), dictionary.string(module));
    }
  }

  void read_tag_names(Dictionary::Writer& writer, SectionId section, std::span<const Tag> tags) {
    const auto content = sections_.content(section);
    ByteReader in = content.reader();
    for (const Tag tag : tags) {
      for (auto left = in.number<std::uint32_t>(); left > 0; --left) {
        const auto number = in.number<std::uint32_t>();
        const std::string_view name = in.text(in.number<std::uint32_t>());
        if (!is_wtf8(name)) in.fail("the name of a domain, generation, thread or label is not valid text");
        writer.set_tag_name(tag, number, name);
      }
    }
    in.expect_end();
  }

  const SectionsReader& sections_;
};

std::vector<ResolvedRecord> read_keys(ByteReader& in, const IdMap& tracebacks) {
  const auto count = in.number<std::uint32_t>();
  if (count == kMaxEntries) in.fail("there are too many rows");
  const auto traceback_ids = in.column<std::uint32_t>(count);
  const auto domains = in.column<std::uint32_t>(count);
  const auto generations = in.column<std::uint32_t>(count);
  const auto threads = in.column<std::uint32_t>(count);
  const auto labels = in.column<std::uint32_t>(count);
  std::vector<ResolvedRecord> keys(count);
  for (std::size_t i = 0; i < count; ++i) {
    keys[i] = {.traceback = mapped(in, tracebacks, traceback_ids[i], "traceback"),
               .domain = domains[i],
               .generation = generations[i],
               .thread = threads[i],
               .label = labels[i]};
  }
  return keys;
}

Counters read_counters(ByteReader& in, std::size_t count) {
  Counters counters;
  counters.count = in.column<std::uint64_t>(count);
  counters.size = in.column<std::uint64_t>(count);
  return counters;
}

// Sums of as many of these as a snapshot can have rows are numbers still, and counts are integers.
constexpr double kLargestEstimate = 0x1p100;
constexpr std::uint64_t kLargestInterval = std::uint64_t{1} << 62;

struct Rows {
  std::vector<ResolvedRecord> keys;
  Counters counters;
};

Rows read_rows(const SectionsReader& sections, const IdMap& tracebacks) {
  const auto content = sections.content(SectionId::rows);
  ByteReader in = content.reader();
  Rows rows;
  rows.keys = read_keys(in, tracebacks);
  rows.counters = read_counters(in, rows.keys.size());
  in.expect_end();
  return rows;
}

Churn read_churn(const SectionsReader& sections, const IdMap& tracebacks, std::shared_ptr<Dictionary> dictionary,
                 std::int64_t traceback_limit) {
  const auto content = sections.content(SectionId::churn);
  ByteReader in = content.reader();
  const auto microseconds = in.number<std::uint64_t>();
  std::vector<ResolvedRecord> keys = read_keys(in, tracebacks);
  Counters allocated = read_counters(in, keys.size());
  auto ended = std::make_shared<Churn::Ended>();
  ended->freed = read_counters(in, keys.size());
  ended->temporary = read_counters(in, keys.size());
  in.expect_end();
  return {
      Snapshot::resolved(std::move(dictionary), std::move(keys), std::move(allocated), std::nullopt, traceback_limit),
      std::move(ended), microseconds};
}

// Completes the counters of the rows.
void read_samples(const SectionsReader& sections, Counters& counters) {
  const auto content = sections.content(SectionId::samples);
  ByteReader in = content.reader();
  counters.sample_interval = in.number<std::uint64_t>();
  const auto count = in.number<std::uint32_t>();
  if (count != 0 && count != counters.count.size()) in.fail("there are not as many samples as rows");
  counters.interval = in.column<std::uint64_t>(count);
  counters.spread.resize(count);
  for (const auto part : {&Spread::count, &Spread::count_variance, &Spread::bytes_variance}) {
    const auto values = in.column<std::uint64_t>(count);
    for (std::size_t i = 0; i < count; ++i) {
      const double value = std::bit_cast<double>(values[i]);
      if (!(value >= 0 && value <= kLargestEstimate)) in.fail("an estimate is no number that can be");
      counters.spread[i].*part = value;
    }
  }
  in.expect_end();
  const auto fits = [&](std::uint64_t interval) { return interval <= kLargestInterval; };
  if (!fits(counters.sample_interval) || !std::all_of(counters.interval.begin(), counters.interval.end(), fits))
    in.fail("a sampling interval is too large");
}

void read_types(const SectionsReader& sections, Dictionary& dictionary, std::vector<ResolvedRecord>& keys) {
  const auto content = sections.content(SectionId::types);
  ByteReader in = content.reader();
  std::unordered_map<std::uint32_t, StringId> type_of;
  for (auto left = in.number<std::uint32_t>(); left > 0; --left) {
    const auto number = in.number<std::uint32_t>();
    const std::string_view name = in.text(in.number<std::uint32_t>());
    if (name.empty() || !is_wtf8(name)) in.fail("the name of a type is not valid text");
    const StringId id = dictionary.intern_string(name);
    dictionary.set_tag_name(Tag::type, id, name);
    type_of[number] = id;
  }
  const auto types = in.column<std::uint32_t>(static_cast<std::uint32_t>(keys.size()));
  in.expect_end();
  for (std::size_t row = 0; row < keys.size(); ++row) {
    const auto type = type_of.find(types[row]);
    if (type == type_of.end()) in.fail("a type is referred to that does not exist");
    keys[row].type = type->second;
  }
}

BlockColumns read_blocks(const SectionsReader& sections, std::size_t row_count) {
  const auto content = sections.content(SectionId::blocks);
  ByteReader in = content.reader();
  const auto count = in.number<std::uint32_t>();
  const auto large_count = in.number<std::uint32_t>();
  const auto owners = in.column<std::uint32_t>(count);
  const auto sizes = in.column<std::uint32_t>(count);
  const auto large_positions = in.column<std::uint32_t>(large_count);
  const auto large_sizes = in.column<std::uint64_t>(large_count);
  in.expect_end();
  BlockColumns blocks(static_cast<std::uint32_t>(row_count));
  blocks.reserve(count);
  std::size_t large = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (owners[i] >= row_count) in.fail("a row is referred to that does not exist");
    std::uint64_t size = sizes[i];
    if (size == kLargeSize) {
      if (large == large_count || large_positions[large] != i || large_sizes[large] < kLargeSize)
        in.fail("the sizes of large blocks do not fit");
      size = large_sizes[large++];
    }
    blocks.append(owners[i], size);
  }
  if (large != large_count) in.fail("the sizes of large blocks do not fit");
  return blocks;
}

// The mark of the snapshot.
std::uint64_t read_origin(const SectionsReader& sections, Dictionary& dictionary) {
  const auto content = sections.content(SectionId::origin);
  ByteReader in = content.reader();
  dictionary.set_origin(in.number<std::uint64_t>());
  const auto mark = in.number<std::uint64_t>();
  in.expect_end();
  return mark;
}

}  // namespace

bool looks_like_snapshot(std::span<const std::byte> bytes) noexcept {
  return bytes.size() >= sizeof kMagic &&
         ByteReader(bytes, 0, ByteReader::Place::exact).number<std::uint64_t>() == kMagic;
}

Snapshot from_bytes(std::span<const std::byte> bytes, Extras* extras) {
  const SectionsReader sections(bytes);
  const auto meta = sections.content(SectionId::meta);
  ByteReader in = meta.reader();
  const auto traceback_limit = in.number<std::int64_t>();
  const auto dropped = in.number<std::uint64_t>();
  in.expect_end();

  auto dictionary = std::make_shared<Dictionary>();
  std::uint64_t mark = 0;
  if (sections.has(SectionId::origin)) mark = read_origin(sections, *dictionary);
  const IdMap tracebacks = DictionaryReader(sections).read(*dictionary);
  Rows rows = read_rows(sections, tracebacks);
  if (sections.has(SectionId::samples)) read_samples(sections, rows.counters);
  if (sections.has(SectionId::types)) read_types(sections, *dictionary, rows.keys);
  std::optional<BlockColumns> blocks;
  if (sections.has(SectionId::blocks)) blocks = read_blocks(sections, rows.keys.size());
  if (extras != nullptr) {
    *extras = {};
    if (sections.has(SectionId::attributes)) extras->attributes = sections.content(SectionId::attributes).bytes;
    if (sections.has(SectionId::peak)) extras->peak = sections.content_as_is(SectionId::peak).bytes;
    if (sections.has(SectionId::timeline)) extras->timeline = sections.content(SectionId::timeline).bytes;
  }
  const Snapshot snapshot = Snapshot::resolved(dictionary, std::move(rows.keys), std::move(rows.counters),
                                               std::move(blocks), traceback_limit, dropped, mark);
  if (!sections.has(SectionId::churn)) return snapshot;
  return snapshot.with_churn(
      std::make_shared<const LazyChurn>(read_churn(sections, tracebacks, std::move(dictionary), traceback_limit)));
}

Snapshot load(const std::string& path) { return from_bytes(read_file(path)); }

}  // namespace memtrace::snapshot
