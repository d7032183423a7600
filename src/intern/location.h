// Decoding of CPython's location tables (PEP 657; the format of 3.11 and later, Objects/locations.md in the
// interpreter's source).
//
// Over untrusted bytes: any input gives some answer, none reads out of bounds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace memtrace {

// Lines count from 1, columns from 0 in UTF-8 bytes; -1 where the table has none.
struct Location {
  std::int32_t line = -1;
  std::int32_t end_line = -1;
  std::int32_t column = -1;
  std::int32_t end_column = -1;
};

// One code object's table. It can only be read from its beginning on, so that what has been read leaves marks: all code
// units of a module of a hundred thousand lines take time in proportion to it, in whatever order they are asked for.
//
// Thread-safety: none. The bytes must outlive it.
class LocationTable {
 public:
  LocationTable(std::string_view linetable, std::int32_t firstlineno) noexcept
      : linetable_(linetable), firstlineno_(firstlineno) {}

  // The location of code unit `unit`. Throws std::bad_alloc.
  Location at(std::uint32_t unit);

 private:
  // Where an entry begins, and what is known there.
  struct Mark {
    std::uint64_t unit;
    std::size_t position;
    std::int32_t line;
  };

  std::string_view linetable_;
  std::int32_t firstlineno_;
  std::vector<Mark> marks_;
};

}  // namespace memtrace
