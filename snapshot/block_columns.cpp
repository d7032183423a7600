#include "snapshot/block_columns.h"

#include <limits>
#include <stdexcept>

namespace memtrace::snapshot {

void BlockColumns::append(std::uint32_t owner, std::uint64_t size) {
  const std::size_t position = owner_.size();
  if (position >= std::numeric_limits<std::uint32_t>::max()) throw std::length_error("a snapshot has too many blocks");
  if (size >= kLargeSize) add_large(static_cast<std::uint32_t>(position), size);
  owner_.push_back(owner);
  size_.push_back(static_cast<std::uint32_t>(std::min<std::uint64_t>(size, kLargeSize)));
}

std::uint64_t BlockColumns::large_size(std::size_t position) const noexcept {
  const auto found = std::lower_bound(large_.begin(), large_.end(), position,
                                      [](const Large& large, std::size_t wanted) { return large.position < wanted; });
  return found->size;
}

}  // namespace memtrace::snapshot
