// Who allocated: the threads that an era has seen.
//
// A thread gets an entry at its first allocation in an era. Its ThreadIndex is the next thread's when it ends; this is
// not. After kMost entries a thread gets none: each has records of its own, and a program may start threads without end.
//
// Thread-safety: lock-free. An entry's name and native id are its thread's to set; both may be read at any time.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstdint>

#include "src/base/types.h"
#include "src/mem/chunked_array.h"
#include "src/mem/os.h"

namespace memtrace {

class ThreadTable {
 public:
  static constexpr std::uint32_t kMost = 1023;

  // kNone when there is no room, or no memory.
  ThreadId add(std::uint64_t native_id, const os::ThreadName& name) noexcept {
    const ThreadId id = entries_.append();
    if (id == kNone) return kNone;
    set_name(id, name);
    entries_[id].native_id.store(native_id, std::memory_order_release);
    return id;
  }
  // The last that was added with this native id; kNone when there is none.
  ThreadId find(std::uint64_t native_id) const noexcept {
    ThreadId id = entries_.end() - 1;
    while (id != kNone && this->native_id(id) != native_id) --id;
    return id;
  }
  // After a fork(): the same thread, as far as one can tell, and another to the system.
  void set_native_id(ThreadId id, std::uint64_t native_id) noexcept {
    entries_[id].native_id.store(native_id, std::memory_order_release);
  }
  void set_name(ThreadId id, const os::ThreadName& name) noexcept {
    const auto words = std::bit_cast<std::array<std::uint64_t, 2>>(name);
    for (std::size_t i = 0; i < words.size(); ++i) entries_[id].name[i].store(words[i], std::memory_order_relaxed);
  }

  // One past the last id.
  ThreadId end() const noexcept { return entries_.end(); }
  // 0: the entry is about to be made.
  std::uint64_t native_id(ThreadId id) const noexcept { return entries_[id].native_id.load(std::memory_order_acquire); }
  os::ThreadName name(ThreadId id) const noexcept {
    std::array<std::uint64_t, 2> words;
    for (std::size_t i = 0; i < words.size(); ++i) words[i] = entries_[id].name[i].load(std::memory_order_relaxed);
    return std::bit_cast<os::ThreadName>(words);
  }

  std::size_t resident_bytes() const noexcept { return entries_.resident_bytes(); }

 private:
  struct Entry {
    std::atomic<std::uint64_t> native_id;
    std::atomic<std::uint64_t> name[2];
  };

  AppendArray<Entry, 7, (kMost + 1) / 128> entries_;
};

}  // namespace memtrace
