#include "snapshot/keys.h"

#include <algorithm>
#include <numeric>
#include <string_view>
#include <utility>

#include "snapshot/module_name.h"
#include "snapshot/radix_sort.h"

namespace memtrace::snapshot {

namespace {

constexpr std::uint32_t kNoGroup = kMaxEntries;

// Replaces the names by the sorted distinct ones; returns the number of each name given.
std::vector<std::uint32_t> number_names(std::vector<std::string>& names) {
  std::vector<std::uint32_t> order(names.size());
  std::iota(order.begin(), order.end(), 0u);
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) { return names[a] < names[b]; });
  std::vector<std::uint32_t> number(names.size());
  std::vector<std::string> distinct;
  for (const std::uint32_t i : order) {
    if (distinct.empty() || distinct.back() != names[i]) distinct.push_back(std::move(names[i]));
    number[i] = static_cast<std::uint32_t>(distinct.size() - 1);
  }
  names = std::move(distinct);
  return number;
}

std::size_t memory_of(const FrameGroups& groups) {
  std::size_t total = groups.of_frame.capacity() * sizeof(std::uint32_t);
  for (const std::string& name : groups.names) total += sizeof name + name.capacity();
  return total;
}

std::size_t memory_of(const PathGroups& groups) { return groups.of_stack.capacity() * sizeof(std::uint32_t); }

}  // namespace

KeyTables::KeyTables(const Dictionary& dictionary, std::unordered_map<StringId, StringId> modules)
    : dictionary_(dictionary),
      module_overrides_(std::move(modules)),
      string_count_(dictionary.string_count()),
      frame_count_(dictionary.frame_count()),
      stack_count_(dictionary.stack_count()) {}

bool KeyTables::covers(const Dictionary& dictionary) const noexcept {
  return frame_count_ == dictionary.frame_count() && stack_count_ == dictionary.stack_count();
}

template <class T, class Make>
const T& KeyTables::get(Lazy<T>& lazy, Make&& make) {
  if (const T* ready = lazy.ready.load(std::memory_order_acquire)) return *ready;
  const std::lock_guard lock(lazy.mutex);
  if (!lazy.value) {
    lazy.value = std::make_unique<const T>(make());
    lazy.ready.store(lazy.value.get(), std::memory_order_release);
  }
  return *lazy.value;
}

const FrameGroups& KeyTables::filenames() const {
  return get(filenames_, [this] { return make_filenames(); });
}
const FrameGroups& KeyTables::lines() const {
  return get(lines_, [this] { return make_lines(); });
}
const FrameGroups& KeyTables::functions() const {
  return get(functions_, [this] { return make_functions(); });
}
const FrameGroups& KeyTables::modules() const {
  return get(modules_, [this] { return make_modules(); });
}
const PathGroups& KeyTables::paths() const {
  return get(paths_, [this] { return make_paths(); });
}

std::size_t KeyTables::memory() const noexcept {
  std::size_t total = sizeof *this;
  for (const Lazy<FrameGroups>* lazy : {&filenames_, &lines_, &functions_, &modules_}) {
    if (const FrameGroups* groups = lazy->ready.load(std::memory_order_acquire)) total += memory_of(*groups);
  }
  if (const PathGroups* groups = paths_.ready.load(std::memory_order_acquire)) total += memory_of(*groups);
  return total;
}

std::string KeyTables::module_of(StringId filename) const {
  const auto found = module_overrides_.find(filename);
  if (found != module_overrides_.end()) return std::string(dictionary_.string(found->second));
  return module_name(dictionary_.string(filename));
}

FrameGroups KeyTables::make_filenames() const {
  std::vector<std::uint32_t> number(string_count_, kNoGroup);
  std::vector<StringId> used;
  for (FrameId id = 0; id < frame_count_; ++id) {
    const StringId filename = dictionary_.frame(id).filename;
    if (number[filename] != kNoGroup) continue;
    number[filename] = 0;
    used.push_back(filename);
  }
  std::sort(used.begin(), used.end(),
            [this](StringId a, StringId b) { return dictionary_.string(a) < dictionary_.string(b); });
  for (std::uint32_t i = 0; i < used.size(); ++i) number[used[i]] = i;

  FrameGroups groups;
  groups.count = static_cast<std::uint32_t>(used.size());
  groups.of_frame.resize(frame_count_);
  for (FrameId id = 0; id < frame_count_; ++id) groups.of_frame[id] = number[dictionary_.frame(id).filename];
  return groups;
}

FrameGroups KeyTables::make_lines() const {
  const FrameGroups& files = filenames();
  std::vector<Keyed> items(frame_count_);
  for (FrameId id = 0; id < frame_count_; ++id) {
    // The sign bit is turned so that lines below zero come first.
    const std::uint32_t line = static_cast<std::uint32_t>(dictionary_.frame(id).lineno) ^ 0x80000000u;
    items[id] = {std::uint64_t{files.of_frame[id]} << 32 | line, id};
  }
  radix_sort(items);

  FrameGroups groups;
  groups.of_frame.resize(frame_count_);
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i > 0 && items[i].key != items[i - 1].key) ++groups.count;
    groups.of_frame[items[i].value] = groups.count;
  }
  ++groups.count;  // frame 0 always exists
  return groups;
}

