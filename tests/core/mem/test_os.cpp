#include "src/mem/os.h"

#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <cstring>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/support/fail_each.h"
#include "tests/support/threads.h"

using namespace memtrace;

namespace {

class Mapping {
 public:
  explicit Mapping(std::size_t pages) : size_(pages * os::page_size()), address_(static_cast<char*>(os::map(size_))) {
    REQUIRE(address_ != nullptr);
  }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping() { os::unmap(address_, size_); }

  char* page(std::size_t index) const { return address_ + index * os::page_size(); }
  std::size_t resident_pages() const { return os::resident_bytes(address_, size_) / os::page_size(); }
  // The runs of resident pages, as [first, last).
  std::vector<std::pair<std::size_t, std::size_t>> runs(std::size_t first = 0,
                                                        std::size_t count = ~std::size_t{0}) const {
    struct Walk {
      const char* base;
      std::vector<std::pair<std::size_t, std::size_t>> found;
    } walk{page(first), {}};
    const std::size_t pages = std::min(count, size_ / os::page_size() - first);
    os::for_each_resident(page(first), pages * os::page_size(), &walk,
                          [](void* context, const char* from, const char* to) {
                            Walk& w = *static_cast<Walk*>(context);
                            const auto index = [&](const char* address) {
                              return static_cast<std::size_t>(address - w.base) / os::page_size();
                            };
                            w.found.emplace_back(index(from), index(to));
                          });
    return walk.found;
  }

 private:
  std::size_t size_;
  char* address_;
};

using Runs = std::vector<std::pair<std::size_t, std::size_t>>;

}  // namespace

TEST_CASE("a mapping is zeroed, page-aligned and takes no memory before it is touched") {
  const Mapping mapping(64);
  CHECK(reinterpret_cast<std::uintptr_t>(mapping.page(0)) % os::page_size() == 0);
  CHECK(mapping.resident_pages() == 0);
  CHECK(mapping.runs().empty());
  for (std::size_t i = 0; i < 64 * os::page_size(); ++i)
    if (mapping.page(0)[i] != 0) FAIL("byte " << i << " is not zero");
}

TEST_CASE("a mapping that cannot be had is null") {
  const test::Failing failing(0);
  CHECK(os::map(os::page_size()) == nullptr);
}

TEST_CASE("an impossible mapping is null") {
  CHECK(os::map(~std::size_t{0} / os::page_size() * os::page_size()) == nullptr);
}

TEST_CASE("touched pages are resident, in runs and in order") {
  const Mapping mapping(64);
  for (const std::size_t page : {0, 1, 5, 9, 10, 11, 63}) *mapping.page(page) = 1;
  CHECK(mapping.resident_pages() == 7);
  CHECK(mapping.runs() == Runs{{0, 2}, {5, 6}, {9, 12}, {63, 64}});
  CHECK(mapping.runs(1, 10) == Runs{{0, 1}, {4, 5}, {8, 10}});
}

TEST_CASE("one touched page commits one page, never a huge one") {
  const Mapping mapping(4096);  // several huge pages, wherever it begins
  *mapping.page(2048) = 1;
  CHECK(mapping.resident_pages() == 1);
}

TEST_CASE("runs longer than what the kernel is asked at a time are in one piece") {
  const Mapping mapping(5000);
  std::memset(mapping.page(100), 1, 4000 * os::page_size());
  *mapping.page(4999) = 1;
  CHECK(mapping.runs() == Runs{{100, 4100}, {4999, 5000}});
  CHECK(mapping.resident_pages() == 4001);
}

TEST_CASE("committing touches the whole pages of a range and changes none") {
  const Mapping mapping(64);
  char* const first = mapping.page(2) + 1;
  *first = 7;
  os::commit(first, 4 * os::page_size());
  CHECK(mapping.runs().front().first == 2);
  CHECK(mapping.resident_pages() <= 4);
  CHECK(*first == 7);
  os::commit(mapping.page(10) + 1, os::page_size());  // no whole page
  CHECK(mapping.resident_pages() <= 4);
}

TEST_CASE("pages that went to swap are still backed by memory") {
  const Mapping mapping(256);
  std::memset(mapping.page(0), 1, 256 * os::page_size());
  // Without swap the kernel keeps them, and the answer is the same.
  madvise(mapping.page(0), 256 * os::page_size(), MADV_PAGEOUT);
  CHECK(mapping.runs() == Runs{{0, 256}});
}

TEST_CASE("residency is known without a free file descriptor") {
  const Mapping mapping(64);
  for (const std::size_t page : {3, 4, 60}) *mapping.page(page) = 1;
  rlimit before{};
  REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
  const rlimit none{0, before.rlim_max};
  REQUIRE(setrlimit(RLIMIT_NOFILE, &none) == 0);
  const Runs runs = mapping.runs();
  REQUIRE(setrlimit(RLIMIT_NOFILE, &before) == 0);
  CHECK(runs == Runs{{3, 5}, {60, 61}});
}

TEST_CASE("a thread knows its number") {
  const std::uint64_t own = os::native_thread_id();
  CHECK(own == static_cast<std::uint64_t>(gettid()));
  std::uint64_t other = 0;
  std::thread([&] { other = os::native_thread_id(); }).join();
  CHECK(other != 0);
  CHECK(other != own);
}

namespace {

std::atomic<int> exits{0};
std::string order;

struct LateUser {
  ~LateUser() { order += "destructor "; }
};

void on_exit(void* value) {
  order += static_cast<const char*>(value);
  ++exits;
}

}  // namespace

TEST_CASE("a thread's end is told last, after thread-local destructors and other keys'") {
  order.clear();
  static char told[] = "end ";
  static char key_text[] = "key ";
  pthread_key_t key;
  REQUIRE(pthread_key_create(&key, [](void* value) { order += static_cast<const char*>(value); }) == 0);
  std::thread([&] {
    if (!os::at_thread_exit(on_exit, told)) return;
    static thread_local LateUser user;
    static_cast<void>(&user);
    pthread_setspecific(key, key_text);
  }).join();
  pthread_key_delete(key);
  CHECK(order == "destructor key end ");
}

TEST_CASE("every thread's end is told once") {
  exits = 0;
  static std::atomic<std::uint64_t> sum{0};
  sum = 0;
  static std::uint64_t values[8];
  for (int round = 0; round < 5; ++round) {
    test::run_together(8, [](int i) {
      values[i] = std::uint64_t{1} << i;
      os::at_thread_exit(
          [](void* value) {
            sum += *static_cast<std::uint64_t*>(value);
            ++exits;
          },
          &values[i]);
    });
  }
  CHECK(exits == 40);
  CHECK(sum == 5 * 255);
}

namespace {

std::atomic<int> prepared{0};
std::atomic<int> in_parent{0};
std::atomic<int> in_child{0};

}  // namespace

TEST_CASE("forks run the three functions, each on its side") {
  REQUIRE(os::at_fork([] { ++prepared; }, [] { ++in_parent; }, [] { ++in_child; }));
  for (int round = 1; round <= 2; ++round) {
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) _exit(prepared == round && in_parent == round - 1 && in_child == 1 ? 0 : 1);
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    CHECK(status == 0);
    CHECK(prepared == round);
    CHECK(in_parent == round);
    CHECK(in_child == 0);
  }
}
