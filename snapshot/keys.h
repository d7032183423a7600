// KeyTables: for every frame and stack of a Dictionary the number of the group it belongs to, by kind of key.
//
// Numbers are dense and rise in the order in which tracemalloc sorts the groups' tracebacks (by name for function and
// module), so that a group's number is also its sort key, and equal number means equal key. Statistics are then
// scatter-adds over integers.
//
// A KeyTables covers what its Dictionary held when it was made. Each table is computed at its first use.
// Thread-safety: const use from any thread, while the Dictionary lives (names and numbers: as long as the KeyTables).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "snapshot/dictionary.h"

namespace memtrace::snapshot {

// Groups of frames.
struct FrameGroups {
  std::vector<std::uint32_t> of_frame;
  std::uint32_t count = 0;
  std::vector<std::string> names;  // by number; function and module only
};

// Groups of stacks: stacks with the same (file, line) all the way are one path. Path 0 is the empty stack; numbers are
// a preorder of the tree of paths with children in order, which is the lexicographic order of the paths.
struct PathGroups {
  std::vector<std::uint32_t> of_stack;
  std::uint32_t count = 0;
};

class KeyTables {
 public:
  // The caller holds the Dictionary's lock.
  KeyTables(const Dictionary& dictionary, std::unordered_map<StringId, StringId> modules);

  bool covers(const Dictionary& dictionary) const noexcept;
  std::uint32_t frame_count() const noexcept { return frame_count_; }
  std::uint32_t stack_count() const noexcept { return stack_count_; }

  const FrameGroups& filenames() const;
  const FrameGroups& lines() const;
  const FrameGroups& functions() const;
  const FrameGroups& modules() const;
  const PathGroups& paths() const;

  std::size_t memory() const noexcept;

 private:
  template <class T>
  struct Lazy {
    std::mutex mutex;  // held by the thread that makes the value
    std::unique_ptr<const T> value;
    std::atomic<const T*> ready{nullptr};  // released once, after *value is complete
  };

  template <class T, class Make>
  static const T& get(Lazy<T>& lazy, Make&& make);

  FrameGroups make_filenames() const;
  FrameGroups make_lines() const;
  FrameGroups make_functions() const;
  FrameGroups make_modules() const;
  PathGroups make_paths() const;
  std::string module_of(StringId filename) const;

  const Dictionary& dictionary_;
  const std::unordered_map<StringId, StringId> module_overrides_;
  const std::uint32_t string_count_, frame_count_, stack_count_;
  mutable Lazy<FrameGroups> filenames_, lines_, functions_, modules_;
  mutable Lazy<PathGroups> paths_;
};

}  // namespace memtrace::snapshot
