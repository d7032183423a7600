// Reads this process' own memory by address, whatever other threads free and unmap meanwhile.
//
// What is read may be changing, so the bytes are a hint: to be believed only as far as they can be checked. Costs a system
// call, 10 us for 64 KiB. Thread-safety: const use from any thread. Not kept over a fork().
#pragma once

#include <cstddef>
#include <cstdint>

namespace memtrace::os {

class MemoryReader {
 public:
  MemoryReader() noexcept;
  MemoryReader(const MemoryReader&) = delete;
  MemoryReader& operator=(const MemoryReader&) = delete;
  ~MemoryReader();

  // False where the system does not let a process do it: read() gives nothing then.
  bool works() const noexcept { return works_; }
  // Copies [from, from + size) up to the first byte that cannot be read; how many bytes that were.
  std::size_t read(std::uintptr_t from, void* to, std::size_t size) const noexcept;

 private:
  bool works_ = false;
  int file_ = -1;  // -1: by the system's call for it
};

}  // namespace memtrace::os
