// Address -> (record, size), for blocks aligned to 16 bytes below 2^48: one 32-bit slot for each 16 bytes of address
// space.
//
// No hashing, no resizing, and nobody ever waits: the slots of a block are touched only by whoever owns the block (its
// allocator's caller until it returns, then the program that frees it), and the program already orders those.
// Neighbours in memory share cache lines here, too.
//
//   slot     31 30 29 28      27 ............ 0
//   empty     0  .  .  .      0
//   small     1  size(5)      record(26)          a block of at most 16 bytes: everything in its only slot
//   start     0  1  c  0 0 0  record(26)          a larger block; c: a registered code object, slot 2 has its id
//   more      0  0  1  m      payload(28)         slot 1: the size; m: slot 2 has the size's next 28 bits
//
// Every slot says what it is, so a walk over the table needs no lock: what is just changing does not parse, and is left
// out. A block whose free was never seen (an allocator swapped under us) leaves its slots behind; add() clears what it
// overlaps and reports it, so that counters and slots agree at all times.
//
// Memory: 4 bytes of slots for 16 of traced address space, committed by the page; a region of 16 MiB reserves 4 MiB of
// address space.
// Limits: sizes below 2^56. Thread-safety: wait-free but for the first touch of a region, which is lock-free.
#pragma once

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "src/base/check.h"
#include "src/base/hot.h"
#include "src/base/types.h"
#include "src/mem/os.h"

namespace memtrace {

// In this order it fits two registers; by memory it would stall whoever reads it back.
struct Block {
  RecordId record = kNone;
  CodeId code = kNone;  // of a registered code object; its record is kNone when it is older than the trace
  std::uint64_t size = 0;

  explicit operator bool() const noexcept { return record != kNone || code != kNone; }
};

template <template <typename> class Atom = std::atomic>
class BasicBlockTable {
 public:
  static constexpr unsigned kAddressBits = 48;
  static constexpr std::uint64_t kMaxSize = (std::uint64_t{1} << 56) - 1;

  BasicBlockTable() = default;
  BasicBlockTable(const BasicBlockTable&) = delete;
  BasicBlockTable& operator=(const BasicBlockTable&) = delete;
  ~BasicBlockTable() {
    for_each_region([](std::uint64_t, Slot* region) { os::unmap(region, region_bytes()); });
    for (auto& entry : root_)
      if (Middle* middle = entry.load(std::memory_order_relaxed)) os::unmap(middle, sizeof(Middle));
  }

  // Whether a block at `address` can be kept here; others go to the AddressTable.
  static bool covers(const void* address) noexcept {
    const auto bits = reinterpret_cast<std::uintptr_t>(address);
    return (bits & (~std::uintptr_t{0} << kAddressBits | 15)) == 0;
  }
  // Whether there can be a slot for `address`, aligned or not.
  static bool reaches(const void* address) noexcept {
    return reinterpret_cast<std::uintptr_t>(address) >> kAddressBits == 0;
  }

  // Enters a block; false when memory cannot be had or the size is beyond kMaxSize (nothing is changed then).
  // `evict(Block)` is called for each older block whose slots this one needs. pre: covers(address), record != kNone.
  template <typename Evict>
  bool add(const void* address, RecordId record, std::uint64_t size, Evict&& evict) noexcept {
    if (add_plain(address, record, size)) return true;
    Slot* slot = make_slot(address);
    if (slot == nullptr) return false;
    if (size > kPayload) return add_large(slot, address, record, size, evict);
    clear_run(slot, size <= 16 ? 1 : 2, address, evict);
    return add_plain(address, record, size);
  }

  // add(), unless it takes more: then false, and nothing is changed.
  MT_HOT bool add_plain(const void* address, RecordId record, std::uint64_t size) noexcept {
    Slot* slot = find_slot(address);
    if (slot == nullptr) [[unlikely]]
      return false;
    if (size <= 16) {
      if (load(slot) != 0) [[unlikely]]
        return false;
      publish(slot, kSmall | static_cast<std::uint32_t>(size) << kRecordBits | record);
      return true;
    }
    if (size > kPayload || (load(slot) | load(slot + 1)) != 0) [[unlikely]]
      return false;
    publish(slot + 1, kMore | static_cast<std::uint32_t>(size));
    publish(slot, kStart | record);
    return true;
  }

