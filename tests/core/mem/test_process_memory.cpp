#include "src/mem/process_memory.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <cstdio>
#include <cstring>

#include "src/mem/os.h"

using namespace memtrace;

namespace {

constexpr std::size_t kMuch = std::size_t{64} << 20;

// The number of the file that is open on the process' own memory, or -1.
int number_of_file() {
  for (int file = 3; file < 1024; ++file) {
    char name[64], target[256];
    std::snprintf(name, sizeof name, "/proc/self/fd/%d", file);
    const ssize_t length = readlink(name, target, sizeof target - 1);
    if (length > 0 && (target[length] = 0, std::strstr(target, "/statm") != nullptr)) return file;
  }
  return -1;
}

}  // namespace

TEST_CASE("memory that is touched is resident") {
  os::ProcessMemory memory;
  CHECK(memory.resident() == 0);
  memory.open();
  const std::uint64_t before = memory.resident();
  CHECK(before > 0);
  void* const pages = os::map(kMuch);
  REQUIRE(pages != nullptr);
  std::memset(pages, 1, kMuch);
  CHECK(memory.resident() >= before + kMuch - kMuch / 8);
  os::unmap(pages, kMuch);
  CHECK(memory.resident() <= before + kMuch / 8);
  memory.close();
  CHECK(memory.resident() == 0);
}

TEST_CASE("the file has a high number, and goes with close()") {
  os::ProcessMemory memory;
  memory.open();
  CHECK(number_of_file() >= 600);
  memory.open();
  memory.close();
  CHECK(number_of_file() == -1);
}

TEST_CASE("a file that somebody has closed is not read, nor closed") {
  os::ProcessMemory memory;
  memory.open();
  const int number = number_of_file();
  REQUIRE(number >= 0);
  close(number);
  CHECK(memory.resident() == 0);
  const int another = open("/proc/self/stat", O_RDONLY);
  REQUIRE(another >= 0);
  REQUIRE(dup2(another, number) == number);
  CHECK(memory.resident() == 0);
  memory.close();
  CHECK(fcntl(number, F_GETFD) >= 0);
  close(number);
  close(another);
}

TEST_CASE("a child opens its own") {
  os::ProcessMemory memory;
  memory.open();
  const pid_t child = fork();
  if (child == 0) {
    memory.open();
    const std::uint64_t before = memory.resident();
    void* const pages = os::map(kMuch);
    std::memset(pages, 1, kMuch);
    _exit(before > 0 && memory.resident() >= before + kMuch / 2 ? 0 : 1);
  }
  int status = -1;
  waitpid(child, &status, 0);
  CHECK(status == 0);
  CHECK(memory.resident() > 0);
}
