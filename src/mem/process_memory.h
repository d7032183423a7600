// How much of this process is in memory, as the system counts it.
//
// Keeps a file open, with a number that programs do not come to. Who closes files that are not his may close it: from then on
// nothing is known, and nothing is read of what has got the number since.
// Thread-safety: none.
#pragma once

#include <cstdint>

namespace memtrace::os {

class ProcessMemory {
 public:
  constexpr ProcessMemory() noexcept = default;
  ProcessMemory(const ProcessMemory&) = delete;
  ProcessMemory& operator=(const ProcessMemory&) = delete;

  // Anew when it is open: in the child of a fork() the file is still the parent's.
  void open() noexcept;
  void close() noexcept;
  // Bytes, 0 when they are not known. Two system calls, 2 us.
  std::uint64_t resident() const noexcept;

 private:
  bool is_ours() const noexcept;

  int file_ = -1;
  std::uint64_t device_ = 0;
  std::uint64_t inode_ = 0;
};

}  // namespace memtrace::os