  // Removes the block that starts at `address` and returns it; empty when there is none. pre: covers(address).
  MT_HOT Block take(const void* address) noexcept {
    Slot* slot = find_slot(address);
    if (slot == nullptr) [[unlikely]]
      return {};
    const std::uint32_t word = load(slot);
    if ((word & kSmall) != 0) {
      store(slot, 0);
      return small_block(word);
    }
    if ((word & kStart) == 0) return {};
    const std::uint32_t next = load(slot + 1);
    store(slot, 0);
    store(slot + 1, 0);
    if (((word & kCode) | (next & kContinued)) == 0) [[likely]]
      return {.record = word & kRecordMask, .size = next & kPayload};
    const Block block = start_block(word, next, load(slot + 2));
    store(slot + 2, 0);
    return block;
  }

  // Undoes a take() whose block turned out to live on. pre: nothing was entered there since.
  void put_back(const void* address, const Block& block) noexcept {
    if (block.record != kNone) add(address, block.record, block.size, [](const Block&) {});
    if (block.code != kNone) mark_code(address, block.code);
  }

  Block find(const void* address) const noexcept {
    const Slot* slot = find_slot(address);
    return slot == nullptr ? Block{} : read(slot);
  }

  // Gives the block at `address` the record that `record_of()` says, unless that is kNone, and returns the block as it
  // was; asks nothing when there is none. pre: the caller owns it.
  template <typename RecordOf>
  MT_HOT Block exchange_record(const void* address, RecordOf&& record_of) noexcept {
    Slot* slot = find_slot(address);
    if (slot == nullptr) return {};
    const Block block = parse(slot);
    if (block.record == kNone) return block;
    const RecordId record = record_of();
    if (record != kNone) publish(slot, (load(slot) & ~kRecordMask) | record);
    return block;
  }

  // What is at an address, for whoever wants to take a block of the common kind, or to give it another record, at the
  // least cost.
  // Plain: larger than 16 bytes, one word of size, no code object, no record of a thread's own.
  enum class Kind { kNone, kPlain, kOther };
  class Found {
   public:
    Kind kind() const noexcept { return kind_; }
    // pre, for these: kind() is kPlain.
    RecordId record() const noexcept { return word_ ^ kStart; }
    std::uint64_t size() const noexcept { return next_ ^ kMore; }
    void give_to(RecordId record) const noexcept { publish(slot_, kStart | record); }
    void take() const noexcept {
      store(slot_, 0);
      store(slot_ + 1, 0);
    }

   private:
    friend class BasicBlockTable;
    Found(Kind kind, Atom<std::uint32_t>* slot, std::uint32_t word, std::uint32_t next) noexcept
        : kind_(kind), slot_(slot), word_(word), next_(next) {}

    Kind kind_;
    Atom<std::uint32_t>* slot_;
    std::uint32_t word_;
    std::uint32_t next_;
  };

  // pre: covers(address), the caller owns it.
  MT_HOT Found look_at(const void* address) const noexcept {
    Slot* slot = find_slot(address);
    if (slot == nullptr) [[unlikely]]
      return {Kind::kNone, slot, 0, 0};
    const std::uint32_t word = load(slot);
    static_assert(kThreadRecords == 1u << (kRecordBits - 1));
    if (word >> (kRecordBits - 1) != kStart >> (kRecordBits - 1))
      return {(word & (kSmall | kStart)) == 0 ? Kind::kNone : Kind::kOther, slot, word, 0};
    const std::uint32_t next = load(slot + 1);
    return {next >> kPayloadBits == kMore >> kPayloadBits ? Kind::kPlain : Kind::kOther, slot, word, next};
  }

  // Notes that the code object at `address` has this id, so that its free will say so. A code object needs no block of
  // ours: those older than the trace, and those that are static data, get a slot of their own. Several threads may do
  // this at once for one code object. False when memory cannot be had or the block's slots have no room for the mark.
  // pre: reaches(address); the code object is alive.
  bool mark_code(const void* address, CodeId code) noexcept {
    Slot* slot = find_slot(address);
    if (slot == nullptr) slot = make_slot(address);
    if (slot == nullptr || !has_room_for_code(slot)) return false;
    if ((load(slot) & kStart) == 0) publish(slot + 1, kMore);
    publish(slot + 2, kMore | code);
    slot->fetch_or(kStart | kCode, std::memory_order_release);
    return true;
  }

