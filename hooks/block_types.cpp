#include "hooks/block_types.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <tuple>
#include <utility>

#include "hooks/certain_objects.h"

namespace memtrace {

namespace {

using compat::Head;
using Claims = std::vector<TypeTable::Claim>;

void claim_bodies(const Head& head, const compat::Shape& shape, std::uint32_t number, const os::MemoryReader& memory,
                  Claims& claims) {
  const auto claim = [&](std::uintptr_t address) {
    if (address != 0) claims.push_back({address, number});
  };
  compat::for_each_body(head, shape, claim, [&](std::uintptr_t address) {
    std::uintptr_t link = 0;
    return memory.read(address, &link, sizeof link) == sizeof link ? link : 0;
  });
}

class Scan {
 public:
  Scan(std::vector<TypedBlock>& blocks, const TypeTable& types, const os::MemoryReader& memory, Claims untraced)
      : blocks_(blocks), types_(types), memory_(memory), claims_(std::move(untraced)), window_(kWindow) {
    claims_.insert(claims_.end(), types.claims().begin(), types.claims().end());
  }

  void find_objects() {
    for (std::size_t first = 0; first < blocks_.size();) first = look_at_window(first);
  }

  // Both are in order of address.
  void find_bodies() {
    std::sort(claims_.begin(), claims_.end(),
              [](const TypeTable::Claim& a, const TypeTable::Claim& b) { return a.address < b.address; });
    std::size_t next = 0;
    for (const TypeTable::Claim& claim : claims_) {
      while (next < blocks_.size() && blocks_[next].address <= claim.address) ++next;
      if (next == 0) continue;
      TypedBlock& block = blocks_[next - 1];
      if (claim.address - block.address >= block.size) continue;
      // What lies in the middle of an object is a part of that; the items of a list can look like one.
      if (block.type == TypedBlock::kNoType || claim.address == block.address) block.type = claim.number;
    }
  }

 private:
  static constexpr std::size_t kWindow = std::size_t{64} << 10;
#ifdef Py_GIL_DISABLED
  static constexpr std::array<std::size_t, 2> kPreHeaders{0, 2 * sizeof(void*)};
#else
  static constexpr std::array<std::size_t, 3> kPreHeaders{0, 2 * sizeof(void*), 4 * sizeof(void*)};
#endif

  static std::size_t head_size(const TypedBlock& block) noexcept {
    return std::min<std::size_t>(block.size, std::tuple_size_v<Head>);
  }

  // Reads the heads of the blocks from `first` on that lie near each other; returns the first that it did not come to.
  std::size_t look_at_window(std::size_t first) {
    const std::uint64_t begin = blocks_[first].address;
    std::size_t end = first + 1;
    std::uint64_t last = begin + head_size(blocks_[first]);
    for (; end < blocks_.size(); ++end) {
      const std::uint64_t head_end = blocks_[end].address + head_size(blocks_[end]);
      if (head_end > begin + kWindow) break;
      last = std::max(last, head_end);
    }
    const std::size_t read = memory_.read(begin, window_.data(), last - begin);
    for (std::size_t i = first; i < end; ++i) {
      const std::size_t offset = blocks_[i].address - begin;
      const std::size_t size = head_size(blocks_[i]);
      // Behind what cannot be read a new window begins; a block that is not there any more is passed over.
      if (offset + size > read) return i == first ? first + 1 : i;
      Head head{};
      std::memcpy(head.data(), window_.data() + offset, size);
      look_at(blocks_[i], head);
    }
    return end;
  }

  void look_at(TypedBlock& block, const Head& head) {
    for (const std::size_t pre_header : kPreHeaders) {
      if (block.size < pre_header + sizeof(PyObject)) return;
      const std::uint32_t number = types_.find(compat::type_word(head, pre_header));
      if (number == 0) continue;
      const compat::Shape& shape = types_[number].shape;
      if (shape.pre_header != pre_header || !compat::can_be(head, block.size, shape)) continue;
      block.type = number;
      return claim_bodies(head, shape, number, memory_, claims_);
    }
  }

  std::vector<TypedBlock>& blocks_;
  const TypeTable& types_;
  const os::MemoryReader& memory_;
  Claims claims_;
  std::vector<std::byte> window_;
};

}  // namespace

Claims claims_of_untraced(const Era& era, const TypeTable& types, const os::MemoryReader& memory) {
  Claims claims;
  const auto claim = [&](PyObject* object) {
    const std::uint32_t number = types.find(reinterpret_cast<std::uintptr_t>(Py_TYPE(object)));
    if (number == 0 || !compat::has_bodies(types[number].shape) || era.find(compat::block_of(object))) return true;
    claim_bodies(compat::head_of(object, types[number].shape), types[number].shape, number, memory, claims);
    return true;
  };
  for_each_certain_object(claim);
  if (PyObject* const interned = compat::interned_texts()) claim(interned);
  return claims;
}

std::vector<TypedBlock> blocks_with_types(const Era& era, const TypeTable& types, const os::MemoryReader& memory,
                                          Claims untraced) {
  std::vector<TypedBlock> blocks;
  era.blocks().for_each([&](std::uint64_t address, const Block& block) {
    blocks.push_back({address, block.size, block.record, TypedBlock::kNoType});
  });
  Scan scan(blocks, types, memory, std::move(untraced));
  scan.find_objects();
  scan.find_bodies();
  // Of other domains, or not where an allocator of Python's puts objects.
  era.other_blocks().for_each([&](SpaceId, std::uint64_t address, const Block& block) {
    blocks.push_back({address, block.size, block.record, TypedBlock::kNoType});
  });
  return blocks;
}

}  // namespace memtrace
