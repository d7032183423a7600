// The calling thread's stack as it was at its last event, and what changed since.
//
// A capture compares the live frames with the shadow from the top down, as far as `nframe` reaches. The shadow
// *predicts* each frame's address, so the loads do not wait for one another: the chain of `previous` pointers is only
// checked, after the fact, and nothing is read at an address before it is known to be a live frame. Only frames that
// changed are interned. Where the interpreter tells which frames were not left since the last event (see
// compat/low_water.h), or frames can be marked (see compat/frame_mark.h), those are not compared either, and a capture
// costs the same at any depth.
//
// A stack is interned as a chain of nodes that starts a bounded number of frames below the top, at an anchor (see
// Real), so that a deep stack costs no more than a shallow one and a recursion adds one node a level. What lies beyond
// `nframe` in a chain is cut when it is read.
//
// With nframe 1 there is no shadow where the interpreter counts the frames (see compat/call_count.h): a trace is a look at
// the innermost frame.
//
// Budget: about 10 ns for 20 unchanged frames, 1 ns where the interpreter tells; one look-up in the node tree for each
// frame that changed.
// Limits: frames outside the window are known by address alone: should others have come to lie at the very same
// addresses below an unchanged window, the trace's total depth can be that of the older ones. Its frames cannot.
// Thread-safety: belongs to one thread.
#pragma once

#include <cstdint>

#include "hooks/compat/call_count.h"
#include "hooks/compat/frame.h"
#include "hooks/compat/frame_mark.h"
#include "hooks/compat/low_water.h"
#include "src/base/check.h"
#include "src/base/hot.h"
#include "src/mem/heap.h"
#include "src/tracer/era.h"
#include "src/tracer/place.h"
#include "src/tracer/recent_records.h"

namespace memtrace {

class ShadowStack {
 public:
  // Forgets everything: another era, or a code object died whose address a frame may be in again.
  void reset(const Era& era) noexcept;
  // The thread is at its end: gives back what the next one can do without.
  void shrink() noexcept { recent_records_.shrink(); }
  // The number of the era of the last reset(); 0 before.
  std::uint64_t era() const noexcept { return era_; }

  // The record of an allocation of `thread`, which is the caller's own state, in `context`; kNone when memory cannot be
  // had. `thread` is null outside of Python.
  MT_HOT RecordId capture(Era& era, PyThreadState* thread, ContextId context, bool thread_half) noexcept {
    const compat::Frame* top = thread == nullptr ? nullptr : compat::top_frame(thread);
    const std::uint64_t place = place_at_once(thread, top);
    if (place == kNowhere) [[unlikely]]
      return capture_changed(era, thread, top, context, thread_half);
    return record_at(era, place, context, thread_half);
  }

  // No place.
  static constexpr std::uint64_t kNowhere = ~std::uint64_t{0};

  // capture() in three steps, of which the first two enter nothing and call nothing. The place, where there is little to
  // compare; else kNowhere.
  MT_HOT std::uint64_t place_at_once(const PyThreadState* thread) noexcept {
    return place_at_once(thread, compat::top_frame(thread));
  }
  // The record there if it was asked for lately, else kNone, as for kNowhere.
  MT_HOT RecordId remembered(std::uint64_t place, ContextId context) const noexcept {
    return recent_records_.find(place, context);
  }
  // As capture(), after these: `place` is what the first has said.
  MT_HOT RecordId capture_from(std::uint64_t place, Era& era, PyThreadState* thread, ContextId context) noexcept {
    if (place != kNowhere) return find_record(era, place, context, false);
    return capture_changed(era, thread, compat::top_frame(thread), context, false);
  }

 private:
  // One live frame, internal ones included: they are links of the chain.
  struct Entry {
    const compat::Frame* frame;
    // Of the last capture_changed(): what reals_ has is for this one. The innermost frame may have moved on since.
    compat::Instruction instruction;
  };

  struct Depth {
    std::uint32_t frames;  // of the program's, up to and including the entry
    bool is_real;  // whether the entry is one of them: a frame of the program's, and complete
  };

