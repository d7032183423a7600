// A live block, and the type of the object that it belongs to: what a snapshot with types is made of.
#pragma once

#include <cstdint>

#include "src/base/types.h"

namespace memtrace {

struct TypedBlock {
  // Of no object.
  static constexpr std::uint32_t kNoType = 0;

  std::uint64_t address;
  std::uint64_t size;
  RecordId record;
  std::uint32_t type;  // whose numbers they are is the business of who found them
};

}  // namespace memtrace
