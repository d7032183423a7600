#include <catch2/catch_test_macros.hpp>
#include <cstdint>
#include <memory>

#include "src/intern/thread_table.h"

using namespace memtrace;

namespace {

constexpr ThreadTable::Name kName = {'w', 'o', 'r', 'k', 'e', 'r'};
constexpr ThreadTable::Name kOther = {'o', 't', 'h', 'e', 'r'};

}  // namespace

TEST_CASE("threads are told apart though their native ids come again", "[thread_table]") {
  auto table = std::make_unique<ThreadTable>();
  CHECK(table->find(7) == kNone);
  const ThreadId first = table->add(7);
  const ThreadId second = table->add(8);
  const ThreadId third = table->add(7);
  CHECK(table->end() == third + 1);
  CHECK(table->native_id(second) == 8);
  CHECK(table->find(7) == third);
  CHECK(table->find(8) == second);
  table->set_native_id(third, 9);
  CHECK(table->find(7) == first);
}

TEST_CASE("a thread's own name is better than the system's", "[thread_table]") {
  using Source = ThreadTable::Source;
  auto table = std::make_unique<ThreadTable>();
  const ThreadId id = table->add(1);
  CHECK(table->source(id) == Source::kNone);
  CHECK(table->name(id) == ThreadTable::Name{});
  table->set_name(id, kOther, Source::kSystem);
  CHECK(table->name(id) == kOther);
  table->set_name(id, kName, Source::kThread);
  table->set_name(id, kOther, Source::kSystem);
  CHECK(table->name(id) == kName);
  CHECK(table->source(id) == Source::kThread);
}

TEST_CASE("there is room for so many threads and no more", "[thread_table]") {
  auto table = std::make_unique<ThreadTable>();
  for (std::uint32_t i = 1; i <= ThreadTable::kMost; ++i) REQUIRE(table->add(i) == i);
  CHECK(table->add(5000) == kNone);
  CHECK(table->find(5000) == kNone);
  CHECK(table->find(1) == 1);
  CHECK(table->end() == ThreadTable::kMost + 1);
}
