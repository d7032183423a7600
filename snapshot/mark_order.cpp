#include "snapshot/mark_order.h"

#include <algorithm>
#include <cstddef>
#include <set>
#include <tuple>
#include <utility>

namespace memtrace::snapshot {

namespace {

// Name, number where there is no name, and which one of several alike in its snapshot it is.
using Identity = std::tuple<std::string_view, std::uint32_t, std::uint32_t>;

struct Mark {
  std::uint32_t number;  // in its snapshot
  std::size_t id;  // of its identity
};

using Chain = std::vector<Mark>;  // in the order of time

std::vector<Chain> to_chains(std::span<const Marks> snapshots) {
  std::map<Identity, std::size_t> ids{{{}, 0}};
  std::vector<Chain> chains;
  for (const Marks& marks : snapshots) {
    Chain chain{{0, 0}};
    std::map<std::string_view, std::uint32_t> met;
    for (const auto& [number, name] : marks) {
      if (number == 0) continue;
      const Identity identity = name.empty() ? Identity{{}, number, 0} : Identity{name, 0, met[name]++};
      chain.push_back({number, ids.try_emplace(identity, ids.size()).first->second});
    }
    chains.push_back(std::move(chain));
  }
  return chains;
}

bool numbers_agree(const std::vector<Chain>& chains) {
  std::set<std::pair<std::uint32_t, std::size_t>> pairs;
  std::set<std::uint32_t> numbers;
  std::set<std::size_t> ids;
  for (const Chain& chain : chains) {
    for (const auto& [number, id] : chain) {
      pairs.emplace(number, id);
      numbers.insert(number);
      ids.insert(id);
    }
  }
  return pairs.size() == numbers.size() && pairs.size() == ids.size();
}

// By id; fewer than there are ids when the chains contradict each other.
std::unordered_map<std::size_t, std::uint32_t> ranks_of(const std::vector<Chain>& chains) {
  std::unordered_map<std::size_t, std::vector<std::size_t>> later;
  std::unordered_map<std::size_t, std::size_t> unranked_before;
  for (const Chain& chain : chains) {
    for (std::size_t i = 1; i < chain.size(); ++i) {
      later[chain[i - 1].id].push_back(chain[i].id);
      ++unranked_before[chain[i].id];
    }
  }
  std::unordered_map<std::size_t, std::uint32_t> ranks;
  std::vector<std::size_t> ready{0};
  for (std::size_t next = 0; next < ready.size(); ++next) {
    const std::size_t id = ready[next];
    ranks.emplace(id, static_cast<std::uint32_t>(next));
    for (const std::size_t after : later[id]) {
      if (--unranked_before[after] == 0) ready.push_back(after);
    }
  }
  return ranks;
}

}  // namespace

std::optional<std::vector<NewNumbers>> order_marks(std::span<const Marks> snapshots) {
  const std::vector<Chain> chains = to_chains(snapshots);
  const bool keep = numbers_agree(chains);
  const auto ranks = keep ? decltype(ranks_of(chains)){} : ranks_of(chains);
  std::vector<NewNumbers> all;
  for (const Chain& chain : chains) {
    NewNumbers& numbers = all.emplace_back();
    for (const auto& [number, id] : chain) {
      const auto rank = ranks.find(id);
      if (!keep && rank == ranks.end()) return std::nullopt;
      numbers[number] = keep ? number : rank->second;
    }
  }
  return all;
}

}  // namespace memtrace::snapshot
