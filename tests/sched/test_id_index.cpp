#include "src/intern/id_index.h"

#include <catch2/catch_test_macros.hpp>
#include <cstdint>
#include <memory>
#include <vector>

#include "src/mem/fault.h"
#include "tests/sched/scheduled_atomic.h"
#include "tests/support/random.h"

using namespace memtrace;
using sched::ScheduledAtomic;

namespace {

// An index whose elements are their keys, by id. Keys of one `home` share their place in the index, and every third
// pair of keys its whole hash.
class Keys {
 public:
  explicit Keys(std::uint32_t limit) : keys_(limit) {}

  static std::uint32_t hash_of(std::uint32_t key) { return key / 3 * 0x10001u; }

  std::uint32_t find(std::uint32_t key) const {
    return index_.find(hash_of(key), [&](std::uint32_t id) { return keys_[id] == key; });
  }
  std::uint32_t insert(std::uint32_t key) {
    const std::uint32_t id = next_++;
    keys_[id] = key;
    return index_.insert(hash_of(key), id, [&](std::uint32_t other) { return keys_[other] == key; });
  }
  std::uint32_t key_of(std::uint32_t id) const { return keys_[id]; }

 private:
  std::vector<std::uint32_t> keys_;
  std::uint32_t next_ = 1;
  IdIndex<ScheduledAtomic> index_;
};

// More pairs than this and the next insert grows the index.
constexpr std::uint32_t kFull = 255 / 4 * 3;

}  // namespace

TEST_CASE("equal keys that are inserted at once get one id") {
  sched::for_each_seed(sched::seeds(4000), [](std::uint64_t seed) {
    Keys keys(64);
    std::uint32_t ids[3][8] = {};
    const auto body = [&](int thread) {
      return [&, thread] {
        test::Random random(seed * 3 + static_cast<std::uint64_t>(thread));
        for (int i = 0; i < 8; ++i) {
          const auto key = static_cast<std::uint32_t>(random.below(8));
          const std::uint32_t id = keys.insert(key);
          if (ids[thread][key] != 0 && ids[thread][key] != id) ids[thread][key] = ~0u;
          if (ids[thread][key] == 0) ids[thread][key] = id;
        }
      };
    };
    sched::run(seed, {body(0), body(1), body(2)});
    for (std::uint32_t key = 0; key < 8; ++key) {
      const std::uint32_t standing = keys.find(key);
      for (const auto& of_thread : ids)
        if (of_thread[key] != 0) REQUIRE(of_thread[key] == standing);
    }
  });
}

TEST_CASE("what was inserted is found at any time while the index grows") {
  sched::for_each_seed(sched::seeds(4000), [](std::uint64_t seed) {
    Keys keys(1024);
    for (std::uint32_t key = 0; key <= kFull; ++key) keys.insert(key);
    std::vector<std::uint32_t> missed;
    const auto grow = [&] {
      for (std::uint32_t key = 1000; key < 1002; ++key) keys.insert(key);
    };
    const auto look = [&] {
      for (std::uint32_t key = 0; key <= kFull; key += 13)
        if (keys.find(key) != key + 1) missed.push_back(key);
    };
    sched::run(seed, {grow, look, look});
    REQUIRE(missed.empty());
  });
}

TEST_CASE("two growths at once lose nothing that was there before") {
  sched::for_each_seed(sched::seeds(1500), [](std::uint64_t seed) {
    Keys keys(2048);
    for (std::uint32_t key = 0; key <= kFull; ++key) keys.insert(key);
    const auto slow = [&] { keys.insert(1000); };
    // Enough for the next growth.
    const auto fast = [&] {
      for (std::uint32_t key = 2000; key < 2400; ++key) keys.insert(key);
    };
    sched::run(seed, {slow, fast});
    for (std::uint32_t key = 0; key <= kFull; ++key) REQUIRE(keys.find(key) == key + 1);
  });
}

// Who copies old pairs fills a table that the others have left for the next one already.
TEST_CASE("an insert that is held up until its table is full finds a place in a newer one") {
  sched::for_each_seed(sched::seeds(2500), [](std::uint64_t seed) {
    Keys keys(2048);
    for (std::uint32_t key = 0; key <= kFull; ++key) keys.insert(key);
    int refused = 0;
    const auto insert = [&](std::uint32_t first, std::uint32_t end) {
      return [&, first, end] {
        for (std::uint32_t key = first; key < end; ++key) refused += keys.insert(key) == 0;
      };
    };
    sched::run(seed,
               {insert(1000, 1001), insert(1100, 1101), insert(1200, 1201), insert(1300, 1301), insert(2000, 2400)});
    REQUIRE(refused == 0);
    for (std::uint32_t key = 0; key <= kFull; ++key) REQUIRE(keys.find(key) == key + 1);
  });
}

TEST_CASE("racing inserts while the index grows return an equal key's id, of which each thread adds at most one") {
  sched::for_each_seed(sched::seeds(3000), [](std::uint64_t seed) {
    Keys keys(1024);
    for (std::uint32_t key = 0; key < kFull; ++key) keys.insert(key);
    std::vector<std::uint32_t> got[3];
    const auto body = [&](int thread) {
      return [&, thread] {
        for (std::uint32_t key = 1000; key < 1004; ++key) got[thread].push_back(keys.insert(key));
      };
    };
    sched::run(seed, {body(0), body(1), body(2)});
    for (const auto& ids : got)
      for (std::uint32_t i = 0; i < 4; ++i) REQUIRE(keys.key_of(ids[i]) == 1000 + i);
    // Once it is quiet a key has one id for good.
    for (std::uint32_t key = 1000; key < 1004; ++key) {
      const std::uint32_t id = keys.insert(key);
      REQUIRE(keys.key_of(id) == key);
      REQUIRE(keys.find(key) == id);
    }
  });
}

TEST_CASE("an index that cannot grow is filled to the last slot but one, and a look-up still ends") {
  sched::for_each_seed(sched::seeds(1500), [](std::uint64_t seed) {
    Keys keys(1024);
    for (std::uint32_t key = 0; key < kFull; ++key) keys.insert(key);
    fault::arm(0, true);
    for (std::uint32_t key = kFull; key < 254; ++key) keys.insert(key);
    std::uint32_t got[3] = {};
    const auto body = [&](std::uint32_t thread) {
      return [&, thread] {
        got[thread] = keys.insert(1000 + thread);
        if (keys.find(5000) != 0) got[thread] = ~0u;
      };
    };
    sched::run(seed, {body(0), body(1), body(2)});
    fault::disarm();
    for (std::uint32_t thread = 0; thread < 3; ++thread)
      if (got[thread] != 0) REQUIRE(keys.key_of(got[thread]) == 1000 + thread);
    for (std::uint32_t key = 0; key < 254; ++key) REQUIRE(keys.find(key) == key + 1);
    REQUIRE(keys.find(5000) == 0);
    // With memory it grows after all.
    REQUIRE(keys.insert(2000) != 0);
    for (std::uint32_t key = 0; key < 254; ++key) REQUIRE(keys.find(key) == key + 1);
  });
}
