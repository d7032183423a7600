// Decoding of CPython's location tables (PEP 657; the format of 3.11 and later, Objects/locations.md in the
// interpreter's source).
//
// Pure functions over untrusted bytes: any input gives some answer, none reads out of bounds.
#pragma once

#include <cstdint>
#include <string_view>

namespace memtrace {

// Lines count from 1, columns from 0 in UTF-8 bytes; -1 where the table has none.
struct Location {
  std::int32_t line = -1;
  std::int32_t end_line = -1;
  std::int32_t column = -1;
  std::int32_t end_column = -1;
};

// The location of code unit `unit`.
Location locate(std::string_view linetable, std::int32_t firstlineno, std::uint32_t unit) noexcept;

}  // namespace memtrace
