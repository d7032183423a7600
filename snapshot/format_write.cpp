#include <bit>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "snapshot/churn.h"
#include "snapshot/common_stacks.h"
#include "snapshot/file_io.h"
#include "snapshot/format.h"
#include "snapshot/format_sections.h"

namespace memtrace::snapshot {

namespace {

void add(SectionsWriter& sections, SectionId id, const ByteWriter& content, Effort effort = Effort::thorough,
         bool optional = false) {
  sections.add(static_cast<std::uint16_t>(id), optional, effort, content.view());
}

// The values of member(0..count) as one column.
template <class T, class Member>
void write_column(ByteWriter& out, std::size_t count, Member&& member) {
  std::vector<T> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = member(static_cast<std::uint32_t>(i));
  out.column(values);
}

void write_meta(SectionsWriter& sections, const Snapshot& snapshot) {
  ByteWriter out;
  out.number(snapshot.traceback_limit());
  out.number(snapshot.dropped());
  add(sections, SectionId::meta, out);
}

void write_origin(SectionsWriter& sections, const Snapshot& snapshot) {
  ByteWriter out;
  out.number(snapshot.dictionary()->origin());
  out.number(snapshot.mark());
  add(sections, SectionId::origin, out, Effort::thorough, true);
}

void write_strings(SectionsWriter& sections, const Dictionary& dictionary) {
  ByteWriter out;
  const std::uint32_t count = dictionary.string_count();
  out.number(count);
  write_column<std::uint32_t>(out, count,
                              [&](StringId id) { return static_cast<std::uint32_t>(dictionary.string(id).size()); });
  for (StringId id = 0; id < count; ++id) out.text(dictionary.string(id));
  add(sections, SectionId::strings, out);
}

void write_frames(SectionsWriter& sections, const Dictionary& dictionary) {
  ByteWriter out;
  const std::uint32_t count = dictionary.frame_count();
  out.number(count);
  write_column<std::uint32_t>(out, count, [&](FrameId id) { return dictionary.frame(id).filename; });
  write_column<std::uint32_t>(out, count, [&](FrameId id) { return dictionary.frame(id).function; });
  write_column<std::int32_t>(out, count, [&](FrameId id) { return dictionary.frame(id).lineno; });
  write_column<std::int32_t>(out, count, [&](FrameId id) { return dictionary.frame(id).end_lineno; });
  write_column<std::int32_t>(out, count, [&](FrameId id) { return dictionary.frame(id).column; });
  write_column<std::int32_t>(out, count, [&](FrameId id) { return dictionary.frame(id).end_column; });
  add(sections, SectionId::frames, out);
}

// Without stack 0. A parent is written as its distance, which is small.
void write_stacks(SectionsWriter& sections, const Dictionary& dictionary) {
  ByteWriter out;
  const std::uint32_t count = dictionary.stack_count() - 1;
  out.number(count);
  write_column<std::uint32_t>(out, count, [&](StackId id) { return id + 1 - dictionary.stack(id + 1).parent; });
  write_column<std::uint32_t>(out, count, [&](StackId id) { return dictionary.stack(id + 1).frame; });
  add(sections, SectionId::stacks, out);
}

void write_tracebacks(SectionsWriter& sections, const Dictionary& dictionary) {
  ByteWriter out;
  const std::uint32_t count = dictionary.traceback_count();
  out.number(count);
  write_column<std::uint32_t>(out, count, [&](TracebackId id) { return dictionary.traceback(id).stack; });
  write_column<std::int32_t>(out, count, [&](TracebackId id) { return dictionary.traceback(id).total_nframe; });
  add(sections, SectionId::tracebacks, out);
}

void write_modules(SectionsWriter& sections, const Dictionary& dictionary) {
  const auto modules = dictionary.modules();
  if (modules.empty()) return;
  ByteWriter out;
  out.number(static_cast<std::uint32_t>(modules.size()));
  write_column<std::uint32_t>(out, modules.size(), [&](std::uint32_t i) { return modules[i].first; });
  write_column<std::uint32_t>(out, modules.size(), [&](std::uint32_t i) { return modules[i].second; });
  add(sections, SectionId::modules, out);
}

using Names = std::vector<std::pair<std::uint32_t, StringId>>;

// Those of numbers that the snapshot or its churn has. Marks are asked for by name also when nothing is left of theirs.
Names names_in_use(Tag tag, const Snapshot& snapshot, const Churn* churn) {
  Names names = snapshot.dictionary()->tag_names(tag);
  if (names.empty() || tag == Tag::generation) return names;
  std::unordered_set<std::uint32_t> used;
  for (const Snapshot* rows : {&snapshot, churn == nullptr ? nullptr : &churn->allocated}) {
    if (rows == nullptr) continue;
    for (const std::uint32_t row : rows->rows()) used.insert(rows->keys()[row].number(tag));
  }
  std::erase_if(names, [&](const auto& named) { return !used.contains(named.first); });
  return names;
}

void write_names(ByteWriter& out, const Names& names, const Dictionary& dictionary) {
  out.number(static_cast<std::uint32_t>(names.size()));
  for (const auto& [number, id] : names) {
    const std::string_view name = dictionary.string(id);
    out.number(number);
    out.number(static_cast<std::uint32_t>(name.size()));
    out.text(name);
  }
}

void write_tag_names(SectionsWriter& sections, SectionId section, std::span<const Tag> tags, const Snapshot& snapshot,
                     const Churn* churn) {
  ByteWriter out;
  bool any = false;
  for (const Tag tag : tags) {
    const Names names = names_in_use(tag, snapshot, churn);
    any |= !names.empty();
    write_names(out, names, *snapshot.dictionary());
  }
  if (any) add(sections, section, out, Effort::thorough, true);
}

// Ids of the file's tracebacks by position of the selected rows.
std::vector<TracebackId> import_tracebacks(Importer& importer, const Snapshot& snapshot) {
  const auto rows = snapshot.rows();
  std::vector<TracebackId> tracebacks(rows.size());
  const std::vector<StackId> stacks = importer.stacks(snapshot, StackDetail::all_frames);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Traceback traceback = snapshot.dictionary()->traceback(snapshot.keys()[rows[i]].traceback);
    tracebacks[i] = importer.traceback(stacks[rows[i]], traceback.total_nframe);
  }
  return tracebacks;
}

void write_keys(ByteWriter& out, const Snapshot& snapshot, const std::vector<TracebackId>& tracebacks) {
  const auto rows = snapshot.rows();
  const auto keys = snapshot.keys();
  const std::size_t count = rows.size();
  out.number(static_cast<std::uint32_t>(count));
  write_column<std::uint32_t>(out, count, [&](std::uint32_t i) { return tracebacks[i]; });
  write_column<std::uint32_t>(out, count, [&](std::uint32_t i) { return keys[rows[i]].domain; });
  write_column<std::uint32_t>(out, count, [&](std::uint32_t i) { return keys[rows[i]].generation; });
  write_column<std::uint32_t>(out, count, [&](std::uint32_t i) { return keys[rows[i]].thread; });
  write_column<std::uint32_t>(out, count, [&](std::uint32_t i) { return keys[rows[i]].label; });
}

void write_counters(ByteWriter& out, std::span<const std::uint32_t> rows, const Counters& counters) {
  write_column<std::uint64_t>(out, rows.size(), [&](std::uint32_t i) { return counters.count[rows[i]]; });
  write_column<std::uint64_t>(out, rows.size(), [&](std::uint32_t i) { return counters.size[rows[i]]; });
}

void write_rows(SectionsWriter& sections, const Snapshot& snapshot, const std::vector<TracebackId>& tracebacks) {
  ByteWriter out;
  write_keys(out, snapshot, tracebacks);
  write_counters(out, snapshot.rows(), snapshot.counters());
  add(sections, SectionId::rows, out);
}

void write_churn(SectionsWriter& sections, const Churn& churn, const std::vector<TracebackId>& tracebacks) {
  ByteWriter out;
  out.number(churn.microseconds);
  write_keys(out, churn.allocated, tracebacks);
  for (const Counters* counters : {&churn.allocated.counters(), &churn.ended->freed, &churn.ended->temporary})
    write_counters(out, churn.allocated.rows(), *counters);
  add(sections, SectionId::churn, out, Effort::thorough, true);
}

void write_samples(SectionsWriter& sections, const Snapshot& snapshot) {
  const Counters& counters = snapshot.counters();
  if (!counters.has_samples() && counters.sample_interval == 0) return;
  ByteWriter out;
  const auto rows = snapshot.rows();
  const std::size_t count = counters.has_samples() ? rows.size() : 0;
  out.number(counters.sample_interval);
  out.number(static_cast<std::uint32_t>(count));
  write_column<std::uint64_t>(out, count, [&](std::uint32_t i) { return counters.interval[rows[i]]; });
  for (const auto part : {&Spread::count, &Spread::count_variance, &Spread::bytes_variance})
    write_column<std::uint64_t>(
        out, count, [&](std::uint32_t i) { return std::bit_cast<std::uint64_t>(counters.spread[rows[i]].*part); });
  add(sections, SectionId::samples, out, Effort::thorough, true);
}

void write_blocks(SectionsWriter& sections, const Snapshot& snapshot) {
  std::vector<std::uint32_t> row_number(snapshot.column_count());
  const auto rows = snapshot.rows();
  for (std::size_t i = 0; i < rows.size(); ++i) row_number[rows[i]] = static_cast<std::uint32_t>(i);

  const std::size_t count = snapshot.block_count();
  std::vector<std::uint32_t> owners(count), sizes(count);
  std::vector<std::uint32_t> large_positions;
  std::vector<std::uint64_t> large_sizes;
  for (std::size_t i = 0; i < count; ++i) {
    const Block block = snapshot.block(i);
    owners[i] = row_number[block.row];
    if (block.size < kLargeSize) {
      sizes[i] = static_cast<std::uint32_t>(block.size);
    } else {
      sizes[i] = kLargeSize;
      large_positions.push_back(static_cast<std::uint32_t>(i));
      large_sizes.push_back(block.size);
    }
  }
  ByteWriter out;
  out.number(static_cast<std::uint32_t>(count));
  out.number(static_cast<std::uint32_t>(large_sizes.size()));
  out.column(owners);
  out.column(sizes);
  out.column(large_positions);
  out.column(large_sizes);
  add(sections, SectionId::blocks, out, Effort::fast);
}

// Absent when the snapshot has none.
void write_types(SectionsWriter& sections, const Snapshot& snapshot) {
  if (!snapshot.has_types()) return;
  ByteWriter out;
  write_names(out, names_in_use(Tag::type, snapshot, nullptr), *snapshot.dictionary());
  const auto rows = snapshot.rows();
  const auto keys = snapshot.keys();
  write_column<std::uint32_t>(out, rows.size(), [&](std::uint32_t i) { return keys[rows[i]].type; });
  add(sections, SectionId::types, out, Effort::thorough, true);
}

void write_extra(SectionsWriter& sections, SectionId id, Effort effort, ByteView bytes) {
  if (!bytes.empty()) sections.add(static_cast<std::uint16_t>(id), true, effort, bytes);
}

// Without the rows that count nothing, which no block refers to either.
Snapshot without_empty_rows(const Snapshot& snapshot) {
  std::vector<std::uint8_t> keep(snapshot.column_count());
  for (std::size_t row = 0; row < keep.size(); ++row) keep[row] = snapshot.counters().count[row] != 0;
  if (snapshot.has_blocks()) {
    const BlockColumns& blocks = snapshot.block_columns();
    for (std::size_t i = 0; i < blocks.count(); ++i) keep[blocks.owner(i)] = 1;
  }
  return snapshot.select_rows(keep);
}

}  // namespace

