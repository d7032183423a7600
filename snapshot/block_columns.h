// BlockColumns: one entry per live block, in order: its owner (a record id while a snapshot is deferred, a row
// afterwards) and its size. 8 bytes a block; sizes of 4 GiB - 1 and more are in a side list.
//
// Limit: 2^32-1 blocks. Thread-safety: a plain value.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace memtrace::snapshot {

class BlockColumns {
 public:
  static constexpr std::uint32_t kLargeSize = 0xFFFFFFFF;  // in the column: the size is in the side list

  struct Large {
    std::uint32_t position;
    std::uint64_t size;
    friend bool operator==(const Large&, const Large&) = default;
  };

  BlockColumns() = default;
  // Columns of one length, and a side list that fits them.
  BlockColumns(std::vector<std::uint32_t> owners, std::vector<std::uint32_t> small_sizes, std::vector<Large> large)
      : owner_(std::move(owners)), size_(std::move(small_sizes)), large_(std::move(large)) {}

  void reserve(std::size_t count) {
    owner_.reserve(count);
    size_.reserve(count);
  }
  // std::length_error beyond the limit.
  void append(std::uint32_t owner, std::uint64_t size);

  // Filling in bulk: resize, write both columns, and give what was written as kLargeSize to add_large, in rising order
  // of position.
  void resize(std::size_t count) {
    owner_.resize(count);
    size_.resize(count);
  }
  std::span<std::uint32_t> owners() noexcept { return owner_; }
  std::span<std::uint32_t> small_sizes() noexcept { return size_; }
  void add_large(std::uint32_t position, std::uint64_t size) { large_.push_back({position, size}); }

  std::size_t count() const noexcept { return owner_.size(); }
  std::uint32_t owner(std::size_t position) const noexcept { return owner_[position]; }
  std::uint64_t size(std::size_t position) const noexcept {
    return size_[position] != kLargeSize ? size_[position] : large_size(position);
  }
  std::span<const std::uint32_t> owners() const noexcept { return owner_; }
  std::span<const std::uint32_t> small_sizes() const noexcept { return size_; }
  std::span<const Large> large() const noexcept { return large_; }

  // Replaces each owner by owner_of(owner) and leaves out the blocks for which that is `nobody`. Never fails.
  template <class OwnerOf>
  void replace_owners(OwnerOf&& owner_of, std::uint32_t nobody);

  std::size_t memory() const noexcept {
    return (owner_.capacity() + size_.capacity()) * sizeof(std::uint32_t) + large_.capacity() * sizeof(Large);
  }

 private:
  std::uint64_t large_size(std::size_t position) const noexcept;

  std::vector<std::uint32_t> owner_, size_;
  std::vector<Large> large_;  // by position; one for each kLargeSize in size_
};

template <class OwnerOf>
void BlockColumns::replace_owners(OwnerOf&& owner_of, std::uint32_t nobody) {
  std::size_t kept = 0, large_read = 0, large_kept = 0;
  for (std::size_t position = 0; position < owner_.size(); ++position) {
    const bool is_large = size_[position] == kLargeSize;
    const std::uint32_t owner = owner_of(owner_[position]);
    if (owner != nobody) {
      if (is_large) large_[large_kept++] = {static_cast<std::uint32_t>(kept), large_[large_read].size};
      owner_[kept] = owner;
      size_[kept++] = size_[position];
    }
    large_read += is_large;
  }
  owner_.resize(kept);
  size_.resize(kept);
  large_.resize(large_kept);
}

}  // namespace memtrace::snapshot