  // pre: code_at(address) is not kNone.
  void unmark_code(const void* address) noexcept {
    Slot* slot = find_slot(address);
    store(slot + 2, 0);
    const std::uint32_t word = load(slot) & ~kCode;
    store(slot, (word & kRecordMask) == kNone ? 0 : word);
    if ((word & kRecordMask) == kNone) store(slot + 1, 0);
  }

  // The id of the registered code object at `address`, or kNone. pre: reaches(address).
  CodeId code_at(const void* address) const noexcept {
    const Slot* slot = find_slot(address);
    if (slot == nullptr) return kNone;
    const std::uint32_t word = slot->load(std::memory_order_acquire);
    if ((word & (kSmall | kStart | kCode)) != (kStart | kCode)) return kNone;
    const std::uint32_t code = (slot + 2)->load(std::memory_order_acquire);
    return (code & kTags) == kMore ? code & kPayload : kNone;
  }

  // Calls visit(address, Block) for each block with a record, in address order. Blocks that come or go meanwhile may be
  // missed or seen.
  template <typename Visit>
  void for_each(Visit&& visit) const {
    for_each_region([&](std::uint64_t first_address, const Slot* region) {
      for_each_run(region, [&](const Slot* slot, const Slot* end) {
        // Runs consist of whole pages, hence of whole groups.
        for (; slot < end; slot += kGroup) {
          for (std::uint32_t starts = starts_in_group(slot); starts != 0; starts &= starts - 1) {
            const Slot* start = slot + std::countr_zero(starts);
            const Block block = read(start);
            if (block.record != kNone) visit(first_address + (static_cast<std::uint64_t>(start - region) << 4), block);
          }
        }
      });
    });
  }

  // The page of the table that has the slots of `address` (a block at its end has one in the next), as a number.
  static std::uint64_t page_of(const void* address) noexcept {
    return (reinterpret_cast<std::uintptr_t>(address) >> 4) * sizeof(Slot) / os::page_size();
  }

  std::size_t resident_bytes() const noexcept {
    std::size_t total = 0;
    for_each_region([&](std::uint64_t, const Slot* region) { total += os::resident_bytes(region, region_bytes()); });
    return total;
  }

  // Every start is followed by its size and every size slot preceded by its start. Debug builds and tests;
  // single-threaded.
  bool verify() const noexcept {
    bool good = true;
    for_each_region([&](std::uint64_t, const Slot* region) {
      const Slot* next = region;  // behind the last block seen
      for_each_run(region, [&](const Slot* first, const Slot* end) {
        for (next = std::max(next, first); next < end;) {
          const std::uint32_t word = load(next);
          if (word == 0 || (word & kSmall) != 0) {
            ++next;
            continue;
          }
          if ((word & kStart) == 0) good = false;  // a size slot without a start
          const unsigned length = run_length(next, word);
          for (unsigned i = 1; i < length; ++i) good &= (load(next + i) & kTags) == kMore;
          next += length;
        }
      });
    });
    return good;
  }

 private:
  using Slot = Atom<std::uint32_t>;

  static constexpr std::uint32_t kSmall = 1u << 31;
  static constexpr std::uint32_t kStart = 1u << 30;
  static constexpr std::uint32_t kCode = 1u << 29;  // with kStart
  static constexpr std::uint32_t kMore = 1u << 29;  // without kSmall and kStart
  static constexpr std::uint32_t kContinued = 1u << 28;
  static constexpr std::uint32_t kTags = kSmall | kStart | kMore;
  static constexpr unsigned kPayloadBits = 28;
  static constexpr std::uint32_t kPayload = (1u << kPayloadBits) - 1;
  static constexpr std::uint32_t kRecordMask = (1u << kRecordBits) - 1;

  static constexpr unsigned kRegionBits = 24;
  static constexpr unsigned kMiddleBits = 11;
  static constexpr std::size_t kRegionSlots = std::size_t{1} << (kRegionBits - 4);
  static constexpr std::size_t kMiddleSize = std::size_t{1} << kMiddleBits;
  static constexpr std::size_t kRootSize = std::size_t{1} << (kAddressBits - kRegionBits - kMiddleBits);

  struct Middle {
    Atom<Slot*> regions[kMiddleSize];
  };

