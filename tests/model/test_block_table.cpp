// The block table against a std::map from granules to blocks.
#include "src/table/block_table.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/model/sequence.h"
#include "tests/support/scale.h"

using namespace memtrace;

namespace {

std::string text_of(const Block& block) {
  return "{" + std::to_string(block.record) + ", " + std::to_string(block.size) + ", " + std::to_string(block.code) +
         "}";
}
bool equal(const Block& a, const Block& b) { return a.record == b.record && a.size == b.size && a.code == b.code; }

// Where slots can go wrong: within a page of slots, at its end, at a region's end and the next one's beginning, and at
// the end of all.
constexpr std::uint64_t kWindow = 8;  // granules
constexpr std::uint64_t kWindows[] = {
    0x7f12'3400'0100 >> 4,
    0x7f12'3400'4000 / 16 - kWindow / 2,
    0x7f12'3500'0000 / 16 - kWindow / 2,
    (1ull << 44) - kWindow,
};
constexpr std::uint64_t kPlaces = kWindow * 4;

std::uint64_t granule_of(std::uint64_t place) { return kWindows[place / kWindow] + place % kWindow; }
const void* address_of(std::uint64_t granule) { return reinterpret_cast<const void*>(granule << 4); }

class Model {
 public:
  std::vector<Block> add(std::uint64_t granule, const Block& block) {
    std::vector<Block> evicted;
    const std::uint64_t length = length_of(block);
    for (auto it = blocks_.begin(); it != blocks_.end();) {
      const bool overlaps = region_of(it->first) == region_of(granule) && it->first < granule + length &&
                            granule < it->first + length_of(it->second);
      if (overlaps) evicted.push_back(it->second);
      it = overlaps ? blocks_.erase(it) : std::next(it);
    }
    blocks_[granule] = block;
    return evicted;
  }
  Block take(std::uint64_t granule) {
    const Block block = find(granule);
    blocks_.erase(granule);
    return block;
  }
  Block find(std::uint64_t granule) const {
    const auto it = blocks_.find(granule);
    return it == blocks_.end() ? Block{} : it->second;
  }
  Block exchange_record(std::uint64_t granule, RecordId record) {
    const Block block = find(granule);
    if (block.record != kNone) blocks_[granule].record = record;
    return block;
  }
  bool mark_code(std::uint64_t granule, CodeId code) {
    Block block = find(granule);
    if (block.code == kNone) {
      if (block.record != kNone && (block.size <= 32 || block.size >= 1u << 28)) return false;
      for (const auto& [other, other_block] : blocks_)
        if (region_of(other) == region_of(granule) && other != granule && other < granule + 3 &&
            granule < other + length_of(other_block))
          return false;
    }
    block.code = code;
    blocks_[granule] = block;
    return true;
  }
  void unmark_code(std::uint64_t granule) {
    blocks_[granule].code = kNone;
    if (blocks_[granule].record == kNone) blocks_.erase(granule);
  }
  std::string records() const {
    std::string text;
    for (const auto& [granule, block] : blocks_)
      if (block.record != kNone) text += std::to_string(granule) + text_of(block) + " ";
    return text;
  }

 private:
  static std::uint64_t region_of(std::uint64_t granule) { return granule >> 20; }
  static std::uint64_t length_of(const Block& block) {
    if (block.code != kNone || block.size >= 1u << 28) return 3;
    return block.size <= 16 ? 1 : 2;
  }

  std::map<std::uint64_t, Block> blocks_;
};

class World {
 public:
  enum Kind { kAdd, kTake, kTakeAndPutBack, kExchange, kMark, kUnmark };
  struct Operation {
    Kind kind;
    std::uint64_t place;
    std::uint32_t id;
    std::uint64_t size;
    bool odd;

    std::string code() const {
      static const char* const names[] = {"kAdd", "kTake", "kTakeAndPutBack", "kExchange", "kMark", "kUnmark"};
      return std::string("apply({World::") + names[kind] + ", " + std::to_string(place) + ", " + std::to_string(id) +
             ", " + std::to_string(size) + "u, " + (odd ? "true" : "false") + "})";
    }
  };

