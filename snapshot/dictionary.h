// Dictionary: everything the rows of a snapshot point at, as append-only interned tables.
//
//   string     bytes of a file, function or module name; id 0 is the empty string
//   frame      (file, function, line, columns); frame 0 is "<unknown>", line 0
//   stack      (parent stack, frame): a path from the oldest frame to the most recent one; stack 0 is empty
//   traceback  (stack, total_nframe); traceback 0 is the unknown frame alone
//
// One Dictionary is shared by all snapshots of one origin (one tracing era, one file, one list of literal traces), so
// two of its snapshots compare by integers. Ids are dense, never reused, and a stack's parent has a smaller id than the
// stack.
//
// Strings are WTF-8: UTF-8 in which a lone surrogate is written as its three bytes (Python's 'surrogatepass'). Byte
// order therefore equals Python's order of str. Interning does not validate; the file reader does.
//
// Limits: 2^32-1 entries per table, kMaxDepth frames per stack, strings below 4 GiB. Beyond: std::length_error.
// Thread-safety: any number of readers beside one writer. Writers exclude each other through Dictionary::Writer. A
// reader may use every id that it got from a writer's thread through any synchronisation (a Snapshot provides it).
// Views and references into the Dictionary stay valid as long as it lives.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "snapshot/intern_table.h"
#include "src/base/types.h"

namespace memtrace::snapshot {

using StringId = std::uint32_t;
using FrameId = std::uint32_t;
using StackId = std::uint32_t;
using TracebackId = std::uint32_t;

inline constexpr StringId kEmptyString = 0;
inline constexpr FrameId kUnknownFrame = 0;
inline constexpr StackId kEmptyStack = 0;
inline constexpr TracebackId kUnknownTraceback = 0;
inline constexpr std::uint32_t kMaxDepth = 65535;  // tracemalloc's own limit of start(nframe)
inline constexpr std::int32_t kUnknownTotal = -1;  // total_nframe is None
inline constexpr std::string_view kUnknownName = "<unknown>";

struct Frame {
  StringId filename = kEmptyString;
  StringId function = kEmptyString;  // qualified name; empty when unknown
  std::int32_t lineno = 0;
  std::int32_t end_lineno = 0;  // 0 when unknown
  std::int32_t column = -1;  // byte offsets, as code.co_positions() counts; -1 when unknown
  std::int32_t end_column = -1;
  friend bool operator==(const Frame&, const Frame&) = default;
};

struct Stack {
  StackId parent = kEmptyStack;
  FrameId frame = kUnknownFrame;
  friend bool operator==(const Stack&, const Stack&) = default;
};

struct Traceback {
  StackId stack = kEmptyStack;
  std::int32_t total_nframe = kUnknownTotal;
  friend bool operator==(const Traceback&, const Traceback&) = default;
};

// What a row is known by besides its traceback: numbers that may have names.
enum class Tag : std::uint8_t { domain, generation, thread, label, type };
inline constexpr std::array kTags{Tag::domain, Tag::generation, Tag::thread, Tag::label, Tag::type};

class KeyTables;

class Dictionary {
 public:
  class Writer;

  Dictionary();
  ~Dictionary();
  Dictionary(const Dictionary&) = delete;
  Dictionary& operator=(const Dictionary&) = delete;

  // A number that no Dictionary has of another origin, in whatever process.
  std::uint64_t origin() const noexcept { return origin_; }
  // That of the Dictionary of which this is a part, after a way through a file. Before anybody else sees it.
  void set_origin(std::uint64_t origin) noexcept { origin_ = origin; }

  // Readers. The id must have been handed out by this Dictionary.
  std::string_view string(StringId id) const noexcept { return strings_[id]; }
  const Frame& frame(FrameId id) const noexcept { return frames_[id]; }
  Stack stack(StackId id) const noexcept { return stacks_[id].stack; }
  std::uint32_t depth(StackId id) const noexcept { return stacks_[id].depth; }
  Traceback traceback(TracebackId id) const noexcept { return tracebacks_[id]; }

  // Frames of a stack, oldest first. O(depth).
  std::vector<FrameId> frames_of(StackId id) const;

