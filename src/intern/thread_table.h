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
#include <tuple>

#include "src/base/types.h"
#include "src/mem/chunked_array.h"

namespace memtrace {

class ThreadTable {
 public:
  static constexpr std::uint32_t kMost = 511;

  // UTF-8, filled up with zeros.
  using Name = std::array<char, 48>;
  // Who says so: nobody, the system, which may say the same of all threads, or the thread itself.
  enum class Source : std::uint32_t { kNone, kSystem, kThread };

  // kNone when there is no room, or no memory.
  ThreadId add(std::uint64_t native_id) noexcept {
    const ThreadId id = entries_.append();
    if (id != kNone) set_native_id(id, native_id);
    return id;
  }
  // The last that was added with this native id; kNone when there is none.
  ThreadId find(std::uint64_t native_id) const noexcept {
    ThreadId id = entries_.end() - 1;
    while (id != kNone && this->native_id(id) != native_id) --id;
    return id;
  }
  // Also after a fork(): the same thread, as far as one can tell, and another to the system.
  void set_native_id(ThreadId id, std::uint64_t native_id) noexcept {
    entries_[id].native_id.store(native_id, std::memory_order_release);
  }
  // Does nothing where a better source has spoken.
  void set_name(ThreadId id, const Name& name, Source source) noexcept {
    Entry& entry = entries_[id];
    if (entry.source.load(std::memory_order_relaxed) > source) return;
    const auto words = std::bit_cast<Words>(name);
    for (std::size_t i = 0; i < words.size(); ++i) entry.name[i].store(words[i], std::memory_order_relaxed);
    entry.source.store(source, std::memory_order_release);
  }

  // One past the last id.
  ThreadId end() const noexcept { return entries_.end(); }
  // 0: the entry is about to be made.
  std::uint64_t native_id(ThreadId id) const noexcept { return entries_[id].native_id.load(std::memory_order_acquire); }
  Source source(ThreadId id) const noexcept { return entries_[id].source.load(std::memory_order_acquire); }
  Name name(ThreadId id) const noexcept {
    Words words;
    for (std::size_t i = 0; i < words.size(); ++i) words[i] = entries_[id].name[i].load(std::memory_order_relaxed);
    return std::bit_cast<Name>(words);
  }

  std::size_t resident_bytes() const noexcept { return entries_.resident_bytes(); }

 private:
  using Words = std::array<std::uint64_t, sizeof(Name) / sizeof(std::uint64_t)>;

  struct Entry {
    std::atomic<std::uint64_t> native_id;
    std::atomic<Source> source;
    std::atomic<std::uint64_t> name[std::tuple_size_v<Words>];
  };

  AppendArray<Entry, 7, (kMost + 1) / 128> entries_;
};

}  // namespace memtrace
