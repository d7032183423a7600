#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <cstring>

#include "src/mem/os.h"
#include "src/mem/process_memory.h"

namespace memtrace::os {

namespace {

constexpr int kLowestNumber = 600;  // the usual limit is 1024

}  // namespace

void ProcessMemory::open() noexcept {
  close();
  const int file = ::open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  if (file < 0) return;
  const int high = fcntl(file, F_DUPFD_CLOEXEC, kLowestNumber);
  file_ = high < 0 ? file : high;
  if (high >= 0) ::close(file);
  struct stat status = {};
  if (fstat(file_, &status) == 0) {
    device_ = status.st_dev;
    inode_ = status.st_ino;
  } else {
    close();
  }
}

void ProcessMemory::close() noexcept {
  if (is_ours()) ::close(file_);
  file_ = -1;
}

bool ProcessMemory::is_ours() const noexcept {
  struct stat status = {};
  return file_ >= 0 && fstat(file_, &status) == 0 && status.st_dev == device_ && status.st_ino == inode_;
}

std::uint64_t ProcessMemory::resident() const noexcept {
  if (!is_ours()) return 0;
  // "size resident shared ...", in pages.
  char text[128];
  const ssize_t length = pread(file_, text, sizeof text, 0);
  if (length <= 0) return 0;
  const char* const end = text + length;
  const char* const space = static_cast<const char*>(std::memchr(text, ' ', static_cast<std::size_t>(length)));
  std::uint64_t pages = 0;
  if (space == nullptr || std::from_chars(space + 1, end, pages).ec != std::errc()) return 0;
  return pages * page_size();
}

}  // namespace memtrace::os
