#include "src/tracer/peak_regions.h"

#include <algorithm>

namespace memtrace {

PeakRegions::Region* PeakRegions::open(Era& era, const ThreadList& threads) noexcept {
  auto* const region = heap::make<Region>();
  if (region == nullptr) return nullptr;
  if (!divide(era, threads)) {
    heap::destroy(region);
    return nullptr;
  }
  region->next = whole_.next;
  whole_.next = region;
  return region;
}

void PeakRegions::close(Region* region, Era* era) noexcept {
  Region* before = &whole_;
  while (before->next != region) before = before->next;
  before->next = region->next;
  Segment* const first = region->first;
  heap::destroy(region);
  if (era != nullptr) tidy(first, *era);
}

bool PeakRegions::reset(Era& era, const ThreadList& threads) noexcept {
  if (whole_.next == nullptr) {
    begin_anew(era, threads);
    return true;
  }
  if (!divide(era, threads)) return false;
  Segment* const first = std::exchange(whole_.first, nullptr);
  tidy(first, era);
  return true;
}

void PeakRegions::restart() noexcept {
  for (Region* region = &whole_; region != nullptr; region = region->next) region->first = nullptr;
  forget_segments();
}

Era::Traced PeakRegions::traced(const Region& region, const Era& era, const ThreadList& threads) const noexcept {
  Era::Traced traced = era.traced(threads);
  if (const Segment* segment = highest(region, era))
    traced.peak = std::max(traced.peak, static_cast<std::uint64_t>(segment->peak));
  return traced;
}

const PeakRegions::Segment* PeakRegions::highest(const Region& region, const Era& era) const noexcept {
  if (region.first == nullptr) return nullptr;
  const Segment* found = nullptr;
  std::int64_t peak = era.peak();
  for (const Segment* segment = newest_older_;; segment = segment->older) {
    // Of equal ones the oldest: that is when the peak was reached.
    if (segment->peak >= peak) {
      peak = segment->peak;
      found = segment;
    }
    if (segment == region.first) return found;
  }
}

bool PeakRegions::divide(Era& era, const ThreadList& threads) noexcept {
  auto* const segment = heap::make<Segment>();
  if (segment == nullptr) return false;
  segment->peak = era.peak();
  if (is_put_aside(era)) {
    segment->breakdown = std::move(aside_);
  } else {
    bool complete = true;
    era.for_each_at_peak(threads, [&](RecordId record, const Amount& amount) {
      complete = complete && segment->breakdown.add(record, amount);
    });
    if (!complete) {
      heap::destroy(segment);
      return false;
    }
  }
  segment->older = newest_older_;
  newest_older_ = segment;
  move_starts(nullptr, segment);
  begin_anew(era, threads);
  return true;
}

void PeakRegions::begin_anew(Era& era, const ThreadList& threads) noexcept {
  aside_ = Breakdown();
  aside_epoch_ = 0;
  era.reset_peak(threads);
}

void PeakRegions::tidy(Segment* segment, Era& era) noexcept {
  if (has_start(segment)) return;
  if (segment == nullptr) {
    // Some region is open, and so begins with an older one.
    Segment* const older = newest_older_;
    if (older->peak >= era.peak()) {
      era.resume_peak(older->peak);
      aside_ = std::move(older->breakdown);
      aside_epoch_ = era.epoch();
    }
    newest_older_ = older->older;
    move_starts(older, nullptr);
    return heap::destroy(older);
  }
  if (Segment* const older = segment->older) {
    if (segment->peak > older->peak) {
      older->peak = segment->peak;
      older->breakdown = std::move(segment->breakdown);
    }
  }
  Segment** link = &newest_older_;
  while (*link != segment) link = &(*link)->older;
  *link = segment->older;
  heap::destroy(segment);
}

void PeakRegions::forget_segments() noexcept {
  while (newest_older_ != nullptr) heap::destroy(std::exchange(newest_older_, newest_older_->older));
  aside_ = Breakdown();
  aside_epoch_ = 0;
}

bool PeakRegions::has_start(const Segment* segment) const noexcept {
  for (const Region* region = &whole_; region != nullptr; region = region->next)
    if (region->first == segment) return true;
  return false;
}

void PeakRegions::move_starts(const Segment* from, Segment* to) noexcept {
  for (Region* region = &whole_; region != nullptr; region = region->next)
    if (region->first == from) region->first = to;
}

}  // namespace memtrace
