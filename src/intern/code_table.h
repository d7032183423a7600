// Code objects, interned by content: file name, qualified name, first line and location table, all copied.
//
// Identical code that is generated, run and collected again and again is one entry. Each entry owns a run of site ids,
// one per code unit, so that a site is an addition away from an instruction pointer and needs no table of its own.
// Limits: 2^24 codes, 2^31 sites. A location table longer than ByteArena::kChunkSize is left out: its code shows its
// first line everywhere.
// Thread-safety: lock-free.
#pragma once

#include <atomic>
#include <string_view>

#include "src/base/hash.h"
#include "src/base/types.h"
#include "src/intern/string_table.h"

namespace memtrace {

// What the interpreter's side knows of a code object. Views are only read during intern().
struct CodeView {
  std::string_view filename;
  std::string_view qualname;
  std::string_view linetable;  // PEP 626/657 location table, 3.11's format
  std::int32_t firstlineno;
  std::uint32_t units;  // code units (2 bytes each)
  std::uint32_t first_traceable;  // units before the first that counts as executing
};

struct Code {
  StringId filename;
  StringId qualname;
  std::int32_t firstlineno;
  std::uint32_t units;
  SiteId base_site;
  std::uint32_t first_traceable;
  std::uint64_t linetable_offset;
  std::uint32_t linetable_size;
  std::uint32_t hash;
};

class CodeTable {
 public:
  explicit CodeTable(StringTable& strings) noexcept : strings_(strings) {}

  CodeId intern(const CodeView& view) noexcept {
    const StringId filename = strings_.intern(view.filename);
    const StringId qualname = strings_.intern(view.qualname);
    if (filename == kNone || qualname == kNone) return kNone;
    const std::uint32_t numbers[] = {filename, qualname, static_cast<std::uint32_t>(view.firstlineno), view.units,
                                     view.first_traceable};
    const auto hash = static_cast<std::uint32_t>(
        hash64(view.linetable.data(), view.linetable.size(), hash64(numbers, sizeof numbers)));
    const auto equal = [&](CodeId id) {
      const Code& code = codes_[id];
      return code.filename == filename && code.qualname == qualname && code.firstlineno == view.firstlineno &&
             code.units == view.units && code.first_traceable == view.first_traceable &&
             linetable(code) == kept(view.linetable);
    };
    if (const CodeId present = index_.find(hash, equal)) return present;

    SiteId base = next_site_.load(std::memory_order_relaxed);
    do {
      if (view.units >= kMaxCodeSites - base) return kNone;
    } while (!next_site_.compare_exchange_weak(base, base + view.units, std::memory_order_relaxed));
    const std::string_view table = kept(view.linetable);
    const std::uint64_t offset = linetables_.append(table);
    if (offset == ByteArena::kFailed) return kNone;
    const CodeId id = codes_.append();
    if (id == kNone) return kNone;
    Code& code = codes_[id];
    code.filename = filename;
    code.qualname = qualname;
    code.firstlineno = view.firstlineno;
    code.units = view.units;
    code.first_traceable = view.first_traceable;
    code.linetable_offset = offset;
    code.linetable_size = static_cast<std::uint32_t>(table.size());
    code.hash = hash;
    std::atomic_ref(code.base_site).store(base, std::memory_order_release);
    return index_.insert(hash, id, equal);
  }

  const Code& operator[](CodeId id) const noexcept { return codes_[id]; }
  // That of the entry, whoever is at it: kNone as long as it is not complete (another thread is at it, or gave up).
  SiteId base_site(CodeId id) const noexcept {
    return std::atomic_ref(const_cast<SiteId&>(codes_[id].base_site)).load(std::memory_order_acquire);
  }
  std::string_view linetable(const Code& code) const noexcept {
    return linetables_.view(code.linetable_offset, code.linetable_size);
  }
  // One past the highest id.
  CodeId end() const noexcept { return codes_.end(); }

  std::size_t resident_bytes() const noexcept {
    return codes_.resident_bytes() + linetables_.resident_bytes() + index_.resident_bytes();
  }
  std::size_t used_bytes() const noexcept {
    return codes_.used_bytes() + linetables_.used_bytes() + index_.used_bytes();
  }

 private:
  static std::string_view kept(std::string_view linetable) noexcept {
    return linetable.size() <= ByteArena::kChunkSize ? linetable : std::string_view{};
  }

  StringTable& strings_;
  AppendArray<Code, 14, 1024> codes_;
  ByteArena linetables_;
  IdIndex<> index_;
  // Site 0 is "none", site 1 kUnknownSite.
  std::atomic<SiteId> next_site_{2};
};

}  // namespace memtrace
