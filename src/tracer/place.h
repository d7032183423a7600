// Where a trace begins: the node of all frames but the innermost, and the site of that one, as one number.
//
// The node is multiplied by an odd number, which spreads those that follow one another and can be undone: RecentRecords
// looks places up by their high bits, and the places of one frame have these in common, so it is done once for a frame.
#pragma once

#include <cstdint>

#include "src/base/types.h"

namespace memtrace {

namespace place_detail {
inline constexpr std::uint32_t kSpread = 0x9e3779b1;
inline constexpr std::uint32_t kGather = 0x0e8b2f51;
static_assert(kSpread * kGather == 1);
}  // namespace place_detail

constexpr std::uint64_t place_of(NodeId parent, SiteId site) noexcept {
  return std::uint64_t{parent * place_detail::kSpread} << 32 | site;
}
constexpr NodeId parent_in(std::uint64_t place) noexcept {
  return static_cast<std::uint32_t>(place >> 32) * place_detail::kGather;
}
constexpr SiteId site_in(std::uint64_t place) noexcept { return static_cast<SiteId>(place); }

}  // namespace memtrace