  // One frame of the program. What lies at a depth that is not in use is often right for the next frame there: an
  // instruction tells its code.
  struct Real {
    compat::Instruction first;  // as of Position
    std::uint32_t units;  // 0: none is known
    SiteId first_site;
    std::uint32_t entry = 0;  // where push() has put the frame
    bool generator;
    SiteId site;
    // The number of outermost frames left out of this frame's chain, a multiple of nframe. A chain is between nframe and
    // 2 * nframe - 1 frames long once the stack is that deep, and successive frames share theirs.
    std::uint32_t anchor;
    NodeId node;  // the chain that ends here, from the anchor; kNone: not interned yet
    NodeId crossing;  // the same from the next anchor, for frames further in

    MT_HOT bool has(compat::Instruction now) const noexcept { return static_cast<std::uint64_t>(now - first) < units; }

    // The frame is at another instruction. False when that is not of the same code.
    MT_HOT bool move_to(compat::Instruction now) noexcept {
      if (!has(now)) return false;
      site = first_site + static_cast<SiteId>(now - first);
      node = kNone;
      crossing = kNone;
      return true;
    }
  };

  // Where the innermost frame can be without anything else changing.
  struct Leaf {
    compat::Instruction first;  // that can be traced
    std::uint32_t units;  // from `first` on; 0: the frame is charged to its caller
    std::uint64_t first_place;  // of `first`

    MT_HOT std::uint64_t place_of(compat::Instruction now) const noexcept {
      const auto unit = static_cast<std::uint64_t>(now - first);
      if (unit >= units) return kNowhere;
      const std::uint64_t place = first_place + unit;
      // Spares who asks a second branch.
      if (place == kNowhere) __builtin_unreachable();
      return place;
    }
  };

  // Where a frame is in its code.
  struct Position {
    bool complete;
    bool generator;
    compat::Instruction first;  // of its code's instructions that can be traced
    std::uint32_t units;  // from `first` on
    SiteId first_site;
    SiteId site;
  };

  // A code object that was met lately: its instructions that can be traced, whatever the frame.
  struct RecentCode {
    compat::Instruction first;
    std::uint32_t units;  // from `first` on
    SiteId first_site;
  };

  static constexpr std::size_t kHints = 512;
  static constexpr std::size_t kRecentCodes = 128;

  MT_HOT RecordId record_at(Era& era, std::uint64_t place, ContextId context, bool thread_half) noexcept {
    const RecordId known = remembered(place, context);
    if (known != kNone) [[likely]]
      return known;
    return find_record(era, place, context, thread_half);
  }
  RecordId find_record(Era& era, std::uint64_t place, ContextId context, bool thread_half) noexcept;

  MT_HOT std::uint64_t place_at_once(const PyThreadState* thread, const compat::Frame* top) noexcept {
    return is_counting() ? counted_place(thread, top) : known_place(thread, top);
  }

  // Whether there is no shadow: a trace shows the innermost frame alone, and how many lie below it is counted.
  bool is_counting() const noexcept { return compat::CallCount::kPossible && nframe_ == 1; }

  // Where an allocation with `top` innermost is when nothing but the frame itself has to be looked at; else kNowhere.
  MT_HOT std::uint64_t counted_place(const PyThreadState* thread, const compat::Frame* top) noexcept {
    if (top == nullptr || !calls_.is_told(thread)) [[unlikely]]
      return kNowhere;
    const std::uint32_t below = calls_.frames(thread) - 1;
    const compat::Instruction now = compat::instruction(top);
    const std::uint64_t place = below == leaf_below_ ? leaf_.place_of(now) : kNowhere;
    if (place != kNowhere) [[likely]] {
      MT_EXPENSIVE(is_count_right(top, below));
      return place;
    }
    // A generator's frame is never that of leaf_.
    const bool generator = compat::is_generator(top);
    if (generator && compat::is_uncounted_below(top)) return kNowhere;
    MT_EXPENSIVE(is_count_right(top, below));
    // An instruction tells its code: neither an internal frame nor one that is not complete is at one of these.
    const RecentCode& recent = recent_code(compat::code(top));
    if (static_cast<std::uint64_t>(now - recent.first) >= recent.units || below >= anchors_known_) [[unlikely]]
      return kNowhere;
    if (anchors_[below] == kNone) [[unlikely]]
      return kNowhere;
    const Leaf leaf = {recent.first, recent.units, place_of(anchors_[below], recent.first_site)};
    if (!generator) {
      leaf_ = leaf;
      leaf_below_ = below;
    }
    return leaf.place_of(now);
  }
  bool is_count_right(const compat::Frame* top, std::uint32_t below) const noexcept;

