#include "hooks/shadow_stack.h"

#include <algorithm>

#include "hooks/code_registry.h"

namespace memtrace {

void ShadowStack::reset(const Era& era) noexcept {
  nframe_ = era.nframe();
  // A generator that is resumed from elsewhere has the same address and another caller: two frames at least are compared.
  // Where the second one stands is nothing to a trace that does not show it.
  window_ = std::max(nframe_, 2u);
  ignored_ = nframe_ == 1 ? ~std::uintptr_t{0} : 0;
  forget_frames();
  for (std::uint32_t i = 0; i < capacity_; ++i) reals_[i].units = 0;
  std::fill(std::begin(recent_codes_), std::end(recent_codes_), RecentCode{});
  anchors_known_ = 0;
  // Ids mean the same as long as the era lasts.
  if (era_ != era.number()) {
    std::fill(std::begin(recent_), std::end(recent_), Recent{});
    run_ = {};
    low_water_.claim();
  }
  era_ = era.number();
}

// The outermost entry that a trace with entry `index` innermost could show.
std::uint32_t ShadowStack::window_below(std::uint32_t index) const noexcept {
  // Of the program's frames, which the internal ones between them do not count among.
  const std::uint32_t depth = depths_[index].frames;
  return depth <= window_ ? 0 : reals_[depth - window_].entry;
}

// Asks how far the stack was unwound since the last event.
void ShadowStack::settle(const PyThreadState* thread) noexcept {
  settled_ = 0;
  const std::uint64_t left = low_water_.frames_left(thread);
  if (left == compat::LowWater::kUnknown) return;
  const auto index = static_cast<std::uint32_t>(size_ - 1 - left);
  if (left >= size_ || entries_[index].frame != compat::LowWater::frame(thread)) return low_water_.leave_to_others();
  if (index >= right_ && is_real(index)) settled_ = index;
}

// is_known_unchanged() where it was not known: the innermost frame has been left since, or has no mark.
bool ShadowStack::is_unchanged_after_all(PyThreadState* thread) noexcept {
  if (!compat::LowWater::kTold && (!compat::FrameMark::kPossible || marking())) return false;
  if (!is_right_below(size_ - 1)) return false;
  low_water_.set(thread, top_->frame);
  return true;
}

// Whether the frames below entry `index`, which is live, are those of the entries down to `low`. A marked frame that was
// right at the last event is the same still, and nothing below it has moved since.
bool ShadowStack::is_right_to_mark(std::uint32_t index, std::uint32_t low) noexcept {
  const Entry* const lowest = &entries_[low];
  const Entry* const right = &entries_[right_];
  const Entry* entry = &entries_[index];
  std::uintptr_t moved = 0;
  for (; entry != lowest && (entry < right || !mark_.is_on(entry->frame)); --entry) {
    const Entry& next = entry[-1];
    if (compat::caller(entry->frame) != next.frame) return false;
    moved |= difference(compat::instruction(next.frame), next.instruction);
  }
  if ((moved & ~ignored_) != 0) return false;
  if (entry != lowest && right <= lowest) return true;
  if (!is_unchanged(entry != lowest ? right_ : low, low)) return false;
  right_ = low;
  return true;
}

// Whether the frames below entry `index`, which is live, are those of the entries as far as a trace could show them.
bool ShadowStack::is_right_below(std::uint32_t index) noexcept {
  const std::uint32_t low = window_below(index);
  if (!compat::LowWater::kTold && marking()) {
    if (!is_right_to_mark(index, low)) return false;
    mark_.put_on(entries_[index].frame, index == 0 ? 0 : depths_[index - 1].frames, is_real(index));
    return true;
  }
  // A greenlet's stack, whose frames have nothing to do with those of the last event.
  if (index < settled()) settled_ = 0;
  if (!is_unchanged(index, std::max(low, settled()))) return false;
  if (settled() == 0 || settled() < low) {
    right_ = low;  // what lies between them was left, and is not compared
  } else if (low < right_) {
    if (!is_unchanged(right_, low)) return false;
    right_ = low;
  }
  return true;
}

// Compares the frames below entry `index`, which is live, as far as a trace could show them. kUnchanged, or how many
// entries from the outermost on may still be right: the last of those at most differs in its instruction.
std::uint32_t ShadowStack::unchanged_below(std::uint32_t index) noexcept {
  if (marking() && index >= right_ && mark_.is_on(entries_[index].frame)) [[likely]] {
    if (right_ == 0 || right_ <= window_below(index)) return kUnchanged;
  }
  if (is_right_below(index)) [[likely]]
    return kUnchanged;
  const compat::Frame* live = entries_[index].frame;
  for (std::uint32_t i = index; i-- > 0;) {
    const compat::Frame* predicted = entries_[i].frame;
    if (compat::caller(live) != predicted) return i;
    if (ignored_ == 0 && compat::instruction(predicted) != entries_[i].instruction) return i + 1;
    live = predicted;
  }
  return 0;
}

// Whether the frame of entry `index`, which is live, is still one of the same function, and as complete as it was.
bool ShadowStack::is_same(std::uint32_t index) const noexcept {
  const compat::Instruction now = compat::instruction(entries_[index].frame);
  return now == entries_[index].instruction || (is_real(index) && reals_[depths_[index].frames - 1].has(now));
}

// Walks the live frames down to one that the shadow has, with the right frames below it; that one becomes the last
// entry. The frames above it are left in fresh_[0, fresh), innermost first. False when memory cannot be had.
bool ShadowStack::find_base(const compat::Frame* top, std::uint32_t& fresh) noexcept {
  std::uint32_t ceiling = size_;
  fresh = 0;
  for (const compat::Frame* frame = top; frame != nullptr; frame = compat::caller(frame)) {
    if (!is_new(frame)) {
      const bool is_settled = settled() != 0 && entries_[settled()].frame == frame;
      const std::uint32_t hint = is_settled ? settled() : hints_[hint_of(frame)];
      if (hint < ceiling && entries_[hint].frame == frame) {
        const std::uint32_t right = is_same(hint) ? unchanged_below(hint) : hint;
        if (right == kUnchanged) {
          size_ = hint + 1;
          return true;
        }
        ceiling = right;
      }
    }
    if (!fresh_.reserve(fresh + 1, fresh)) return false;
    fresh_[fresh++] = frame;
  }
  size_ = 0;
  right_ = 0;
  return true;
}

bool ShadowStack::is_live(const compat::Frame* top) const noexcept {
  if (top_ == &alone_) {
    std::uint32_t below = 0;
    for (const compat::Frame* live = compat::caller(top); live != nullptr; live = compat::caller(live))
      below += compat::is_complete(live);
    const bool right = mark_.is_on(top) ? mark_.frames_below(top) == below : outside_ == compat::caller(top);
    return alone_.frame == top && right;
  }
  const compat::Frame* live = top;
  for (const Entry* entry = top_;; --entry) {
    if (entry->frame != live) return false;
    if (entry != top_ && ignored_ == 0 && compat::instruction(live) != entry->instruction) return false;
    live = compat::caller(live);
    if (entry == lowest_) return live == outside_;
  }
}

bool ShadowStack::learn(Era& era, const PyCodeObject* code, RecentCode& recent) noexcept {
  const Code* known = find_code(era, code);
  if (known == nullptr) return false;
  recent = {compat::code_start(code) + known->first_traceable, known->units - known->first_traceable,
            known->base_site + known->first_traceable};
  return true;
}

bool ShadowStack::grow() noexcept {
  if (!entries_.reserve(size_ + 1, size_) || !depths_.reserve(size_ + 1, size_) || !reals_.reserve(size_ + 1, size_))
    return false;
  capacity_ = static_cast<std::uint32_t>(std::min({entries_.capacity(), depths_.capacity(), reals_.capacity()}));
  return true;
}

bool ShadowStack::push(Era& era, const compat::Frame* frame) noexcept {
  const std::uint32_t index = size_;
  if (index >= capacity_ && !grow()) [[unlikely]]
    return false;
  const std::uint32_t depth = index == 0 ? 0 : depths_[index - 1].frames;
  const compat::Instruction now = compat::instruction(frame);
  entries_[index] = {frame, now};
  depths_[index] = {depth, false};
  hints_[hint_of(frame)] = index;
  size_ = index + 1;
  if (marking()) mark_.put_on(frame, depth, false);
  if (compat::is_internal(frame)) return true;

  Real& real = reals_[depth];
  if (real.generator != compat::is_generator(frame) || !real.move_to(now)) {
    bool complete = true;
    if (!describe(era, frame, depth, complete)) return false;
    if (!complete) return true;  // charged to its caller
  }
  real.entry = index;
  depths_[index] = {depth + 1, true};
  return true;
}

bool ShadowStack::locate(Era& era, const compat::Frame* frame, Position& position) noexcept {
  const PyCodeObject* code = compat::code(frame);
  const compat::Instruction start = compat::code_start(code);
  const std::uint32_t first_traceable = compat::first_traceable(code);
  RecentCode& recent = recent_code(code);
  if (recent.first != start + first_traceable && !learn(era, code, recent)) [[unlikely]]
    return false;
  // A generator counts from its first instruction. What lies before it (3.11 and 3.12 start one unit early) is its first
  // line.
  const bool generator = compat::is_generator(frame);
  const std::uint32_t skipped = generator ? first_traceable : 0;
  const compat::Instruction first = recent.first - skipped;
  const std::uint32_t units = recent.units + skipped;
  const std::ptrdiff_t unit = compat::instruction(frame) - first;
  const auto known = std::clamp<std::ptrdiff_t>(unit, 0, static_cast<std::ptrdiff_t>(units) - 1);
  position = {.complete = generator || unit >= 0,
              .generator = generator,
              .first = first,
              .units = units,
              .first_site = recent.first_site - skipped,
              .site = recent.first_site - skipped + static_cast<SiteId>(known)};
  return true;
}

// Makes reals_[depth] that of `frame`, unless the frame is not complete yet. False when memory cannot be had.
bool ShadowStack::describe(Era& era, const compat::Frame* frame, std::uint32_t depth, bool& complete) noexcept {
  Position position;
  if (!locate(era, frame, position)) return false;
  complete = position.complete;
  if (!complete) return true;
  std::uint32_t anchor = depth == 0 ? 0 : reals_[depth - 1].anchor;
  if (depth + 1 >= anchor + 2 * nframe_) anchor += nframe_;
  reals_[depth] = {.first = position.first,
                   .units = position.units,
                   .first_site = position.first_site,
                   .generator = position.generator,
                   .site = position.site,
                   .anchor = anchor,
                   .node = kNone,
                   .crossing = kNone};
  return true;
}

NodeId ShadowStack::new_anchor_node(Era& era, std::uint32_t hidden) noexcept {
  if (hidden >= anchors_known_) {
    if (!anchors_.reserve(hidden + 1, anchors_known_)) return kNone;
    for (; anchors_known_ <= hidden; ++anchors_known_) anchors_[anchors_known_] = kNone;
  }
  if (anchors_[hidden] == kNone) anchors_[hidden] = era.tables().tree.anchor(hidden);
  return anchors_[hidden];
}

// The node below which the frame `index` is entered, with all that are missing on the way.
NodeId ShadowStack::parent_of(Era& era, std::uint32_t index) noexcept {
  const std::uint32_t anchor = reals_[index].anchor;
  std::uint32_t first = index;
  while (first > anchor) {
    const NodeId node = chain_at(first - 1, anchor);
    if (node != kNone) return first == index ? node : make_chain(era, node, first, index, anchor);
    --first;
  }
  return make_chain(era, anchor_node(era, anchor), first, index, anchor);
}

// Enters the frames [first, index) below `node`.
NodeId ShadowStack::make_chain(Era& era, NodeId node, std::uint32_t first, std::uint32_t index,
                               std::uint32_t anchor) noexcept {
  for (; first < index && node != kNone; ++first) {
    node = era.tables().tree.child(node, reals_[first].site);
    chain_at(first, anchor) = node;
  }
  return node;
}

void ShadowStack::forget_frames() noexcept {
  size_ = 0;
  right_ = 0;
  low_water_.forget();
  top_ = lowest_ = &none_;
  outside_ = nullptr;
}

RecordId ShadowStack::find_record(Era& era, std::uint64_t place, ContextId context, bool thread_half) noexcept {
  const auto parent = static_cast<NodeId>(place >> 32);
  const RecordId record = era.record(parent, static_cast<SiteId>(place), context, thread_half ? &run_ : nullptr);
  if (record != kNone) recent_[recent_index(place)] = {place, context, record};
  return record;
}

// How many of the program's frames lie below `frame`: those down to one that is marked are counted, and marked.
std::uint32_t ShadowStack::frames_below(const compat::Frame* frame) noexcept {
  if (mark_.is_on(frame)) return mark_.frames_below(frame);
  std::uint32_t below = 0;
  std::uint32_t unmarked = compat::FrameMark::has_room_on(frame);
  for (const compat::Frame* live = compat::caller(frame); live != nullptr; live = compat::caller(live)) {
    if (mark_.is_on(live)) {
      below += mark_.frames_below_callee(live);
      break;
    }
    if (compat::is_complete(live)) ++below;
    unmarked += compat::FrameMark::has_room_on(live);
  }
  std::uint32_t left = below;
  for (const compat::Frame* live = frame; unmarked != 0; live = compat::caller(live)) {
    const bool complete = compat::is_complete(live);
    if (live != frame && complete) --left;
    if (!compat::FrameMark::has_room_on(live)) continue;
    mark_.put_on(live, left, complete);
    --unmarked;
  }
  return below;
}

// Where an allocation is with `top` innermost and `below` frames of the program's below it, when its code and the anchor
// are known; else kNowhere. The next event with `top` innermost need not look below it where that or its caller is marked.
std::uint64_t ShadowStack::place_alone(const compat::Frame* top, std::uint32_t below) noexcept {
  const RecentCode& recent = recent_code(compat::code(top));
  // Internal frames and those that are not complete are nowhere: an instruction tells its code.
  const auto unit = static_cast<std::uint64_t>(compat::instruction(top) - recent.first);
  if (unit >= recent.units || below >= anchors_known_ || anchors_[below] == kNone) [[unlikely]]
    return kNowhere;
  alone_.frame = top;
  top_ = lowest_ = &alone_;
  outside_ = compat::caller(top);
  leaf_ = {recent.first, recent.units, place_of(anchors_[below], recent.first_site)};
  return leaf_.first_place + unit;
}

// capture_changed() where a trace shows the innermost frame alone, and that is marked.
[[gnu::noinline]] RecordId ShadowStack::capture_marked(Era& era, PyThreadState* thread, const compat::Frame* top,
                                                       ContextId context, bool thread_half) noexcept {
  const std::uint64_t place = place_alone(top, mark_.frames_below(top));
  if (place == kNowhere) [[unlikely]]
    return capture_alone(era, thread, top, context, thread_half);
  return record_at(era, place, context, thread_half);
}

// Where it is not: new, and called by one that is; or without room for a mark, like all down to one that is.
[[gnu::noinline]] RecordId ShadowStack::capture_unmarked(Era& era, PyThreadState* thread, const compat::Frame* top,
                                                         ContextId context, bool thread_half) noexcept {
  std::uint32_t below = 0;
  const compat::Frame* live = compat::caller(top);
  for (; live != nullptr && !compat::FrameMark::has_room_on(live); live = compat::caller(live))
    below += compat::is_generator(live);
  if (is_marked(live) && (!compat::FrameMark::has_room_on(top) || compat::FrameMark::are_believed(thread))) {
    below += mark_.frames_below_callee(live);
    const std::uint64_t place = place_alone(top, below);
    if (place != kNowhere) {
      mark_.put_on(top, below, true);
      return record_at(era, place, context, thread_half);
    }
  }
  return capture_alone(era, thread, top, context, thread_half);
}

// Any of them.
[[gnu::noinline]] RecordId ShadowStack::capture_alone(Era& era, PyThreadState* thread, const compat::Frame* top,
                                                      ContextId context, bool thread_half) noexcept {
  marking_ = mark_.can_be_put(thread);
  if (!marking()) {
    if (top_ == &alone_) forget_frames();
    return capture_shadowed(era, thread, top, context, thread_half);
  }
  forget_frames();
  for (const compat::Frame* frame = top; frame != nullptr; frame = compat::caller(frame)) {
    if (compat::is_internal(frame)) continue;
    Position position;
    if (!locate(era, frame, position)) return kNone;
    if (!position.complete) continue;  // charged to its caller
    const std::uint32_t below = frames_below(frame);
    const NodeId parent = anchor_node(era, below);
    if (parent == kNone) return kNone;
    if (frame == top) place_alone(top, below);
    return record_at(era, place_of(parent, position.site), context, thread_half);
  }
  return record_at(era, place_of(kRoot, kUnknownSite), context, thread_half);
}

[[gnu::noinline]] RecordId ShadowStack::capture_shadowed(Era& era, PyThreadState* thread, const compat::Frame* top,
                                                         ContextId context, bool thread_half) noexcept {
  marking_ = mark_.can_be_put(thread);
  settle(thread);
  if (top_->frame == top && is_unchanged_after_all(thread)) {
    MT_EXPENSIVE(is_live(top));
    const std::uint64_t place = leaf_.place_of(compat::instruction(top));
    if (place != kNowhere) return record_at(era, place, context, thread_half);
  }
  std::uint32_t fresh = 0;
  bool complete = find_base(top, fresh);
  if (complete && size_ != 0) {
    // The base may have moved on.
    Entry& base = entries_[size_ - 1];
    const compat::Instruction now = compat::instruction(base.frame);
    if (now != base.instruction) {
      real_of(size_ - 1).move_to(now);
      base.instruction = now;
    }
  }
  while (complete && fresh > 0) complete = push(era, fresh_[--fresh]);
  if (!complete) {
    forget_frames();
    return kNone;
  }
  low_water_.set(thread, top);
  const std::uint32_t low = window_below(size_ - 1);
  top_ = &entries_[size_ - 1];
  lowest_ = &entries_[low];
  outside_ = frame_outside(low);
  MT_EXPENSIVE(is_live(top));
  const std::uint32_t depth = depths_[size_ - 1].frames;
  leaf_.units = 0;
  if (depth == 0) return record_at(era, place_of(kRoot, kUnknownSite), context, thread_half);
  const NodeId parent = parent_of(era, depth - 1);
  if (parent == kNone) return kNone;
  const Real& real = reals_[depth - 1];
  if (is_real(size_ - 1)) leaf_ = {real.first, real.units, place_of(parent, real.first_site)};
  return record_at(era, place_of(parent, real.site), context, thread_half);
}

}  // namespace memtrace