FrameGroups KeyTables::make_functions() const {
  FrameGroups groups;
  groups.of_frame.resize(frame_count_);
  std::unordered_map<std::uint64_t, std::uint32_t> pair_number;
  for (FrameId id = 0; id < frame_count_; ++id) {
    const Frame& frame = dictionary_.frame(id);
    const std::uint64_t pair = std::uint64_t{frame.filename} << 32 | frame.function;
    const auto [found, added] = pair_number.try_emplace(pair, static_cast<std::uint32_t>(groups.names.size()));
    groups.of_frame[id] = found->second;
    if (!added) continue;
    const std::string module = module_of(frame.filename);
    if (frame.function == kEmptyString && module == kUnknownName) {
      groups.names.emplace_back(kUnknownName);
      continue;
    }
    const std::string_view function =
        frame.function == kEmptyString ? kUnknownName : dictionary_.string(frame.function);
    groups.names.push_back(module + "." + std::string(function));
  }
  const std::vector<std::uint32_t> number = number_names(groups.names);
  for (std::uint32_t& group : groups.of_frame) group = number[group];
  groups.count = static_cast<std::uint32_t>(groups.names.size());
  return groups;
}

FrameGroups KeyTables::make_modules() const {
  const FrameGroups& files = filenames();
  FrameGroups groups;
  groups.names.resize(files.count);
  std::vector<bool> named(files.count, false);
  for (FrameId id = 0; id < frame_count_; ++id) {
    const std::uint32_t file = files.of_frame[id];
    if (named[file]) continue;
    named[file] = true;
    groups.names[file] = module_of(dictionary_.frame(id).filename);
  }
  const std::vector<std::uint32_t> number = number_names(groups.names);
  groups.of_frame.resize(frame_count_);
  for (FrameId id = 0; id < frame_count_; ++id) groups.of_frame[id] = number[files.of_frame[id]];
  groups.count = static_cast<std::uint32_t>(groups.names.size());
  return groups;
}

// Level by level from the oldest frames: the stacks of one depth, sorted by (path of the parent, line), fall into runs
// that are the paths of that depth. Numbered in this order (breadth first) siblings are neighbours and in order, and
// two linear passes over the tree turn the numbers into preorder.
PathGroups KeyTables::make_paths() const {
  const FrameGroups& line_groups = lines();
  std::vector<StackId> by_depth(stack_count_ - 1);
  std::iota(by_depth.begin(), by_depth.end(), StackId{1});
  std::uint32_t deepest = 0;
  for (const StackId id : by_depth) deepest = std::max(deepest, dictionary_.depth(id));
  by_depth = counting_sort(by_depth, std::size_t{deepest} + 1, [&](StackId id) { return dictionary_.depth(id); });

  std::vector<std::uint32_t> path_of(stack_count_, 0);
  std::vector<std::uint32_t> parent_path{0};
  std::uint32_t parents_begin = 0;  // first path of the level above
  std::vector<Keyed> level;
  for (std::size_t begin = 0; begin < by_depth.size(); begin += level.size()) {
    const std::uint32_t depth = dictionary_.depth(by_depth[begin]);
    level.clear();
    for (std::size_t i = begin; i < by_depth.size() && dictionary_.depth(by_depth[i]) == depth; ++i) {
      const Stack stack = dictionary_.stack(by_depth[i]);
      const std::uint64_t parent = path_of[stack.parent] - parents_begin;
      level.push_back({parent << 32 | line_groups.of_frame[stack.frame], by_depth[i]});
    }
    radix_sort(level);
    const auto paths_begin = static_cast<std::uint32_t>(parent_path.size());
    for (std::size_t i = 0; i < level.size(); ++i) {
      if (i == 0 || level[i].key != level[i - 1].key) {
        parent_path.push_back(static_cast<std::uint32_t>(level[i].key >> 32) + parents_begin);
      }
      path_of[level[i].value] = static_cast<std::uint32_t>(parent_path.size() - 1);
    }
    parents_begin = paths_begin;
  }

  const std::size_t count = parent_path.size();
  std::vector<std::uint32_t> subtree(count, 1);
  for (std::size_t path = count - 1; path > 0; --path) subtree[parent_path[path]] += subtree[path];
  std::vector<std::uint32_t> preorder(count, 0), next_child(count, 1);
  for (std::size_t path = 1; path < count; ++path) {
    std::uint32_t& next = next_child[parent_path[path]];
    preorder[path] = next;
    next += subtree[path];
    next_child[path] = preorder[path] + 1;
  }

  PathGroups groups;
  groups.count = static_cast<std::uint32_t>(count);
  groups.of_stack = std::move(path_of);
  for (std::uint32_t& path : groups.of_stack) path = preorder[path];
  return groups;
}

}  // namespace memtrace::snapshot
