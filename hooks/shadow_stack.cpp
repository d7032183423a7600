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
  leaf_ = {};
  calls_.forget();
  anchors_known_ = 0;
  // Ids mean the same as long as the era lasts.
  if (era_ != era.number()) {
    recent_records_.forget();
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

// is_known_at_once() where it was not known: the innermost frame has been left since, or has no mark.
bool ShadowStack::is_unchanged_after_all(PyThreadState* thread) noexcept {
  if (!compat::LowWater::kTold) {
    if (!compat::FrameMark::kPossible) return false;
    if (marking() && compat::FrameMark::has_room_on(top_->frame)) return false;
  }
  if (!is_right_below(size_ - 1)) return false;
  low_water_.set(thread, top_->frame);
  return true;
}

// Whether the frames below entry `index`, which is live, are those of the entries down to `low`. A marked frame that was
// right at the last event is the same still, and nothing below it has moved since.
bool ShadowStack::is_right_to_mark(std::uint32_t index, std::uint32_t low) noexcept {
  const Entry* const lowest = &entries_[low];
  const Entry* const right = &entries_[right_];
  const Entry* const first = &entries_[index];
  const Entry* entry = first;
  const auto is_told = [&] MT_HOT_LAMBDA {
    return mark_.is_on(entry->frame) && (entry != first || compat::FrameMark::tells_alone_on(entry->frame));
  };
  std::uintptr_t moved = 0;
  for (; entry != lowest && (entry < right || !is_told()); --entry) {
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
    mark_.put_on(entries_[index].frame);
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
  const compat::Frame* const frame = entries_[index].frame;
  if (marking() && index >= right_ && mark_.is_on(frame) && compat::FrameMark::tells_alone_on(frame)) [[likely]] {
    if (right_ == 0 || right_ <= window_below(index)) return kUnchanged;
  }
  if (is_right_below(index)) [[likely]]
    return kUnchanged;
  const compat::Frame* live = frame;
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

// Whatever internal frames lie between them: greenlet takes those out of a stack before it allocates the place to put that
// away.
bool ShadowStack::is_live(const compat::Frame* top) const noexcept {
  if (top_->frame != top) return false;
  const compat::Frame* live = compat::caller(top);
  for (const Entry* entry = top_; entry-- != lowest_;) {
    if (!is_real(static_cast<std::uint32_t>(entry - &entries_[0]))) continue;
    while (live != nullptr && !compat::is_complete(live)) live = compat::caller(live);
    if (entry->frame != live) return false;
    if (ignored_ == 0 && compat::instruction(live) != entry->instruction) return false;
    live = compat::caller(live);
  }
  return true;
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
  if (marking()) mark_.put_on(frame);
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
  const auto known = std::clamp<std::ptrdiff_t>(unit, 0, static_cast<std::ptrdiff_t>(std::max(units, 1u)) - 1);
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
  RecordRun* const run = thread_half ? &run_ : nullptr;
  const RecordId record = era.record(parent_in(place), site_in(place), context, run);
  if (record != kNone) recent_records_.remember(place, context, record);
  return record;
}

bool ShadowStack::is_count_right(const compat::Frame* top, std::uint32_t below) const noexcept {
  std::uint32_t entered = 0;
  for (const compat::Frame* live = top; live != nullptr; live = compat::caller(live))
    entered += !compat::is_internal(live);
  return entered == below + 1;
}

// How many frames but the internal ones the stack has. From now on this is told, unless one that is not complete lies where
// a trace would miss it, or one was put there uncounted.
std::uint32_t ShadowStack::count_frames(PyThreadState* thread, const compat::Frame* top) noexcept {
  std::uint32_t shown = 0;
  std::uint32_t above = 0;  // not complete, and not below one that is
  bool good = true;
  for (const compat::Frame* live = top; live != nullptr; live = compat::caller(live)) {
    if (compat::is_internal(live)) continue;
    if (compat::is_generator(live) && compat::may_be_at_yield(live)) good = false;
    if (compat::is_complete(live))
      ++shown;
    else if (shown == 0)
      ++above;
    else
      good = false;
  }
  if (good)
    calls_.set(thread, above + shown);
  else
    calls_.forget();
  return above + shown;
}

// capture_changed() where a trace shows the innermost frame alone.
[[gnu::noinline]] RecordId ShadowStack::capture_alone(Era& era, PyThreadState* thread, const compat::Frame* top,
                                                      ContextId context, bool thread_half) noexcept {
  const bool told = calls_.is_told(thread) && !(compat::is_generator(top) && compat::is_uncounted_below(top));
  std::uint32_t frames = told ? calls_.frames(thread) : count_frames(thread, top);
  for (const compat::Frame* frame = top; frame != nullptr; frame = compat::caller(frame)) {
    if (compat::is_internal(frame)) continue;
    if (frames-- == 0) [[unlikely]] {
      // Somebody has put another stack in place without a trace.
      calls_.forget();
      return capture_alone(era, thread, top, context, thread_half);
    }
    Position position;
    if (!locate(era, frame, position)) return kNone;
    if (!position.complete) continue;  // charged to its caller
    const NodeId parent = anchor_node(era, frames);
    return parent == kNone ? kNone : record_at(era, place_of(parent, position.site), context, thread_half);
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
  // What a mark on it would say is said of a frame that is not on top.
  if (compat::is_internal(top)) top_ = &none_;
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
