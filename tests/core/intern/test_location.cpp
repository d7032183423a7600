// Each form of an entry by hand, from Objects/locations.md of the interpreter; tests/python/hooks compares whole
// programs with what the interpreter itself decodes.
#include "src/intern/location.h"

#include <catch2/catch_test_macros.hpp>
#include <string>
#include <vector>

#include "tests/support/random.h"

using namespace memtrace;

namespace {

// One entry: kind, code units, and what follows.
std::string entry(unsigned kind, unsigned units, const std::vector<unsigned>& rest = {}) {
  std::string bytes(1, static_cast<char>(0x80 | kind << 3 | (units - 1)));
  for (const unsigned byte : rest) bytes += static_cast<char>(byte);
  return bytes;
}

// By a table that has not been read before.
Location locate(std::string_view table, std::int32_t firstlineno, std::uint32_t unit) {
  return LocationTable(table, firstlineno).at(unit);
}

void check(const Location& found, std::int32_t line, std::int32_t end_line, std::int32_t column,
           std::int32_t end_column) {
  CHECK(found.line == line);
  CHECK(found.end_line == end_line);
  CHECK(found.column == column);
  CHECK(found.end_column == end_column);
}

}  // namespace

TEST_CASE("short forms have their columns in two bytes") {
  const std::string table = entry(0, 1, {0x7f}) + entry(9, 2, {0x30});
  check(locate(table, 5, 0), 5, 5, 7, 22);
  check(locate(table, 5, 1), 5, 5, 75, 75);
  check(locate(table, 5, 2), 5, 5, 75, 75);
}

TEST_CASE("one-line forms are on this line, the next or the one after it") {
  const std::string table = entry(10, 1, {3, 9}) + entry(11, 1, {80, 81}) + entry(12, 1, {0, 127});
  check(locate(table, 1, 0), 1, 1, 3, 9);
  check(locate(table, 1, 1), 2, 2, 80, 81);
  check(locate(table, 1, 2), 4, 4, 0, 127);
}

TEST_CASE("no columns: a signed step of lines alone") {
  const std::string table = entry(13, 1, {(200 & 63) | 64, 200 >> 6}) + entry(13, 1, {3 << 1 | 1});
  check(locate(table, 7, 0), 107, 107, -1, -1);
  check(locate(table, 7, 1), 104, 104, -1, -1);
}

TEST_CASE("the long form spans lines; columns count from one there") {
  const std::string table = entry(14, 1, {2 << 1, 3, 5, 1});
  check(locate(table, 10, 0), 12, 15, 4, 0);
  check(locate(entry(14, 1, {0, 0, 0, 0}), 10, 0), 10, 10, -1, -1);
}

TEST_CASE("no location, and beyond the end: nothing is known") {
  const std::string table = entry(15, 8) + entry(10, 1, {0, 1});
  check(locate(table, 10, 7), -1, -1, -1, -1);
  check(locate(table, 10, 8), 10, 10, 0, 1);
  check(locate(table, 10, 9), -1, -1, -1, -1);
  check(locate("", 10, 0), -1, -1, -1, -1);
}

TEST_CASE("a table that has been read before gives the same answers, in any order") {
  test::Random random(4);
  for (int i = 0; i < 50; ++i) {
    std::string bytes(random.below(20'000), '\0');
    for (char& byte : bytes) byte = static_cast<char>(random.next());
    LocationTable table(bytes, 1);
    for (int j = 0; j < 40; ++j) {
      const auto unit = static_cast<std::uint32_t>(random.below(50'000));
      const Location found = locate(bytes, 1, unit);
      check(table.at(unit), found.line, found.end_line, found.column, found.end_column);
    }
  }
}

// For the sanitizers: nothing is read out of bounds, nothing overflows.
TEST_CASE("any bytes give some answer") {
  test::Random random(3);
  for (int i = 0; i < 20'000; ++i) {
    std::string table(random.below(20), '\0');
    for (char& byte : table) byte = static_cast<char>(random.next());
    for (const std::uint32_t unit : {0u, 1u, 100u, ~0u}) {
      const auto firstlineno = static_cast<std::int32_t>(random.next());
      CHECK(locate(table, firstlineno, unit).line == locate(table, firstlineno, unit).line);
    }
  }
}
