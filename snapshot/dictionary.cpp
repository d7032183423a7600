#include "snapshot/dictionary.h"

#include <algorithm>
#include <random>
#include <stdexcept>
#include <type_traits>

#include "snapshot/keys.h"
#include "snapshot/module_name.h"
#include "src/base/hash.h"

namespace memtrace::snapshot {

namespace {

template <class T>
std::uint64_t hash_of(const T& value, std::uint64_t seed) noexcept {
  static_assert(std::has_unique_object_representations_v<T>);
  return hash64(&value, sizeof value, seed);
}

std::uint64_t new_origin() {
  std::random_device random;
  return std::uint64_t{random()} << 32 | random();
}

}  // namespace

Dictionary::Dictionary() : origin_(new_origin()), hash_seed_(reinterpret_cast<std::uintptr_t>(this)) {
  intern_string_locked({});
  const FrameId unknown = intern_frame_locked(Frame{.filename = intern_string_locked(kUnknownName)});
  stacks_.append({{kEmptyStack, unknown}, 0});
  intern_traceback_locked(intern_stack_locked(kEmptyStack, unknown), 1);
}

Dictionary::~Dictionary() = default;

StringId Dictionary::intern_string_locked(std::string_view text) {
  return string_index_.find_or_insert(
      hash64(text.data(), text.size(), hash_seed_), [&](StringId id) { return strings_[id] == text; },
      [&] { return strings_.append(bytes_.append(text)); });
}

FrameId Dictionary::intern_frame_locked(const Frame& frame) {
  return frame_index_.find_or_insert(
      hash_of(frame, hash_seed_), [&](FrameId id) { return frames_[id] == frame; },
      [&] { return frames_.append(frame); });
}

StackId Dictionary::intern_stack_locked(StackId parent, FrameId frame) {
  const Stack stack{parent, frame};
  return stack_index_.find_or_insert(
      hash_of(stack, hash_seed_), [&](StackId id) { return stacks_[id].stack == stack; },
      [&] {
        const std::uint32_t depth = stacks_[parent].depth + 1;
        if (depth > kMaxDepth) throw std::length_error("a traceback has more than 65535 frames");
        return stacks_.append({stack, depth});
      });
}

TracebackId Dictionary::intern_traceback_locked(StackId stack, std::int32_t total_nframe) {
  if (stack == kEmptyStack) throw std::invalid_argument("a traceback has at least one frame");
  const Traceback traceback{stack, total_nframe};
  return traceback_index_.find_or_insert(
      hash_of(traceback, hash_seed_), [&](TracebackId id) { return tracebacks_[id] == traceback; },
      [&] { return tracebacks_.append(traceback); });
}

StringId Dictionary::intern_string(std::string_view text) { return Writer(*this).string(text); }

FrameId Dictionary::intern_frame(const Frame& frame) { return Writer(*this).frame(frame); }

StackId Dictionary::intern_stack(StackId parent, FrameId frame) { return Writer(*this).stack(parent, frame); }

TracebackId Dictionary::intern_traceback(std::span<const FrameId> frames, std::int32_t total_nframe) {
  Writer writer(*this);
  StackId stack = kEmptyStack;
  for (const FrameId frame : frames) stack = writer.stack(stack, frame);
  return writer.traceback(stack, total_nframe);
}

std::vector<FrameId> Dictionary::frames_of(StackId id) const {
  std::vector<FrameId> frames(depth(id));
  for (auto frame = frames.rbegin(); frame != frames.rend(); ++frame) {
    *frame = stack(id).frame;
    id = stack(id).parent;
  }
  return frames;
}

void Dictionary::set_module(StringId filename, std::string_view module) { Writer(*this).set_module(filename, module); }

void Dictionary::set_module_locked(StringId filename, std::string_view module) {
  const StringId name = intern_string_locked(module);
  const auto [known, added] = modules_.try_emplace(filename, name);
  if (!added && known->second == name) return;
  known->second = name;
  keys_.reset();
}

std::string Dictionary::module(StringId filename) const {
  const std::lock_guard lock(mutex_);
  const auto found = modules_.find(filename);
  return found != modules_.end() ? std::string(string(found->second)) : module_name(string(filename));
}

std::vector<std::pair<StringId, StringId>> Dictionary::modules() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::pair<StringId, StringId>> all(modules_.begin(), modules_.end());
  std::sort(all.begin(), all.end());
  return all;
}

void Dictionary::set_tag_name(Tag tag, std::uint32_t number, std::string_view name) {
  Writer(*this).set_tag_name(tag, number, name);
}

void Dictionary::set_tag_name_locked(Tag tag, std::uint32_t number, std::string_view name) {
  tag_names_[static_cast<std::size_t>(tag)][number] = intern_string_locked(name);
}

std::string_view Dictionary::tag_name(Tag tag, std::uint32_t number) const {
  const std::lock_guard lock(mutex_);
  const auto& names = tag_names_[static_cast<std::size_t>(tag)];
  const auto found = names.find(number);
  return found != names.end() ? string(found->second) : std::string_view();
}

std::vector<std::pair<std::uint32_t, StringId>> Dictionary::tag_names(Tag tag) const {
  const std::lock_guard lock(mutex_);
  const auto& names = tag_names_[static_cast<std::size_t>(tag)];
  std::vector<std::pair<std::uint32_t, StringId>> all(names.begin(), names.end());
  std::sort(all.begin(), all.end());
  return all;
}

std::shared_ptr<const KeyTables> Dictionary::keys() const {
  const std::lock_guard lock(mutex_);
  if (!keys_ || !keys_->covers(*this)) keys_ = std::make_shared<const KeyTables>(*this, modules_);
  return keys_;
}

std::size_t Dictionary::memory() const noexcept {
  const std::lock_guard lock(mutex_);
  return bytes_.memory() + strings_.memory() + frames_.memory() + stacks_.memory() + tracebacks_.memory() +
         string_index_.memory() + frame_index_.memory() + stack_index_.memory() + traceback_index_.memory() +
         (keys_ ? keys_->memory() : 0);
}

}  // namespace memtrace::snapshot