  static Operation random(test::Random& random) {
    constexpr Kind kinds[] = {kAdd, kAdd, kAdd, kTake, kTakeAndPutBack, kExchange, kMark, kMark, kUnmark};
    constexpr std::uint64_t sizes[] = {17,
                                       31,
                                       32,
                                       33,
                                       200,
                                       4096,
                                       (1u << 28) - 1,
                                       1u << 28,
                                       (1u << 28) + 1,
                                       0xffff'ffff,
                                       1ull << 40,
                                       BlockTable::kMaxSize};
    const std::uint64_t size = random.one_in(2) ? random.below(17) : random.pick(sizes);
    const auto id = static_cast<std::uint32_t>(random.one_in(4) ? kRecordLimit - 1 : 1 + random.below(1000));
    return {random.pick(kinds), random.below(kPlaces), id, size, random.one_in(2)};
  }

  std::string apply(const Operation& operation) {
    const std::uint64_t granule = granule_of(operation.place);
    const void* const address = address_of(granule);
    std::string found = step(operation, granule, address);
    if (!found.empty()) return found;
    if (!table_->verify()) return "verify() does not hold";
    std::string records;
    table_->for_each(
        [&](std::uint64_t at, const Block& block) { records += std::to_string(at >> 4) + text_of(block) + " "; });
    if (records != model_.records()) return "for_each() gives " + records + "instead of " + model_.records();
    for (std::uint64_t place = 0; place < kPlaces; ++place) {
      const std::uint64_t other = granule_of(place);
      if (const Block block = table_->find(address_of(other)); !equal(block, model_.find(other)))
        return "find(" + std::to_string(place) + ") gives " + text_of(block) + " instead of " +
               text_of(model_.find(other));
      if (table_->code_at(address_of(other)) != model_.find(other).code)
        return "code_at(" + std::to_string(place) + ") differs";
    }
    return {};
  }

 private:
  std::string step(const Operation& operation, std::uint64_t granule, const void* address) {
    // A code object need not begin with a granule.
    const void* const code_address = static_cast<const char*>(address) + (operation.odd ? 8 : 0);
    switch (operation.kind) {
      case kAdd: {
        std::vector<Block> evicted;
        if (!table_->add(address, operation.id, operation.size, [&](const Block& block) { evicted.push_back(block); }))
          return "add() failed";
        return compare_evicted(evicted, model_.add(granule, {.record = operation.id, .size = operation.size}));
      }
      case kTake:
        return compare("take()", table_->take(address), model_.take(granule));
      case kTakeAndPutBack: {
        const Block block = table_->take(address);
        if (block) table_->put_back(address, block);
        return compare("take()", block, model_.find(granule));
      }
      case kExchange:
        if (operation.odd) {
          const Block block = model_.find(granule);
          const BlockTable::Found found = table_->look_at(address);
          const bool is_plain =
              block.size > 16 && block.size < 1u << 28 && block.code == kNone && !is_thread_record(block.record);
          if ((found.kind() == BlockTable::Kind::kNone) == static_cast<bool>(block) ||
              (found.kind() == BlockTable::Kind::kPlain) != is_plain)
            return "look_at() differs";
          if (!is_plain) return {};
          found.give_to(operation.id);
          return compare("look_at()", {.record = found.record(), .size = found.size()},
                         model_.exchange_record(granule, operation.id));
        }
        return compare("exchange_record()", table_->exchange_record(address, [&] { return operation.id; }),
                       model_.exchange_record(granule, operation.id));
      case kMark:
        return table_->mark_code(code_address, operation.id & 0xffffff) ==
                       model_.mark_code(granule, operation.id & 0xffffff)
                   ? ""
                   : "mark_code() differs";
      case kUnmark:
        if (model_.find(granule).code == kNone) return {};
        table_->unmark_code(code_address);
        model_.unmark_code(granule);
        return {};
    }
    return "no such operation";
  }

  static std::string compare(const char* what, const Block& actual, const Block& expected) {
    return equal(actual, expected)
               ? ""
               : std::string(what) + " gives " + text_of(actual) + " instead of " + text_of(expected);
  }
  static std::string compare_evicted(const std::vector<Block>& actual, const std::vector<Block>& expected) {
    if (std::equal(actual.begin(), actual.end(), expected.begin(), expected.end(), equal)) return {};
    std::string text = "evicted ";
    for (const Block& block : actual) text += text_of(block);
    text += " instead of ";
    for (const Block& block : expected) text += text_of(block);
    return text;
  }

  std::unique_ptr<BlockTable> table_ = std::make_unique<BlockTable>();
  Model model_;
};

}  // namespace

TEST_CASE("the block table does what a map does") { test::Sequences<World>::check(test::scaled(200u), 60); }

TEST_CASE("the block table does what a map does, at length") {
  test::Sequences<World>::check(test::scaled(4u, 4u), 2000);
}
