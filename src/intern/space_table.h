// (domain, upper 16 bits of an address) -> space: makes one 64-bit key of a domain and an address.
//
// The addresses that a domain reports need not be memory: a library may give handles. So all 64 bits count.
// Limits: 2^16 - 1 spaces. Thread-safety: lock-free.
#pragma once

#include <cstdint>
#include <optional>

#include "src/base/hash.h"
#include "src/base/types.h"
#include "src/intern/id_index.h"
#include "src/mem/chunked_array.h"

namespace memtrace {

class SpaceTable {
  struct Key {
    Domain domain = 0;
    std::uint32_t upper = 0;

    friend bool operator==(const Key&, const Key&) = default;
  };

 public:
  static constexpr unsigned kAddressBits = 48;
  static constexpr std::uint64_t kAddressMask = (std::uint64_t{1} << kAddressBits) - 1;
  static constexpr std::uint32_t kMaxSpaces = (1u << 16) - 1;

  // The space of `address`, entered if need be; none when there is no room for another one.
  std::optional<SpaceId> intern(Domain domain, std::uint64_t address) noexcept {
    const Key key = key_of(domain, address);
    if (const auto present = find(key)) return present;
    if (spaces_.end() > kMaxSpaces) return {};
    const std::uint32_t id = spaces_.append();
    if (id == kNone || id > kMaxSpaces) return {};
    spaces_[id] = key;
    return some(index_.insert(hash_of(key), id, [&](std::uint32_t other) { return spaces_[other] == key; }));
  }

  // As above; none when it was never entered.
  std::optional<SpaceId> find(Domain domain, std::uint64_t address) const noexcept {
    return find(key_of(domain, address));
  }

  std::size_t resident_bytes() const noexcept { return spaces_.resident_bytes() + index_.resident_bytes(); }

 private:
  static Key key_of(Domain domain, std::uint64_t address) noexcept {
    return {domain, static_cast<std::uint32_t>(address >> kAddressBits)};
  }
  static std::uint32_t hash_of(const Key& key) noexcept { return static_cast<std::uint32_t>(hash64(&key, sizeof key)); }
  static std::optional<SpaceId> some(std::uint32_t id) noexcept {
    return id == kNone ? std::nullopt : std::optional(static_cast<SpaceId>(id));
  }
  std::optional<SpaceId> find(const Key& key) const noexcept {
    if (key == Key{}) return SpaceId{0};  // Python's own, at the addresses that there are today
    return some(index_.find(hash_of(key), [&](std::uint32_t id) { return spaces_[id] == key; }));
  }

  AppendArray<Key, 8, 256> spaces_;
  IdIndex<> index_;
};

}  // namespace memtrace