  // Where an allocation with `top` innermost is, if all frames are those of the last event and only `top` has moved on;
  // else kNowhere.
  MT_HOT std::uint64_t known_place(const PyThreadState* thread, const compat::Frame* top) const noexcept {
    if (top_->frame != top || !is_known_at_once(thread)) [[unlikely]]
      return kNowhere;
    MT_EXPENSIVE(is_live(top));
    return leaf_.place_of(compat::instruction(top));
  }

  // Whether the entries are the frames from `top` on, as far as a trace shows them: what known_place() goes without.
  bool is_live(const compat::Frame* top) const noexcept;

  // Whether the frames below that of top_, which is the innermost, are known to be as they were, with little to compare.
  MT_HOT bool is_known_at_once(const PyThreadState* thread) const noexcept {
    if (compat::FrameMark::kPossible && mark_.is_on(top_->frame)) [[likely]]
      return true;
    if constexpr (compat::LowWater::kTold) return low_water_.is_at(thread, top_->frame);
    return !compat::FrameMark::kPossible && is_unchanged(top_, lowest_, outside_, ignored_);
  }

  MT_HOT static std::uintptr_t difference(compat::Instruction one, compat::Instruction other) noexcept {
    return reinterpret_cast<std::uintptr_t>(one) ^ reinterpret_cast<std::uintptr_t>(other);
  }

  // Whether the frames below that of `entry`, which is live, are those of the entries down to `lowest`, each at the
  // same instruction but for the bits `ignored`, and `outside` the next.
  //
  // One branch a frame: only the links decide whether the next frame may be read.
  MT_HOT static bool is_unchanged(const Entry* entry, const Entry* lowest, const compat::Frame* outside,
                                  std::uintptr_t ignored) noexcept {
    const compat::Frame* live = entry->frame;
    std::uintptr_t moved = 0;
    const auto is_next = [&](const Entry& next) MT_HOT_LAMBDA {
      const compat::Frame* predicted = next.frame;
      if (compat::caller(live) != predicted) [[unlikely]]
        return false;
      // Keeps the compiler from loading through the pointer that was just read instead of the predicted one.
      asm("" : "+r"(predicted));
      moved |= difference(compat::instruction(predicted), next.instruction);
      live = predicted;
      return true;
    };
    for (; entry - lowest >= 4; entry -= 4)
      if (!is_next(entry[-1]) || !is_next(entry[-2]) || !is_next(entry[-3]) || !is_next(entry[-4])) return false;
    for (; entry != lowest; --entry)
      if (!is_next(entry[-1])) return false;
    return (moved & ~ignored) == 0 && compat::caller(live) == outside;
  }

  RecentCode& recent_code(const PyCodeObject* code) noexcept {
    const auto bits = reinterpret_cast<std::uintptr_t>(code);
    return recent_codes_[(bits >> 4 ^ bits >> 11) & (kRecentCodes - 1)];
  }

  static std::size_t hint_of(const compat::Frame* frame) noexcept {
    const auto bits = reinterpret_cast<std::uintptr_t>(frame);
    return (bits >> 4 ^ bits >> 13) & (kHints - 1);
  }

