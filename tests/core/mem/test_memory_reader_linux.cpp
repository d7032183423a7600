// What is left where a sandbox forbids the kernel's own call to read memory.
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <initializer_list>
#include <vector>

#include "src/mem/memory_reader.h"
#include "src/mem/os.h"

using namespace memtrace;

namespace {

// From here on these system calls fail in this process.
bool forbid(std::initializer_list<int> calls) {
  std::vector<sock_filter> filter{BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr))};
  for (const int call : calls) {
    filter.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(call), 0, 1));
    filter.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM));
  }
  filter.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  const sock_fprog program{static_cast<unsigned short>(filter.size()), filter.data()};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

// The status of a child that ends with check()'s result.
template <class Check>
int in_child(Check&& check) {
  const pid_t child = fork();
  if (child == 0) _exit(check());
  int status = -1;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

std::uintptr_t address_of(const void* pointer) { return reinterpret_cast<std::uintptr_t>(pointer); }

enum Found { kRight, kNoFilter, kWorksOrNot, kWrong, kBeyond };

}  // namespace

TEST_CASE("memory is read from a file where the call is forbidden") {
  const int found = in_child([] {
    if (!forbid({SYS_process_vm_readv})) return kNoFilter;
    const os::MemoryReader reader;
    if (!reader.works()) return kWorksOrNot;
    const std::size_t page = os::page_size();
    char* const pages = static_cast<char*>(os::map(3 * page));
    std::memset(pages, 7, 3 * page);
    os::unmap(pages + page, page);
    std::vector<char> to(3 * page);
    if (reader.read(address_of(pages), to.data(), page) != page || std::memcmp(pages, to.data(), page) != 0)
      return kWrong;
    const bool ends = reader.read(address_of(pages) + page - 1, to.data(), 2) == 1 &&
                      reader.read(address_of(pages) + page, to.data(), 8) == 0 && reader.read(0, to.data(), 8) == 0 &&
                      reader.read(~std::uintptr_t{7}, to.data(), 8) == 0 &&
                      reader.read(address_of(pages) + 2 * page, to.data(), page) == page;
    return ends ? kRight : kBeyond;
  });
  CHECK(found == kRight);
}

TEST_CASE("nothing is read where both are forbidden") {
  const int found = in_child([] {
    if (!forbid({SYS_process_vm_readv, SYS_openat})) return kNoFilter;
    const os::MemoryReader reader;
    const int there = 1;
    int to = 0;
    return !reader.works() && reader.read(address_of(&there), &to, sizeof to) == 0 && to == 0 ? kRight : kWorksOrNot;
  });
  CHECK(found == kRight);
}
