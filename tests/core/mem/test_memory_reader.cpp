#include "src/mem/memory_reader.h"

#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <cstring>
#include <thread>
#include <vector>

#include "src/mem/os.h"

using namespace memtrace;

namespace {

std::uintptr_t address_of(const void* pointer) { return reinterpret_cast<std::uintptr_t>(pointer); }

}  // namespace

TEST_CASE("memory that is there is read") {
  const os::MemoryReader reader;
  REQUIRE(reader.works());
  std::vector<char> from(1 << 20), to(from.size());
  for (std::size_t i = 0; i < from.size(); ++i) from[i] = static_cast<char>(i * 7);
  CHECK(reader.read(address_of(from.data()), to.data(), from.size()) == from.size());
  CHECK(from == to);
  CHECK(reader.read(address_of(from.data()) + 3, to.data(), 5) == 5);
  CHECK(std::memcmp(from.data() + 3, to.data(), 5) == 0);
}

TEST_CASE("memory that is not there ends the reading") {
  const os::MemoryReader reader;
  const std::size_t page = os::page_size();
  char* const pages = static_cast<char*>(os::map(3 * page));
  REQUIRE(pages != nullptr);
  std::memset(pages, 1, 3 * page);
  os::unmap(pages + page, page);
  std::vector<char> to(3 * page);
  CHECK(reader.read(address_of(pages), to.data(), 3 * page) == page);
  CHECK(reader.read(address_of(pages) + page - 1, to.data(), 2) == 1);
  CHECK(reader.read(address_of(pages) + page, to.data(), 8) == 0);
  CHECK(reader.read(address_of(pages) + 2 * page, to.data(), page) == page);
  CHECK(reader.read(0, to.data(), 8) == 0);
  CHECK(reader.read(~std::uintptr_t{7}, to.data(), 8) == 0);
  os::unmap(pages, page);
  os::unmap(pages + 2 * page, page);
}

TEST_CASE("memory that other threads unmap meanwhile is read or not") {
  const os::MemoryReader reader;
  const std::size_t page = os::page_size();
  std::atomic<char*> shared{nullptr};
  std::atomic<bool> over{false};
  std::thread other([&] {
    while (!over) {
      char* const pages = static_cast<char*>(os::map(4 * page));
      std::memset(pages, 1, 4 * page);
      shared = pages;
      os::unmap(pages, 4 * page);
    }
  });
  std::vector<char> to(4 * page);
  for (int i = 0; i < 20'000; ++i) REQUIRE(reader.read(address_of(shared.load()), to.data(), 4 * page) <= 4 * page);
  over = true;
  other.join();
}