  void forget_frames() noexcept;
  RecordId capture_shadowed(Era& era, PyThreadState* thread, const compat::Frame* top, ContextId context,
                            bool thread_half) noexcept;
  RecordId capture_alone(Era& era, PyThreadState* thread, const compat::Frame* top, ContextId context,
                         bool thread_half) noexcept;
  std::uint32_t count_frames(PyThreadState* thread, const compat::Frame* top) noexcept;
  MT_HOT RecordId capture_changed(Era& era, PyThreadState* thread, const compat::Frame* top, ContextId context,
                                  bool thread_half) noexcept {
    if (top == nullptr) [[unlikely]]
      return record_at(era, place_of(kRoot, kUnknownSite), context, thread_half);
    if (is_counting()) return capture_alone(era, thread, top, context, thread_half);
    return capture_shadowed(era, thread, top, context, thread_half);
  }
  bool marking() const noexcept { return compat::FrameMark::kPossible && marking_; }
  // Whether the live frame has not been met before: all others are marked that can be.
  bool is_new(const compat::Frame* frame) const noexcept {
    return marking() && compat::FrameMark::has_room_on(frame) && !mark_.is_on(frame);
  }
  bool is_unchanged_after_all(PyThreadState* thread) noexcept;
  bool is_right_to_mark(std::uint32_t index, std::uint32_t low) noexcept;
  void settle(const PyThreadState* thread) noexcept;
  // After settle(): the innermost entry that was not left since the last event, so that those below it have not run; 0
  // when it is not known.
  std::uint32_t settled() const noexcept { return compat::LowWater::kTold ? settled_ : 0; }
  bool is_same(std::uint32_t index) const noexcept;
  bool find_base(const compat::Frame* top, std::uint32_t& fresh) noexcept;
  static constexpr std::uint32_t kUnchanged = ~0u;
  bool is_right_below(std::uint32_t index) noexcept;
  std::uint32_t unchanged_below(std::uint32_t index) noexcept;
  bool is_unchanged(std::uint32_t index, std::uint32_t low) const noexcept {
    return is_unchanged(&entries_[index], &entries_[low], frame_outside(low), ignored_);
  }
  std::uint32_t window_below(std::uint32_t index) const noexcept;
  MT_HOT bool push(Era& era, const compat::Frame* frame) noexcept;
  MT_COLD bool grow() noexcept;
  bool describe(Era& era, const compat::Frame* frame, std::uint32_t depth, bool& complete) noexcept;
  // False when memory cannot be had.
  MT_HOT bool locate(Era& era, const compat::Frame* frame, Position& position) noexcept;
  MT_COLD bool learn(Era& era, const PyCodeObject* code, RecentCode& recent) noexcept;
  MT_HOT NodeId parent_of(Era& era, std::uint32_t index) noexcept;
  NodeId make_chain(Era& era, NodeId node, std::uint32_t first, std::uint32_t index, std::uint32_t anchor) noexcept;
  MT_HOT NodeId& chain_at(std::uint32_t index, std::uint32_t anchor) noexcept {
    return reals_[index].anchor == anchor ? reals_[index].node : reals_[index].crossing;
  }
  // Where chains start of which the outermost `hidden` frames are left out; kNone when memory cannot be had.
  NodeId anchor_node(Era& era, std::uint32_t hidden) noexcept {
    if (hidden < anchors_known_ && anchors_[hidden] != kNone) [[likely]]
      return anchors_[hidden];
    return new_anchor_node(era, hidden);
  }
  MT_COLD NodeId new_anchor_node(Era& era, std::uint32_t hidden) noexcept;

  bool is_real(std::uint32_t index) const noexcept { return depths_[index].is_real; }
  // Of an entry that is one.
  Real& real_of(std::uint32_t index) noexcept { return reals_[depths_[index].frames - 1]; }

  const compat::Frame* frame_outside(std::uint32_t low) const noexcept {
    return low == 0 ? nullptr : entries_[low - 1].frame;
  }

  // What capture() reads: the innermost entry, the outermost that a trace with it shows, and the frame below that.
  const Entry* top_ = &none_;
  const Entry* lowest_ = &none_;
  const compat::Frame* outside_ = nullptr;
  std::uintptr_t ignored_ = 0;  // of the instructions in between
  Leaf leaf_ = {};
  // Where there is no shadow: the number of the program's frames below that of leaf_, which is no generator's.
  std::uint32_t leaf_below_ = 0;
  compat::CallCount calls_;

  compat::FrameMark mark_;
  bool marking_ = false;  // whether frames are marked, as of the last capture_changed()
  compat::LowWater low_water_;  // of the last event
  // Entries from right_ on were right at the last event; those before are known by address alone.
  std::uint32_t right_ = 0;
  std::uint32_t settled_ = 0;
  std::uint32_t size_ = 0;
  std::uint32_t capacity_ = 0;  // of entries_, depths_ and reals_
  std::uint32_t nframe_ = 1;
  std::uint32_t window_ = 2;
  std::uint32_t anchors_known_ = 0;
  heap::Buffer<Entry> entries_;
  heap::Buffer<Depth> depths_;  // for each entry
  heap::Buffer<Real> reals_;
  heap::Buffer<const compat::Frame*> fresh_;
  heap::Buffer<NodeId> anchors_;
  std::uint64_t era_ = 0;  // of run_ and recent_records_
  RecordRun run_;
  // Where in entries_ a frame was last put: a hint.
  std::uint32_t hints_[kHints] = {};
  RecentRecords recent_records_;
  RecentCode recent_codes_[kRecentCodes] = {};
  // Stands for the innermost entry when there is none: no frame has its address.
  const Entry none_ = {reinterpret_cast<const compat::Frame*>(this), nullptr};
};

}  // namespace memtrace
