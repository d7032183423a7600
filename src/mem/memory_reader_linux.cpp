// Reading memory that may vanish meanwhile: the kernel copies, and says where it could not.
#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cstdint>

#include "src/mem/memory_reader.h"

namespace memtrace::os {

namespace {

std::size_t copied(ssize_t result) noexcept { return result < 0 ? 0 : static_cast<std::size_t>(result); }

std::size_t read_by_call(std::uintptr_t from, void* to, std::size_t size) noexcept {
  const iovec local{to, size};
  const iovec remote{reinterpret_cast<void*>(from), size};
  return copied(process_vm_readv(getpid(), &local, 1, &remote, 1, 0));
}

}  // namespace

MemoryReader::MemoryReader() noexcept {
  const char probe = 1;
  const auto address = reinterpret_cast<std::uintptr_t>(&probe);
  char read = 0;
  works_ = read_by_call(address, &read, 1) == 1;
  if (works_) return;
  // A sandbox may forbid the call. Opened anew each time: in the child of a fork() the file is still the parent's memory.
  file_ = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
  works_ = file_ >= 0 && this->read(address, &read, 1) == 1;
}

MemoryReader::~MemoryReader() {
  if (file_ >= 0) close(file_);
}

std::size_t MemoryReader::read(std::uintptr_t from, void* to, std::size_t size) const noexcept {
  if (file_ < 0) return read_by_call(from, to, size);
  return copied(pread(file_, to, size, static_cast<off_t>(from)));
}

}  // namespace memtrace::os
