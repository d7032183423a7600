#include "snapshot/format.h"

#include <catch2/catch_test_macros.hpp>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "snapshot/file_io.h"
#include "tests/core/snapshot/file_maker.h"
#include "tests/core/snapshot/model.h"

using namespace memtrace::snapshot;

namespace {

// Everything a frame knows, with text for ids.
auto details_of(const Snapshot& snapshot) {
  std::vector<std::tuple<std::string, std::string, std::int32_t, std::int32_t, std::int32_t, std::int32_t>> all;
  const Dictionary& dictionary = *snapshot.dictionary();
  for (const std::uint32_t row : snapshot.rows()) {
    for (const FrameId id : dictionary.frames_of(snapshot.stacks()[row])) {
      const Frame& frame = dictionary.frame(id);
      all.emplace_back(dictionary.string(frame.filename), dictionary.string(frame.function), frame.lineno,
                       frame.end_lineno, frame.column, frame.end_column);
    }
  }
  return all;
}

}  // namespace

TEST_CASE("what is written is read again") {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    INFO("seed " << seed);
    model::Random random(seed);
    const model::Traces traces = random.tagged_traces(1 + random.below(400));
    const Snapshot read = from_bytes(to_bytes(model::build_tagged(std::make_shared<Dictionary>(), traces)));
    REQUIRE(model::traces_of(read) == traces);
    REQUIRE(read.traceback_limit() == 25);
    for (const GroupBy group_by : model::kEveryKey) {
      REQUIRE(model::plain(statistics(read, group_by)) == model::statistics(traces, group_by, false));
    }
  }
}

TEST_CASE("an empty snapshot can be written") {
  const Snapshot read = from_bytes(to_bytes(model::build({})));
  CHECK(read.has_blocks());
  CHECK(read.block_count() == 0);
  CHECK(statistics(read, GroupBy::traceback).items.empty());
}

TEST_CASE("all that a row and a frame know is written") {
  auto dictionary = std::make_shared<Dictionary>();
  const FrameId frame = dictionary->intern_frame({.filename = dictionary->intern_string("a.py"),
                                                  .function = dictionary->intern_string("C.m"),
                                                  .lineno = 3,
                                                  .end_lineno = 4,
                                                  .column = 5,
                                                  .end_column = 600});
  const TracebackId traceback = dictionary->intern_traceback({&frame, 1}, 70);
  dictionary->set_module(dictionary->frame(frame).filename, "m");
  dictionary->set_module(dictionary->intern_string("unused.py"), "unused");
  const ResolvedRecord key{.traceback = traceback, .domain = 8, .generation = 9, .thread = 10, .label = 0xFFFFFFFF};
  dictionary->set_tag_name(Tag::domain, 8, "numpy");
  dictionary->set_tag_name(Tag::thread, 10, "MainThread");
  dictionary->set_tag_name(Tag::label, 0xFFFFFFFF, "GET /users");
  dictionary->set_tag_name(Tag::label, 7, "of no row");
  const Snapshot snapshot = Snapshot::resolved(dictionary, {key}, {{1ull << 40}, {1ull << 60}}, std::nullopt, -1, 77);

  const Snapshot read = from_bytes(to_bytes(snapshot));
  CHECK_FALSE(read.has_blocks());
  CHECK(read.dropped() == 77);
  CHECK(read.traceback_limit() == -1);
  REQUIRE(read.rows().size() == 1);
  const Row row = read.row(0);
  CHECK(row.count == 1ull << 40);
  CHECK(row.size == 1ull << 60);
  CHECK(row.key.domain == 8);
  CHECK(row.key.generation == 9);
  CHECK(row.key.thread == 10);
  CHECK(row.key.label == 0xFFFFFFFF);
  CHECK(read.dictionary()->tag_name(Tag::domain, 8) == "numpy");
  CHECK(read.dictionary()->tag_name(Tag::generation, 9).empty());
  CHECK(read.dictionary()->tag_name(Tag::thread, 10) == "MainThread");
  CHECK(read.dictionary()->tag_name(Tag::label, 0xFFFFFFFF) == "GET /users");
  CHECK(read.dictionary()->tag_name(Tag::label, 7).empty());
  CHECK(read.dictionary()->traceback(row.key.traceback).total_nframe == 70);
  CHECK(details_of(read) == details_of(snapshot));
  CHECK(statistics(read, GroupBy::module).items[0].key == "m");
  CHECK(read.dictionary()->modules().size() == 1);
}

TEST_CASE("a filtered snapshot is written without what was filtered out") {
  model::Random random(4);
  const model::Traces traces = random.traces(300);
  const std::vector<AnyFilter> filters{Filter(true, "a.py"), DomainFilter{false, 1}};
  const Snapshot filtered = filter_traces(model::build(traces), filters);
  const Snapshot read = from_bytes(to_bytes(filtered));
  CHECK(model::traces_of(read) == model::filter_traces(traces, filters));
  CHECK(read.column_count() == filtered.rows().size());
  CHECK(read.dictionary()->stack_count() < filtered.dictionary()->stack_count());
}

TEST_CASE("writing what was read gives the same bytes") {
  model::Random random(8);
  const std::vector<std::byte> bytes = to_bytes(model::build(random.traces(200)));
  CHECK(to_bytes(from_bytes(bytes)) == bytes);
}

