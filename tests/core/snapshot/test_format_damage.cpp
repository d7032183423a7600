#include <zstd.h>

#include <catch2/catch_test_macros.hpp>
#include <cstddef>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "snapshot/format.h"
#include "tests/core/snapshot/file_maker.h"
#include "tests/core/snapshot/model.h"

using namespace memtrace::snapshot;

namespace {

// The message and offset with which a file is refused; a failed test when it is read.
std::pair<std::string, std::uint64_t> refusal(std::span<const std::byte> file) {
  try {
    from_bytes(file);
  } catch (const FormatError& error) {
    return {error.what(), error.offset()};
  }
  return {"was read", 0};
}

std::string refusal_of(const std::function<void(FileMaker&)>& change) {
  FileMaker maker;
  change(maker);
  return refusal(maker.bytes()).first;
}

std::string refusal_of_patched(const std::function<void(Bytes&)>& change) {
  Bytes file = FileMaker().bytes();
  change(file);
  mend_table(file);
  return refusal(file).first;
}

std::vector<std::byte> small_file() {
  model::Random random(1);
  const Snapshot snapshot = model::build(random.traces(60));
  snapshot.dictionary()->set_module(snapshot.dictionary()->intern_string("a.py"), "module");
  const auto attributes = std::as_bytes(std::span("attributes"));
  return to_bytes(snapshot, {.attributes = {attributes.begin(), attributes.end()}, .peak = {}, .timeline = {}});
}

}  // namespace

TEST_CASE("a file truncated anywhere is refused") {
  const std::vector<std::byte> file = small_file();
  for (std::size_t size = 0; size < file.size(); ++size) {
    const auto [message, offset] = refusal(std::span(file).first(size));
    INFO("size " << size << ": " << message);
    REQUIRE(message != "was read");
    REQUIRE(offset <= size);
    if (size > 16) REQUIRE(message.find("truncated") != std::string::npos);
  }
}

TEST_CASE("a file with any bit flipped is refused") {
  std::vector<std::byte> file = small_file();
  for (std::size_t i = 0; i < file.size(); ++i) {
    for (unsigned change : {1u, 2u, 4u, 8u, 16u, 32u, 64u, 128u, 255u}) {
      const std::byte before = file[i];
      file[i] ^= static_cast<std::byte>(change);
      const auto [message, offset] = refusal(file);
      INFO("byte " << i << " ^ " << change << ": " << message);
      REQUIRE(message != "was read");
      REQUIRE(offset <= file.size());
      file[i] = before;
    }
  }
  CHECK(refusal(file).first == "was read");
}

TEST_CASE("damage is located") {
  Bytes file = FileMaker().bytes();
  const std::size_t first_section = entry_offset(7);
  file[first_section + 1] ^= std::byte{1};
  CHECK(refusal(file) == std::pair<std::string, std::uint64_t>("a section is damaged", first_section));
  file[first_section + 1] ^= std::byte{1};
  file.push_back(std::byte{0});
  CHECK(refusal(file) == std::pair<std::string, std::uint64_t>("the file goes on behind its end", file.size() - 1));
}

TEST_CASE("what is no snapshot is told apart") {
  CHECK_THROWS_AS(from_bytes({}), NotASnapshotError);
  CHECK_THROWS_AS(from_bytes(std::as_bytes(std::span("\x80\x05\x95 a pickle, say"))), NotASnapshotError);
}