  static std::uint32_t load(const Slot* slot) noexcept { return slot->load(std::memory_order_relaxed); }
  static void store(Slot* slot, std::uint32_t word) noexcept { slot->store(word, std::memory_order_relaxed); }
  // For what a walk may read: who sees the word also sees the record it names, and that the block before it is gone.
  static void publish(Slot* slot, std::uint32_t word) noexcept { slot->store(word, std::memory_order_release); }

  // A block that starts in a region's last granule keeps its size in the page behind the slots.
  static std::size_t region_bytes() noexcept { return kRegionSlots * sizeof(Slot) + os::page_size(); }

  static Block small_block(std::uint32_t word) noexcept {
    return {.record = word & kRecordMask, .size = word >> kRecordBits & 31};
  }

  static Block start_block(std::uint32_t word, std::uint32_t next, std::uint32_t third) noexcept {
    Block block{.record = word & kRecordMask, .size = next & kPayload};
    if ((third & kTags) == kMore) {
      if ((word & kCode) != 0)
        block.code = third & kPayload;
      else
        block.size |= std::uint64_t{third & kPayload} << kPayloadBits;
    }
    return block;
  }

  // The slots of the block that starts with `word`.
  static unsigned run_length(const Slot* slot, std::uint32_t word) noexcept {
    if ((word & kStart) == 0) return 1;
    return ((word & kCode) | (load(slot + 1) & kContinued)) != 0 ? 3 : 2;
  }

  // Whether slot 2 can take the mark: it is the block's own, or nobody's, and no block whose free was never seen lies
  // in it.
  static bool has_room_for_code(const Slot* slot) noexcept {
    const std::uint32_t word = load(slot);
    const std::uint32_t next = load(slot + 1);
    if ((word & (kSmall | kStart)) != kStart) return word == 0 && ((next | load(slot + 2)) & (kSmall | kStart)) == 0;
    if ((word & kCode) != 0) return true;
    return (next & kContinued) == 0 && (next & kPayload) > 32 && (load(slot + 2) & (kSmall | kStart)) == 0;
  }

