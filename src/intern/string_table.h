// Interned strings: file names and function names, as UTF-8 with lone surrogates kept (three bytes each), so that any
// Python str fits.
//
// Limit: ByteArena's. Thread-safety: lock-free.
#pragma once

#include <string_view>

#include "src/base/hash.h"
#include "src/base/types.h"
#include "src/intern/byte_arena.h"
#include "src/intern/id_index.h"
#include "src/mem/chunked_array.h"

namespace memtrace {

class StringTable {
 public:
  // The id of `text`, or kNone when it cannot be kept. The empty string has an id like any other.
  StringId intern(std::string_view text) noexcept {
    const auto hash = static_cast<std::uint32_t>(hash64(text.data(), text.size()));
    const auto equal = [&](StringId id) { return get(id) == text; };
    if (const StringId present = index_.find(hash, equal)) return present;
    const std::uint64_t offset = bytes_.append(text);
    if (offset == ByteArena::kFailed) return kNone;
    const StringId id = entries_.append();
    if (id == kNone) return kNone;
    entries_[id] = {offset, static_cast<std::uint32_t>(text.size())};
    return index_.insert(hash, id, equal);
  }

  // pre: an id that intern() returned.
  std::string_view get(StringId id) const noexcept {
    const Entry& entry = entries_[id];
    return bytes_.view(entry.offset, entry.size);
  }

  std::size_t resident_bytes() const noexcept {
    return bytes_.resident_bytes() + entries_.resident_bytes() + index_.resident_bytes();
  }
  std::size_t used_bytes() const noexcept { return bytes_.used_bytes() + entries_.used_bytes() + index_.used_bytes(); }

 private:
  struct Entry {
    std::uint64_t offset;
    std::uint32_t size;
  };

  ByteArena bytes_;
  AppendArray<Entry, 14, 1024> entries_;
  IdIndex<> index_;
};

}  // namespace memtrace
