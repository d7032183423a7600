// BlockColumns: one entry per live block, in order: its owner (a record while a snapshot is deferred, a row afterwards)
// and its size.
//
// Both share 32 bits: the owners get as many as the largest of them needs, the sizes the rest, and a size that does not
// fit goes to a side list. A hundred thousand owners leave room for sizes below 32 KiB. What take_snapshot() costs is
// mostly memory that it touches for the first time, so half the bytes are nearly half the time.
//
// Memory: 4 bytes a block, 16 more for each in the side list. Limit: 2^32-1 blocks. Thread-safety: a plain value.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace memtrace::snapshot {

class BlockColumns {
 public:
  // With room for owners up to `largest`; append() makes more.
  explicit BlockColumns(std::uint32_t largest = 0) noexcept : size_bits_(std::min(std::countl_zero(largest), 31)) {}

  void reserve(std::size_t count) { entries_.reserve(count); }
  // The memory that reserve() took.
  std::span<std::uint32_t> reserved() noexcept { return {entries_.data(), entries_.capacity()}; }
  // Room for owners up to `largest`. O(1) when there is, else O(count()), and nothing has changed when it throws.
  void make_room_for(std::uint32_t largest) {
    if (!fits(largest)) widen(largest);
  }
  // std::length_error beyond the limit. After an exception the columns are of no more use.
  void append(std::uint32_t owner, std::uint64_t size) {
    if (!fits(owner) || size >= large() || entries_.size() == entries_.capacity()) [[unlikely]]
      return append_odd(owner, size);
    entries_.push_back(owner << size_bits_ | static_cast<std::uint32_t>(size));
  }

  std::size_t count() const noexcept { return entries_.size(); }
  std::uint32_t owner(std::size_t position) const noexcept { return owner_in(entries_[position]); }
  std::uint64_t size(std::size_t position) const noexcept {
    const std::uint32_t size = entries_[position] & large();
    return size != large() ? size : large_size(position);
  }

  // Whether `what` holds for each owner.
  template <class What>
  bool all_owners(What&& what) const {
    return std::all_of(entries_.begin(), entries_.end(), [&](std::uint32_t entry) { return what(owner_in(entry)); });
  }

  // Replaces each owner by owner_of(owner) and leaves out the blocks for which that is `nobody`. Never fails.
  // pre: there is room for the new owners.
  template <class OwnerOf>
  void replace_owners(OwnerOf&& owner_of, std::uint32_t nobody);

  std::size_t memory() const noexcept {
    return entries_.capacity() * sizeof(std::uint32_t) + side_list_.capacity() * sizeof(Large);
  }

 private:
  struct Large {
    std::uint32_t position;
    std::uint64_t size;
  };

  // In the place of a size: look at the side list.
  std::uint32_t large() const noexcept { return (std::uint32_t{1} << size_bits_) - 1; }
  std::uint32_t owner_in(std::uint32_t entry) const noexcept { return entry >> size_bits_; }
  std::uint64_t large_size(std::size_t position) const noexcept;
  void append_odd(std::uint32_t owner, std::uint64_t size);
  void widen(std::uint32_t largest);
  bool fits(std::uint32_t owner) const noexcept { return (std::uint64_t{owner} << size_bits_) >> 32 == 0; }

  int size_bits_;
  std::vector<std::uint32_t> entries_;
  std::vector<Large> side_list_;  // by position
};

template <class OwnerOf>
void BlockColumns::replace_owners(OwnerOf&& owner_of, std::uint32_t nobody) {
  std::size_t kept = 0, large_read = 0, large_kept = 0;
  for (const std::uint32_t entry : entries_) {
    const std::uint32_t size = entry & large();
    const std::uint32_t owner = owner_of(owner_in(entry));
    if (owner != nobody) {
      if (size == large()) side_list_[large_kept++] = {static_cast<std::uint32_t>(kept), side_list_[large_read].size};
      entries_[kept++] = owner << size_bits_ | size;
    }
    large_read += size == large();
  }
  entries_.resize(kept);
  side_list_.resize(large_kept);
}

}  // namespace memtrace::snapshot
