#include "snapshot/block_columns.h"

#include <limits>
#include <stdexcept>

namespace memtrace::snapshot {

void BlockColumns::append_odd(std::uint32_t owner, std::uint64_t size) {
  const std::size_t position = entries_.size();
  if (position >= std::numeric_limits<std::uint32_t>::max()) throw std::length_error("a snapshot has too many blocks");
  make_room_for(owner);
  if (size >= large()) {
    side_list_.push_back({static_cast<std::uint32_t>(position), size});
    size = large();
  }
  entries_.push_back(owner << size_bits_ | static_cast<std::uint32_t>(size));
}

void BlockColumns::widen(std::uint32_t largest) {
  BlockColumns wider(largest);
  wider.reserve(entries_.capacity());
  for (std::size_t i = 0; i < count(); ++i) wider.append(owner(i), size(i));
  *this = std::move(wider);
}

std::uint64_t BlockColumns::large_size(std::size_t position) const noexcept {
  const auto found = std::lower_bound(side_list_.begin(), side_list_.end(), position,
                                      [](const Large& entry, std::size_t wanted) { return entry.position < wanted; });
  return found->size;
}

}  // namespace memtrace::snapshot