  std::uint32_t string_count() const noexcept { return strings_.size(); }
  std::uint32_t frame_count() const noexcept { return frames_.size(); }
  std::uint32_t stack_count() const noexcept { return stacks_.size(); }
  std::uint32_t traceback_count() const noexcept { return tracebacks_.size(); }

  // Writers, one lock each: for a few entries. Bulk work holds a Writer.
  StringId intern_string(std::string_view text);
  FrameId intern_frame(const Frame& frame);
  StackId intern_stack(StackId parent, FrameId frame);
  // `frames` oldest first, at least one (else std::invalid_argument).
  TracebackId intern_traceback(std::span<const FrameId> frames, std::int32_t total_nframe);

  // Names the module of a file, in place of the name derived from its path (see module_name.h). Takes effect for
  // statistics computed afterwards, and is written into files.
  void set_module(StringId filename, std::string_view module);
  std::string module(StringId filename) const;
  // (filename, module) pairs that were set, in order of filename id.
  std::vector<std::pair<StringId, StringId>> modules() const;

  // Names a domain, a generation, …, for statistics computed afterwards and for files.
  void set_tag_name(Tag tag, std::uint32_t number, std::string_view name);
  // Empty when it was not set.
  std::string_view tag_name(Tag tag, std::uint32_t number) const;
  // (number, name) pairs that were set, in order of number.
  std::vector<std::pair<std::uint32_t, StringId>> tag_names(Tag tag) const;

  // Group keys of at least everything interned so far; made once per growth and shared. See keys.h.
  std::shared_ptr<const KeyTables> keys() const;

  // Bytes of memory held by the tables.
  std::size_t memory() const noexcept;

 private:
  struct StackEntry {
    Stack stack;
    std::uint32_t depth;
  };

  StringId intern_string_locked(std::string_view text);
  FrameId intern_frame_locked(const Frame& frame);
  StackId intern_stack_locked(StackId parent, FrameId frame);
  TracebackId intern_traceback_locked(StackId stack, std::int32_t total_nframe);
  void set_module_locked(StringId filename, std::string_view module);
  void set_tag_name_locked(Tag tag, std::uint32_t number, std::string_view name);

  std::uint64_t origin_;
  const std::uint64_t hash_seed_;  // so that no file can be made whose entries all collide
  mutable std::mutex mutex_;  // serialises writers; guards the indexes and what follows them

  ByteArena bytes_;
  StableArray<std::string_view> strings_;
  StableArray<Frame> frames_;
  StableArray<StackEntry> stacks_;
  StableArray<Traceback> tracebacks_;

  InternIndex string_index_, frame_index_, stack_index_, traceback_index_;
  std::unordered_map<StringId, StringId> modules_;
  std::array<std::unordered_map<std::uint32_t, StringId>, kTags.size()> tag_names_;
  mutable std::shared_ptr<const KeyTables> keys_;
};

// Exclusive right to intern, for bulk work. Holds the Dictionary's lock from construction to destruction: do not call
// the Dictionary's own intern_* or keys() meanwhile on the same thread; reading by id is allowed.
class Dictionary::Writer {
 public:
  explicit Writer(Dictionary& dictionary) : dictionary_(dictionary), lock_(dictionary.mutex_) {}

  StringId string(std::string_view text) { return dictionary_.intern_string_locked(text); }
  FrameId frame(const Frame& frame) { return dictionary_.intern_frame_locked(frame); }
  // The stack that `frame` makes on top of `parent` (kEmptyStack for the oldest frame).
  StackId stack(StackId parent, FrameId frame) { return dictionary_.intern_stack_locked(parent, frame); }
  // `stack` must not be empty (else std::invalid_argument).
  TracebackId traceback(StackId stack, std::int32_t total_nframe) {
    return dictionary_.intern_traceback_locked(stack, total_nframe);
  }
  void set_module(StringId filename, std::string_view module) { dictionary_.set_module_locked(filename, module); }
  void set_tag_name(Tag tag, std::uint32_t number, std::string_view name) {
    dictionary_.set_tag_name_locked(tag, number, name);
  }

 private:
  Dictionary& dictionary_;
  std::unique_lock<std::mutex> lock_;
};

}  // namespace memtrace::snapshot
