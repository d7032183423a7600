// Stable sort of indices by 64-bit keys: least significant digit first, digits that are the same for all keys skipped.
// O(n) for each digit in use. Sorting by several keys: the least significant key first.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace memtrace::snapshot {

struct Keyed {
  std::uint64_t key;
  std::uint32_t value;
};

inline void radix_sort(std::vector<Keyed>& items) {
  constexpr unsigned kBits = 11;
  constexpr std::size_t kBuckets = std::size_t{1} << kBits;
  if (items.size() < 128) {
    std::stable_sort(items.begin(), items.end(), [](const Keyed& a, const Keyed& b) { return a.key < b.key; });
    return;
  }
  std::uint64_t all_ones = ~std::uint64_t{0}, any_ones = 0;
  for (const Keyed& item : items) {
    all_ones &= item.key;
    any_ones |= item.key;
  }
  const std::uint64_t varying = all_ones ^ any_ones;
  std::vector<Keyed> other(items.size());
  for (unsigned shift = 0; shift < 64; shift += kBits) {
    if (((varying >> shift) & (kBuckets - 1)) == 0) continue;
    std::array<std::size_t, kBuckets> begin{};
    for (const Keyed& item : items) ++begin[(item.key >> shift) & (kBuckets - 1)];
    std::size_t total = 0;
    for (std::size_t& count : begin) {
      const std::size_t here = count;
      count = total;
      total += here;
    }
    for (const Keyed& item : items) other[begin[(item.key >> shift) & (kBuckets - 1)]++] = item;
    items.swap(other);
  }
}

// Puts the indices in `order` into falling order of key(index); equal keys stay in their order.
template <class Key>
void sort_descending(std::vector<std::uint32_t>& order, Key&& key) {
  std::vector<Keyed> items(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) items[i] = {~static_cast<std::uint64_t>(key(order[i])), order[i]};
  radix_sort(items);
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = items[i].value;
}

// A stable counting sort of `values` by bucket(value), which is below `buckets`.
template <class Bucket>
std::vector<std::uint32_t> counting_sort(std::span<const std::uint32_t> values, std::size_t buckets, Bucket&& bucket) {
  std::vector<std::uint32_t> begin(buckets + 1, 0);
  for (const std::uint32_t value : values) ++begin[bucket(value) + 1];
  for (std::size_t i = 1; i < begin.size(); ++i) begin[i] += begin[i - 1];
  std::vector<std::uint32_t> sorted(values.size());
  for (const std::uint32_t value : values) sorted[begin[bucket(value)]++] = value;
  return sorted;
}

}  // namespace memtrace::snapshot
