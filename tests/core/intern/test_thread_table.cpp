#include <catch2/catch_test_macros.hpp>
#include <cstdint>
#include <memory>

#include "src/intern/thread_table.h"

using namespace memtrace;

namespace {

constexpr os::ThreadName kName = {'w', 'o', 'r', 'k', 'e', 'r'};

}  // namespace

TEST_CASE("threads are told apart though their native ids come again", "[thread_table]") {
  auto table = std::make_unique<ThreadTable>();
  CHECK(table->find(7) == kNone);
  const ThreadId first = table->add(7, kName);
  const ThreadId second = table->add(8, {});
  const ThreadId third = table->add(7, {});
  CHECK(table->end() == third + 1);
  CHECK(table->name(first) == kName);
  CHECK(table->native_id(second) == 8);
  CHECK(table->find(7) == third);
  CHECK(table->find(8) == second);
  table->set_name(third, kName);
  table->set_native_id(third, 9);
  CHECK(table->name(third) == kName);
  CHECK(table->find(7) == first);
}

TEST_CASE("there is room for so many threads and no more", "[thread_table]") {
  auto table = std::make_unique<ThreadTable>();
  for (std::uint32_t i = 1; i <= ThreadTable::kMost; ++i) REQUIRE(table->add(i, kName) == i);
  CHECK(table->add(5000, kName) == kNone);
  CHECK(table->find(5000) == kNone);
  CHECK(table->find(1) == 1);
  CHECK(table->end() == ThreadTable::kMost + 1);
}
