// The calling thread's stack as it was at its last event, and what changed since.
//
// A capture compares the live frames with the shadow from the top down, as far as `nframe` reaches. The shadow *predicts* each frame's address, so
// the loads do not wait for one another: the chain of `previous` pointers is only checked, after the fact, and nothing is read at an address before it
// is known to be a live frame. Only frames that changed are interned.
//
// A stack is interned as a chain of nodes that starts a bounded number of frames below the top, at an anchor (see anchor_of), so that a deep
// stack costs no more than a shallow one and a recursion adds one node a level. What lies beyond `nframe` in a chain is cut when it is read.
//
// Budget: about 10 ns for 20 unchanged frames; one look-up in the node tree for each frame that changed.
// Limits: frames outside the window are known by address alone: should others have come to lie at the very same addresses below an unchanged window,
// the trace's total depth can be that of the older ones. Its frames cannot.
// Thread-safety: belongs to one thread.
#pragma once

#include <cstdint>

#include "hooks/compat/frame.h"
#include "src/base/hot.h"
#include "src/mem/heap.h"
#include "src/tracer/era.h"

namespace memtrace {

class ShadowStack {
 public:
  // Forgets everything: another era, or a code object died whose address a frame may be in again.
  void reset(const Era& era) noexcept;
  // The number of the era of the last reset(); 0 before.
  std::uint64_t era() const noexcept { return era_; }

  // The record of an allocation under `top` in `context`; kNone when memory cannot be had. `top` is null outside of Python.
  MT_HOT RecordId capture(Era& era, const compat::Frame* top, ContextId context, bool thread_half) noexcept {
    if (top == nullptr) [[unlikely]]
      return record_at(era, kRoot, kUnknownSite, context, thread_half);
    if (!verified(top)) [[unlikely]]
      return capture_changed(era, top, context, thread_half);
    Entry& entry = entries_[size_ - 1];
    const compat::Instruction now = compat::instruction(top);
    if (entry.instruction == now && leaf_context_ == context) return leaf_record_;
    if (!leaf_on_top_) return capture_changed(era, top, context, thread_half);
    // The same frames, at another instruction of the innermost.
    Real& leaf = reals_[leaf_index_];
    const auto unit = static_cast<std::uint64_t>(now - leaf.code_start);
    if (unit >= leaf.units || unit < leaf.first_traceable) [[unlikely]]
      return capture_changed(era, top, context, thread_half);
    entry.instruction = now;
    leaf.site = leaf.base_site + static_cast<SiteId>(unit);
    leaf.node = kNone;
    leaf.crossing = kNone;
    leaf_context_ = context;
    leaf_record_ = record_at(era, leaf_parent_, leaf.site, context, thread_half);
    return leaf_record_;
  }

 private:
  // One live frame, internal ones included: they are links of the chain.
  struct Entry {
    const compat::Frame* frame;
    compat::Instruction instruction;
  };
  // One frame of the program.
  struct Real {
    compat::Instruction code_start;
    SiteId base_site;
    std::uint32_t units;
    std::uint32_t first_traceable;
    SiteId site;
    NodeId node;  // the chain that ends here, from anchor_of(index); kNone: not interned yet
    NodeId crossing;  // the same from the next anchor, for frames further in
  };

  // A code object that was met lately.
  struct RecentCode {
    compat::Instruction start;
    SiteId base_site;
    std::uint32_t units;
    std::uint32_t first_traceable;
    std::uint32_t generation;
  };

  // A record that was asked for lately. Loops ask for the same few again and again, and this answers without a walk over siblings.
  struct Recent {
    NodeId parent;
    SiteId site;
    ContextId context;
    RecordId record;
  };

  static constexpr std::size_t kPlaces = 512;
  static constexpr unsigned kRecentBits = 9;
  static constexpr std::size_t kRecentCodes = 128;

  MT_HOT RecordId record_at(Era& era, NodeId parent, SiteId site, ContextId context, bool thread_half) noexcept {
    Recent& recent = recent_[(parent * 0x9e3779b1u ^ site * 0x85ebca6bu) >> (32 - kRecentBits)];
    if (recent.site == site && recent.parent == parent && recent.context == context) [[likely]]
      return recent.record;
    const RecordId record = era.record(parent, site, context, thread_half);
    if (record != kNone) recent = {parent, site, context, record};
    return record;
  }