std::vector<std::byte> to_bytes(const Snapshot& snapshot, const Extras& extras) {
  const Snapshot written = without_empty_rows(snapshot);
  const Churn* churn = snapshot.churn() == nullptr ? nullptr : &snapshot.churn()->get();
  if (churn != nullptr) churn->allocated.stacks();  // resolves, before the dictionary is copied

  // A Dictionary of what the rows refer to and nothing else.
  Dictionary dictionary;
  std::vector<TracebackId> tracebacks, churn_tracebacks;
  {
    Importer importer(*written.dictionary(), dictionary);
    tracebacks = import_tracebacks(importer, written);
    if (churn != nullptr) churn_tracebacks = import_tracebacks(importer, churn->allocated);
    importer.modules();
  }

  SectionsWriter sections;
  write_meta(sections, written);
  write_origin(sections, written);
  write_strings(sections, dictionary);
  write_frames(sections, dictionary);
  write_stacks(sections, dictionary);
  write_tracebacks(sections, dictionary);
  write_modules(sections, dictionary);
  // Domains in a section of their own, which is older than the others'; the types' names are with the types.
  write_tag_names(sections, SectionId::domains, std::span(kTags).first(1), written, churn);
  write_tag_names(sections, SectionId::tag_names, std::span(kTags).subspan(1, 3), written, churn);
  write_rows(sections, written, tracebacks);
  if (churn != nullptr) write_churn(sections, *churn, churn_tracebacks);
  write_samples(sections, written);
  write_types(sections, written);
  if (written.has_blocks()) write_blocks(sections, written);
  write_extra(sections, SectionId::attributes, Effort::thorough, extras.attributes);
  write_extra(sections, SectionId::peak, Effort::none, extras.peak);
  write_extra(sections, SectionId::timeline, Effort::thorough, extras.timeline);
  return std::move(sections).finish();
}

void dump(const Snapshot& snapshot, const std::string& path, const Extras& extras) {
  write_file(path, to_bytes(snapshot, extras));
}

}  // namespace memtrace::snapshot
