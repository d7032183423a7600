// The marks of several snapshots in one order.
//
// Generations are numbers that rise with time, and `since a mark` compares them. Several processes number their marks by
// themselves: a mark is the same in two of them when it has the same name, or the same number where it has none.
// Private to snapshot/. Thread-safety: pure functions.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace memtrace::snapshot {

// The generations of one snapshot, with the names of the marks that began them, empty where they have none.
using Marks = std::map<std::uint32_t, std::string_view>;
using NewNumbers = std::unordered_map<std::uint32_t, std::uint32_t>;

// The new number of each generation by its old one, for each snapshot; 0, what was before all marks, stays 0. All stay
// what they are when the same mark has the same number everywhere. None when no order is that of every snapshot.
std::optional<std::vector<NewNumbers>> order_marks(std::span<const Marks> snapshots);

}  // namespace memtrace::snapshot