  // One cache line of slots: a walk looks at them together, for most are the insides of larger blocks. Bit i of the result
  // says that something starts in slot i.
  static constexpr std::ptrdiff_t kGroup = 16;
  static std::uint32_t starts_in_group(const Slot* slot) noexcept {
#if defined(__SSE2__) && !defined(__SANITIZE_THREAD__)
    if constexpr (std::is_same_v<Slot, std::atomic<std::uint32_t>>) {
      // Not an atomic load, but each word of it is whole, and read() looks again at what was found.
      const auto* words = reinterpret_cast<const __m128i*>(slot);
      const auto to_sign = [](__m128i word) { return _mm_or_si128(word, _mm_slli_epi32(word, 1)); };
      const auto pair = [&](int i) {
        return _mm_packs_epi32(to_sign(_mm_load_si128(words + i)), to_sign(_mm_load_si128(words + i + 1)));
      };
      return static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_packs_epi16(pair(0), pair(2))));
    }
#endif
    std::uint32_t starts = 0;
    for (std::ptrdiff_t i = 0; i < kGroup; ++i)
      starts |= static_cast<std::uint32_t>((load(slot + i) & (kSmall | kStart)) != 0) << i;
    return starts;
  }

  // What parse() gives, while the block's owner may be at it: never parts of two blocks.
  static Block read(const Slot* slot) noexcept {
    for (;;) {
      const std::uint32_t word = slot->load(std::memory_order_acquire);
      if ((word & kSmall) != 0) return small_block(word);
      if ((word & kStart) == 0) return {};
      const std::uint32_t next = (slot + 1)->load(std::memory_order_acquire);
      const std::uint32_t third =
          ((word & kCode) | (next & kContinued)) == 0 ? 0 : (slot + 2)->load(std::memory_order_acquire);
      if (load(slot) == word && load(slot + 1) == next)
        return (next & kTags) == kMore ? start_block(word, next, third) : Block{};
    }
  }

  MT_HOT static Block parse(const Slot* slot) noexcept {
    const std::uint32_t word = slot->load(std::memory_order_acquire);
    if ((word & kSmall) != 0) return small_block(word);
    if ((word & kStart) == 0) return {};
    const std::uint32_t next = load(slot + 1);
    if ((next & kTags) != kMore) return {};
    if (((word & kCode) | (next & kContinued)) == 0) return {.record = word & kRecordMask, .size = next & kPayload};
    return start_block(word, next, load(slot + 2));
  }

  MT_HOT Slot* find_slot(const void* address) const noexcept {
    const auto bits = reinterpret_cast<std::uintptr_t>(address);
    const Middle* middle = root_[bits >> (kRegionBits + kMiddleBits)].load(std::memory_order_acquire);
    if (middle == nullptr) [[unlikely]]
      return nullptr;
    Slot* region = middle->regions[bits >> kRegionBits & (kMiddleSize - 1)].load(std::memory_order_acquire);
    if (region == nullptr) [[unlikely]]
      return nullptr;
    return region + (bits >> 4 & (kRegionSlots - 1));
  }

  template <typename Evict>
  MT_COLD static bool add_large(Slot* slot, const void* address, RecordId record, std::uint64_t size,
                                Evict& evict) noexcept {
    if (size > kMaxSize) return false;
    clear_run(slot, 3, address, evict);
    publish(slot + 2, kMore | static_cast<std::uint32_t>(size >> kPayloadBits));
    publish(slot + 1, kMore | kContinued | (static_cast<std::uint32_t>(size) & kPayload));
    publish(slot, kStart | record);
    return true;
  }

  MT_COLD Slot* make_slot(const void* address) noexcept {
    const auto bits = reinterpret_cast<std::uintptr_t>(address);
    auto& root = root_[bits >> (kRegionBits + kMiddleBits)];
    Middle* middle = install(root, sizeof(Middle));
    if (middle == nullptr) return nullptr;
    if (install(middle->regions[bits >> kRegionBits & (kMiddleSize - 1)], region_bytes()) == nullptr) return nullptr;
    return find_slot(address);
  }

  template <typename T>
  static T* install(Atom<T*>& where, std::size_t size) noexcept {
    T* present = where.load(std::memory_order_acquire);
    if (present != nullptr) return present;
    T* fresh = static_cast<T*>(os::map(size));
    if (fresh == nullptr) return nullptr;
    if (where.compare_exchange_strong(present, fresh, std::memory_order_acq_rel)) return fresh;
    os::unmap(fresh, size);
    return present;
  }

  // Removes all blocks that use one of the `count` slots from `slot` on. `address` only tells how far back the region
  // goes.
  template <typename Evict>
  MT_COLD static void clear_run(Slot* slot, unsigned count, const void* address, Evict& evict) noexcept {
    const std::size_t index = reinterpret_cast<std::uintptr_t>(address) >> 4 & (kRegionSlots - 1);
    // A start reaches at most two slots ahead.
    const unsigned back = static_cast<unsigned>(std::min<std::size_t>(index, 2));
    for (Slot* start = slot - back; start < slot + count; ++start) {
      const std::uint32_t word = load(start);
      if ((word & (kSmall | kStart)) == 0) continue;
      const Block block = parse(start);
      const unsigned length = (word & kSmall) != 0 ? 1 : run_length(start, word);
      if (start + length <= slot) continue;
      for (unsigned i = 0; i < length; ++i) store(start + i, 0);
      evict(block);
    }
    // What is left can only be a part of a block that was never complete.
    for (unsigned i = 0; i < count; ++i) store(slot + i, 0);
  }

  // Calls visit(first, end) for each run of a region's slots that are backed by memory; the others are empty.
  template <typename Visit>
  static void for_each_run(const Slot* region, Visit&& visit) {
    struct Walk {
      Visit& visit;
      const Slot* end;
    } walk{visit, region + kRegionSlots};
    os::for_each_resident(region, region_bytes(), &walk, [](void* context, const char* first, const char* last) {
      const Walk& w = *static_cast<Walk*>(context);
      w.visit(reinterpret_cast<const Slot*>(first), std::min(reinterpret_cast<const Slot*>(last), w.end));
    });
  }

  template <typename Visit>
  void for_each_region(Visit&& visit) const {
    for (std::size_t i = 0; i < kRootSize; ++i) {
      const Middle* middle = root_[i].load(std::memory_order_acquire);
      if (middle == nullptr) continue;
      for (std::size_t j = 0; j < kMiddleSize; ++j)
        if (Slot* region = middle->regions[j].load(std::memory_order_acquire))
          visit((std::uint64_t{i} << kMiddleBits | j) << kRegionBits, region);
    }
  }

  Atom<Middle*> root_[kRootSize] = {};
};

using BlockTable = BasicBlockTable<std::atomic>;

}  // namespace memtrace
