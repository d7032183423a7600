// The objects that a walk over references has met: by address, with how each was reached.
//
//   number      1, 2, 3, … in the order in which objects were met; 0 is none
//   parent      whatever the walk notes of how it came here, 0 at first
//   references  how many references to it the walk has seen
//
// A reference costs one look-up, and that is one cache line: 16 bytes an object in a table that is at most three quarters
// full, 16 more by number. Limits: 2^31 objects. Throws std::bad_alloc. Thread-safety: belongs to one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <vector>

namespace memtrace {

class ReachedObjects {
 public:
  // The number of an object that was met before, or none.
  std::uint32_t find(const void* address) const noexcept {
    if (slots_.empty()) return 0;
    return slots_[place_of(address)].number;
  }

  // The number of the object, a new one where it was not met before.
  std::uint32_t meet(const void* address) { return slot_of(address).number; }

  // The same for whoever has come by a reference.
  std::uint32_t meet_by_reference(const void* address) {
    Slot& slot = slot_of(address);
    ++slot.references;
    return slot.number;
  }

  const void* address(std::uint32_t number) const noexcept { return objects_[number - 1].address; }
  std::uint32_t parent(std::uint32_t number) const noexcept { return objects_[number - 1].parent; }
  void set_parent(std::uint32_t number, std::uint32_t parent) noexcept { objects_[number - 1].parent = parent; }
  std::uint32_t references(std::uint32_t number) const noexcept { return slots_[place_of(address(number))].references; }

  // The highest number.
  std::uint32_t last() const noexcept { return static_cast<std::uint32_t>(objects_.size()); }

 private:
  struct Slot {
    const void* address = nullptr;
    std::uint32_t number = 0;
    std::uint32_t references = 0;
  };
  struct Object {
    const void* address;
    std::uint32_t parent;
  };

  static constexpr std::size_t kFirstSlots = 1024;
  static constexpr std::size_t kMostSlots = std::size_t{1} << 32;

  Slot& slot_of(const void* address) {
    if (objects_.size() >= slots_.size() / 4 * 3) grow();
    Slot& slot = slots_[place_of(address)];
    if (slot.number == 0) {
      objects_.push_back({address, 0});
      slot.address = address;
      slot.number = last();
    }
    return slot;
  }

  // Where the address is, or would be put. pre: there are slots.
  std::size_t place_of(const void* address) const noexcept {
    const std::size_t mask = slots_.size() - 1;
    // Objects lie side by side at multiples of 16: the high half of a product tells them apart.
    const std::uint64_t product = reinterpret_cast<std::uintptr_t>(address) * 0x9e3779b97f4a7c15ull;
    std::size_t place = static_cast<std::size_t>(product >> 32) & mask;
    while (slots_[place].number != 0 && slots_[place].address != address) place = (place + 1) & mask;
    return place;
  }

  void grow() {
    if (slots_.size() >= kMostSlots) throw std::bad_alloc();
    std::vector<Slot> old(slots_.empty() ? kFirstSlots : slots_.size() * 2);
    old.swap(slots_);
    for (const Slot& slot : old)
      if (slot.number != 0) slots_[place_of(slot.address)] = slot;
  }

  std::vector<Slot> slots_;  // a power of two of them
  std::vector<Object> objects_;
};

}  // namespace memtrace
