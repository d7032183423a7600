// The address table against a std::map from (space, address) to blocks.
#include "src/table/address_table.h"

#include <catch2/catch_test_macros.hpp>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "tests/model/sequence.h"
#include "tests/support/scale.h"

using namespace memtrace;

namespace {

using Key = std::pair<SpaceId, std::uint64_t>;

std::string text_of(const Block& block) {
  return "{" + std::to_string(block.record) + ", " + std::to_string(block.size) + "}";
}
bool equal(const Block& a, const Block& b) { return a.record == b.record && a.size == b.size && a.code == b.code; }

class World {
 public:
  enum Kind { kAdd, kTake };
  struct Operation {
    Kind kind;
    SpaceId space;
    std::uint64_t address;
    RecordId record;
    std::uint64_t size;

    std::string code() const {
      return std::string("apply({World::") + (kind == kAdd ? "kAdd" : "kTake") + ", " + std::to_string(space) + ", " +
             std::to_string(address) + "u, " + std::to_string(record) + ", " + std::to_string(size) + "u})";
    }
  };

  static Operation random(test::Random& random) {
    constexpr Kind kinds[] = {kAdd, kAdd, kTake};
    constexpr SpaceId spaces[] = {0, 1, 0xffff};
    constexpr std::uint64_t sizes[] = {0, 1, 1u << 28, ~std::uint64_t{0}};
    // Few enough to meet again, enough to grow several times.
    const std::uint64_t address =
        random.one_in(8) ? (std::uint64_t{1} << 48) - 1 - random.below(4) : 1 + random.below(300) * 24;
    return {random.pick(kinds), random.pick(spaces), address, static_cast<RecordId>(1 + random.below(kRecordLimit - 1)),
            random.one_in(2) ? random.below(5000) : random.pick(sizes)};
  }

  std::string apply(const Operation& operation) {
    const std::uint64_t address = operation.address;
    const Key key{operation.space, operation.address};
    const Block before = model_.contains(key) ? model_[key] : Block{};
    Block actual;
    if (operation.kind == kAdd) {
      if (!table_.add(operation.space, address, operation.record, operation.size, actual)) return "add() failed";
      model_[key] = {.record = operation.record, .size = operation.size};
    } else {
      actual = table_.take(operation.space, address);
      model_.erase(key);
    }
    if (!equal(actual, before)) return "the block before is " + text_of(actual) + " instead of " + text_of(before);
    const Block now = model_.contains(key) ? model_[key] : Block{};
    if (!equal(table_.find(operation.space, address), now)) return "find() differs";
    if (++applied_ % 16 != 0) return {};
    std::map<Key, Block> seen;
    bool twice = false;
    table_.for_each([&](SpaceId space, std::uint64_t at, const Block& block) {
      twice |= !seen.emplace(Key{space, at}, block).second;
    });
    if (twice) return "for_each() visits a block twice";
    return std::equal(seen.begin(), seen.end(), model_.begin(), model_.end(),
                      [](const auto& a, const auto& b) { return a.first == b.first && equal(a.second, b.second); })
               ? ""
               : "for_each() differs";
  }

 private:
  AddressTable table_;
  std::map<Key, Block> model_;
  unsigned applied_ = 0;
};

}  // namespace

TEST_CASE("the address table does what a map does") { test::Sequences<World>::check(test::scaled(40u), 1500); }