  // Whether the frames that a trace shows are those of the shadow, the innermost one's instruction apart. Two at least
  // are compared: a generator that is resumed from elsewhere has the same address and another caller.
  MT_HOT bool verified(const compat::Frame* top) const noexcept {
    return size_ != 0 && entries_[size_ - 1].frame == top && is_unchanged(size_ - 1, window_low_);
  }

  // Whether the entries [low, index) are the live frames below that of entry `index`, each at the same instruction.
  // pre: the frame of entry `index` is live.
  MT_HOT bool is_unchanged(std::uint32_t index, std::uint32_t low) const noexcept {
    const Entry* entry = &entries_[index];
    const Entry* const lowest = &entries_[low];
    const compat::Frame* live = entry->frame;
    // One branch a frame: only the links decide whether the next frame may be read.
    std::uintptr_t moved = 0;
#pragma GCC unroll 4
    while (entry != lowest) {
      --entry;
      const compat::Frame* predicted = entry->frame;
      if (compat::caller(live) != predicted) [[unlikely]]
        return false;
      // Keeps the compiler from loading through the pointer that was just read instead of the predicted one.
      asm("" : "+r"(predicted));
      moved |= reinterpret_cast<std::uintptr_t>(compat::instruction(predicted)) ^
               reinterpret_cast<std::uintptr_t>(entry->instruction);
      live = predicted;
    }
    return moved == 0 && (low != 0 || compat::caller(live) == nullptr);
  }

  // The number of outermost frames left out of the chain of the frame with this index. A chain is between nframe and 2 * nframe - 1 frames long
  // once the stack is that deep, and successive frames share theirs.
  std::uint32_t anchor_of(std::uint32_t index) const noexcept {
    if (index + 1 < 2 * nframe_) [[likely]]
      return 0;
    return ((index + 1) / nframe_ - 1) * nframe_;
  }

  static std::size_t place_of(const compat::Frame* frame) noexcept {
    const auto bits = reinterpret_cast<std::uintptr_t>(frame);
    return (bits >> 4 ^ bits >> 13) & (kPlaces - 1);
  }

  RecordId capture_changed(Era& era, const compat::Frame* top, ContextId context, bool thread_half) noexcept;
  bool find_base(const compat::Frame* top, std::uint32_t& fresh) noexcept;
  static constexpr std::uint32_t kUnchanged = ~0u;
  std::uint32_t unchanged_below(std::uint32_t index) const noexcept;
  std::uint32_t window_below(std::uint32_t index) const noexcept;
  bool push(Era& era, const compat::Frame* frame) noexcept;
  const RecentCode* find_recent(Era& era, const PyCodeObject* code) noexcept;
  NodeId parent_of(Era& era, std::uint32_t index) noexcept;
  NodeId anchor_node(Era& era, std::uint32_t hidden) noexcept;

  std::uint32_t size_ = 0;
  std::uint32_t window_low_ = 0;  // index of the outermost entry that verified() compares
  std::uint32_t nframe_ = 1;
  std::uint32_t window_ = 2;
  // The last answer.
  RecordId leaf_record_ = kNone;
  ContextId leaf_context_ = kNone;
  NodeId leaf_parent_ = kNone;
  std::uint32_t leaf_index_ = 0;  // in reals_
  bool leaf_on_top_ = false;
  std::uint32_t generation_ = 0;
  std::uint32_t anchors_known_ = 0;
  heap::Buffer<Entry> entries_;
  heap::Buffer<std::uint32_t> depths_;  // for each entry: real frames up to and including it
  heap::Buffer<Real> reals_;
  heap::Buffer<const compat::Frame*> fresh_;
  heap::Buffer<NodeId> anchors_;
  std::uint64_t era_ = 0;  // of recent_
  // Where in entries_ a frame was last put: a hint.
  std::uint32_t places_[kPlaces] = {};
  Recent recent_[std::size_t{1} << kRecentBits] = {};
  RecentCode recent_codes_[kRecentCodes] = {};
};

}  // namespace memtrace