TEST_CASE("the caller's own bytes come back") {
  const Snapshot snapshot = model::build({{0, 1, {{"a.py", 1}}, 1}});
  const auto bytes = [](std::size_t size, int value) { return Bytes(size, static_cast<std::byte>(value)); };
  const Extras extras{bytes(5000, 3), bytes(6000, 4), bytes(7000, 5)};
  Extras read{bytes(1, 1), bytes(1, 1), bytes(1, 1)};
  from_bytes(to_bytes(snapshot, extras), &read);
  CHECK(read.attributes == extras.attributes);
  CHECK(read.peak == extras.peak);
  CHECK(read.timeline == extras.timeline);
  from_bytes(to_bytes(snapshot), &read);
  CHECK((read.attributes.empty() && read.peak.empty() && read.timeline.empty()));
  CHECK(from_bytes(to_bytes(snapshot, extras)).block_count() == 1);
}

TEST_CASE("a file in the file is not compressed") {
  FileMaker maker;  // which compresses
  maker.section(SectionId::peak).bytes(Bytes(5000, std::byte{0}));
  Extras extras;
  CHECK_THROWS_AS(from_bytes(maker.bytes(), &extras), FormatError);
  CHECK(from_bytes(maker.bytes()).block_count() == 3);
}

TEST_CASE("many equal blocks compress better than readers allow, and are padded") {
  SnapshotBuilder builder;
  for (int i = 0; i < 3'000'000; ++i) builder.add(0, 16, kUnknownTraceback);
  const std::vector<std::byte> bytes = to_bytes(builder.build(1));
  CHECK(bytes.size() < 500'000);
  const Snapshot read = from_bytes(bytes);
  CHECK(read.block_count() == 3'000'000);
  CHECK(read.block(2'999'999).size == 16);
}

TEST_CASE("the header is laid out as documented") {
  const Bytes file = FileMaker().bytes();
  const unsigned char magic[] = {0x89, 'M', 'E', 'M', 'T', 'R', 'C', '\n'};
  CHECK(std::equal(std::begin(magic), std::end(magic), reinterpret_cast<const unsigned char*>(file.data())));
  ByteReader header(file, 0, ByteReader::Place::exact);
  header.number<std::uint64_t>();
  CHECK(header.number<std::uint16_t>() == kFormatVersion);
  CHECK(header.number<std::uint16_t>() == 7);  // sections
  CHECK(header.number<std::uint32_t>() == 0);
  CHECK(header.number<std::uint64_t>() == file.size());
  CHECK(looks_like_snapshot(file));
  CHECK_FALSE(looks_like_snapshot(std::span(file).first(7)));
}

TEST_CASE("files made by hand are read, duplicates and unknown totals included") {
  FileMaker maker;
  CHECK(model::traces_of(from_bytes(maker.bytes())) == model::Traces{{0, 12, {{"a.py", 1}, {"b.py", 2, "f"}}, 2},
                                                                     {0, 10, {{"a.py", 1}}, 1},
                                                                     {0, 18, {{"a.py", 1}, {"b.py", 2, "f"}}, 2}});

  maker.strings({"a.py", "a.py", "b.py", "f", ""});
  maker.frames({0, 1, 2}, {4, 4, 3}, {1, 1, 2});
  maker.stacks({1, 2, 2, 2}, {0, 1, 2, 2});
  maker.tracebacks({3, 4}, {-1, -1});
  const Snapshot read = from_bytes(maker.bytes());
  CHECK(read.keys()[0] == read.keys()[1]);
  CHECK(read.dictionary()->traceback(read.keys()[0].traceback).total_nframe == kUnknownTotal);
}

TEST_CASE("sections of later versions are skipped when they are optional") {
  SectionsWriter writer;
  const Bytes old = FileMaker().bytes();
  const SectionsReader reader(old);
  const Bytes extra(100, std::byte{42});
  writer.add(999, true, Effort::fast, extra);
  for (std::uint16_t id = 1; id <= 7; ++id) {
    writer.add(id, false, Effort::fast, reader.content(static_cast<SectionId>(id)).bytes);
  }
  Bytes file = std::move(writer).finish();
  CHECK(from_bytes(file).block_count() == 3);

  patch(file, entry_offset(0) + kFlagsField, std::uint8_t{0});
  mend_table(file);
  CHECK_THROWS_AS(from_bytes(file), NewerVersionError);
}

TEST_CASE("a file that the first version wrote is still read") {
  model::Random random(3);
  Extras extras;
  const Snapshot read = from_bytes(read_file(MEMTRACE_SNAPSHOT_CORPUS "/file-format1"), &extras);
  CHECK(model::traces_of(read) == random.traces(40));
  CHECK(read.dictionary()->modules().size() == 1);
  CHECK(extras.attributes.size() == sizeof "attributes");
}

TEST_CASE("a newer format says so") {
  Bytes file = FileMaker().bytes();
  patch(file, 8, std::uint16_t{kFormatVersion + 1});
  try {
    from_bytes(file);
    FAIL("was read");
  } catch (const NewerVersionError& error) {
    CHECK(error.offset() == 8);
    CHECK(std::string_view(error.what()).find("newer version") != std::string_view::npos);
  }
}