TEST_CASE("sections that do not fit each other are refused, however good their checksums") {
  using Ids = FileMaker::Ids;
  struct Case {
    const char* message;
    std::function<void(FileMaker&)> change;
  };
  const Case cases[] = {
      {"a string is not valid text", [](FileMaker& f) { f.strings({"", "a\x80", "b", "f"}); }},
      {"data ends early",
       [](FileMaker& f) {
         ByteWriter& out = f.section(SectionId::strings) = ByteWriter();
         out.number(std::uint32_t{2});
         out.column(Ids{1, 0xFFFFFFFF});
         out.text("ab");
       }},
      {"a column is longer than its section",
       [](FileMaker& f) {
         f.section(SectionId::strings) = ByteWriter();
         f.section(SectionId::strings).number(std::uint32_t{0xFFFFFFFF});
       }},
      {"a file name is referred to that does not exist", [](FileMaker& f) { f.frames({1, 4}, {0, 3}, {1, 2}); }},
      {"a function name is referred to that does not exist", [](FileMaker& f) { f.frames({1, 2}, {0, 4}, {1, 2}); }},
      {"a frame is referred to that does not exist", [](FileMaker& f) { f.stacks({1, 1}, {0, 2}); }},
      {"a stack's parent does not come before it", [](FileMaker& f) { f.stacks({1, 0}, {0, 1}); }},
      {"a stack's parent does not come before it", [](FileMaker& f) { f.stacks({1, 3}, {0, 1}); }},
      {"a traceback has too many frames", [](FileMaker& f) { f.stacks(Ids(kMaxDepth + 1, 1), Ids(kMaxDepth + 1, 0)); }},
      {"a stack is referred to that does not exist", [](FileMaker& f) { f.tracebacks({1, 3}, {1, 2}); }},
      {"a traceback has no frame", [](FileMaker& f) { f.tracebacks({1, 0}, {1, 2}); }},
      {"a traceback has a negative number of frames", [](FileMaker& f) { f.tracebacks({1, 2}, {1, -2}); }},
      {"a traceback is referred to that does not exist", [](FileMaker& f) { f.rows({0, 2}, {1, 2}, {1, 2}); }},
      {"a file name is referred to that does not exist", [](FileMaker& f) { f.modules({9}, {1}); }},
      {"a module name is referred to that does not exist", [](FileMaker& f) { f.modules({1}, {9}); }},
      {"a row is referred to that does not exist", [](FileMaker& f) { f.blocks({2}, {1}, {}, {}); }},
      {"the sizes of large blocks do not fit", [](FileMaker& f) { f.blocks({0}, {0xFFFFFFFF}, {}, {}); }},
      {"the sizes of large blocks do not fit", [](FileMaker& f) { f.blocks({0}, {1}, {0}, {1ull << 40}); }},
      {"the sizes of large blocks do not fit", [](FileMaker& f) { f.blocks({0}, {0xFFFFFFFF}, {1}, {1ull << 40}); }},
      {"the sizes of large blocks do not fit", [](FileMaker& f) { f.blocks({0}, {0xFFFFFFFF}, {0}, {5}); }},
      {"a section is longer than its content",
       [](FileMaker& f) { f.section(SectionId::meta).number(std::uint8_t{0}); }},
      {"a section is longer than its content",
       [](FileMaker& f) { f.section(SectionId::blocks).number(std::uint8_t{0}); }},
      {"data ends early", [](FileMaker& f) { f.section(SectionId::meta) = ByteWriter(); }},
      {"section 6 is missing", [](FileMaker& f) { f.remove(SectionId::rows); }},
  };
  for (const Case& item : cases) CHECK(refusal_of(item.change) == item.message);
}

TEST_CASE("every number of a valid file set to an extreme is read or refused, never followed blindly") {
  // Section contents are small enough to try every byte; checksums are made to fit.
  const Bytes file = FileMaker().bytes();
  const SectionsReader reader(file);
  for (std::uint16_t target = 1; target <= 7; ++target) {
    const Bytes content = reader.content(static_cast<SectionId>(target)).bytes;
    for (std::size_t i = 0; i < content.size(); ++i) {
      for (const unsigned value : {0u, 1u, 0x7Fu, 0x80u, 0xFFu}) {
        SectionsWriter writer;
        for (std::uint16_t id = 1; id <= 7; ++id) {
          Bytes changed = reader.content(static_cast<SectionId>(id)).bytes;
          if (id == target) changed[i] = static_cast<std::byte>(value);
          writer.add(id, false, Effort::fast, changed);
        }
        try {
          const Snapshot read = from_bytes(std::move(writer).finish());
          for (const GroupBy group_by : model::kEveryKey) static_cast<void>(statistics(read, group_by));
          REQUIRE(model::traces_of(read).size() == read.block_count());
        } catch (const FormatError&) {
        }
      }
    }
  }
}

TEST_CASE("a damaged table is refused") {
  CHECK(refusal_of_patched([](Bytes& f) { patch(f, 12, std::uint32_t{1}); }) == "the header is damaged");
  CHECK(refusal_of_patched([](Bytes& f) { patch(f, 8, std::uint16_t{0}); }) == "format 0 does not exist");
  CHECK(refusal_of_patched([](Bytes& f) { patch(f, entry_offset(1) + kFlagsField, std::uint8_t{2}); }) ==
        "a section is of an unknown kind");
  CHECK(refusal_of_patched([](Bytes& f) { patch(f, entry_offset(1) + kEncodingField, std::uint8_t{2}); }) ==
        "a section is of an unknown kind");
  CHECK(refusal_of_patched([](Bytes& f) { patch(f, entry_offset(1) + kReservedField, std::uint32_t{1}); }) ==
        "a section is of an unknown kind");
  CHECK(refusal_of_patched([](Bytes& f) { patch(f, entry_offset(1), std::uint16_t{1}); }) == "a section occurs twice");
  CHECK(refusal_of_patched([](Bytes& f) {
          patch(f, entry_offset(1) + kStoredSizeField, std::numeric_limits<std::uint64_t>::max());
        }) == "a section is longer than the file");
  CHECK(refusal_of_patched([](Bytes& f) { patch(f, entry_offset(1) + kChecksumField, std::uint64_t{1}); }) ==
        "a section is damaged");
  Bytes many = FileMaker().bytes();
  patch(many, 10, std::uint16_t{0xFFFF});
  CHECK(refusal(many).first == "the table of sections is too long");
  Bytes fewer = FileMaker().bytes();
  patch(fewer, 10, std::uint16_t{6});
  mend_table(fewer);
  CHECK(refusal(fewer).first != "was read");
}

TEST_CASE("sizes that lie are refused before memory is asked for") {
  // Stored as it is, with another size.
  CHECK(refusal_of_patched([](Bytes& f) { patch(f, entry_offset(0) + kRawSizeField, std::uint64_t{1} << 60); }) ==
        "a section has two sizes");

  // Compressed, with a size that its bytes cannot hold, or that they could but do not.
  const auto compressed = [](std::uint64_t claimed) {
    const Bytes zeros(1 << 26);
    Bytes packed(ZSTD_compressBound(zeros.size()));
    packed.resize(ZSTD_compress(packed.data(), packed.size(), zeros.data(), zeros.size(), 1));
    SectionsWriter writer;
    writer.add(static_cast<std::uint16_t>(SectionId::meta), false, Effort::fast, packed);
    Bytes file = std::move(writer).finish();
    // Declare the packed bytes, which the writer stored once more compressed or as they are, to be the section.
    file.resize(entry_offset(1));
    file.insert(file.end(), packed.begin(), packed.end());
    patch(file, 16, std::uint64_t{file.size()});
    patch(file, entry_offset(0) + kEncodingField, std::uint8_t{1});
    patch(file, entry_offset(0) + kStoredSizeField, std::uint64_t{packed.size()});
    patch(file, entry_offset(0) + kRawSizeField, claimed);
    patch(file, entry_offset(0) + kChecksumField, memtrace::hash64(packed.data(), packed.size()));
    mend_table(file);
    return refusal(file).first;
  };
  CHECK(compressed(std::uint64_t{1} << 60) == "a section expands too much");
  CHECK(compressed(std::uint64_t{1} << 26) == "a section expands too much");
  CHECK(compressed(1000) == "a section does not decompress");
  CHECK(compressed(kFreeExpansion) == "a section does not decompress");
}
