// Which pages are backed by memory. Linux has three ways to ask; each goes on where the one before gave up.
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>

#include "src/mem/os.h"

namespace memtrace::os {

namespace {

// Pieces in address order; neighbours are visited as one.
class Runs {
 public:
  Runs(void* context, void (*visit)(void*, const char*, const char*)) noexcept : context_(context), visit_(visit) {}

  void add(const char* first, const char* last) {
    if (first != last_) {
      finish();
      first_ = first;
    }
    last_ = last;
  }
  void finish() const {
    if (first_ != last_) visit_(context_, first_, last_);
  }

 private:
  void* const context_;
  void (*const visit_)(void*, const char*, const char*);
  const char* first_ = nullptr;
  const char* last_ = nullptr;
};

// /proc/self/pagemap: Documentation/admin-guide/mm/pagemap.rst in the kernel's source. Knows pages that went to swap.
class PageMap {
 public:
  PageMap() noexcept : file_(open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC)) {}
  PageMap(const PageMap&) = delete;
  PageMap& operator=(const PageMap&) = delete;
  ~PageMap() {
    if (file_ >= 0) close(file_);
  }

  // Asks for ranges, from Linux 6.7 on. Returns how far it came.
  const char* scan(const char* first, const char* last, Runs& runs) const {
    while (first < last) {
      Range ranges[64] = {};  // Valgrind does not see that the call fills it
      ScanArguments arguments{};
      arguments.size = sizeof arguments;
      arguments.start = address_of(first);
      arguments.end = address_of(last);
      arguments.ranges = address_of(ranges);
      arguments.range_count = std::size(ranges);
      arguments.any_of = arguments.report = kScanPresent | kScanSwapped;
      const int found = ioctl(file_, kScan, &arguments);
      if (found < 0 || arguments.reached <= arguments.start) break;
      for (const Range* range = ranges; range < ranges + found; ++range)
        runs.add(reinterpret_cast<const char*>(range->start), reinterpret_cast<const char*>(range->end));
      first = reinterpret_cast<const char*>(arguments.reached);
    }
    return first;
  }

  // Asks for an entry a page, which takes the kernel twenty times as long. Returns how far it came.
  const char* read(const char* first, const char* last, Runs& runs) const {
    const std::size_t page = page_size();
    while (first < last) {
      std::uint64_t entries[kWindow];
      const std::size_t count = std::min(kWindow, static_cast<std::size_t>(last - first) / page);
      const std::size_t bytes = count * sizeof entries[0];
      const auto offset = static_cast<off_t>(address_of(first) / page * sizeof entries[0]);
      if (pread(file_, entries, bytes, offset) != static_cast<ssize_t>(bytes)) break;
      for (std::size_t i = 0; i < count; ++i, first += page)
        if ((entries[i] & (kPresent | kSwapped)) != 0) runs.add(first, first + page);
    }
    return first;
  }

 private:
  // Pages asked for at a time; the answers are on the stack.
  static constexpr std::size_t kWindow = 512;
  static constexpr std::uint64_t kPresent = std::uint64_t{1} << 63;
  static constexpr std::uint64_t kSwapped = std::uint64_t{1} << 62;

  // As in linux/fs.h, which may be older than the kernel.
  struct Range {
    std::uint64_t start, end, categories;
  };
  struct ScanArguments {
    std::uint64_t size, flags, start, end, reached, ranges, range_count, max_pages, inverted, all_of, any_of, report;
  };
  static constexpr unsigned long kScan = _IOWR('f', 16, ScanArguments);
  static constexpr std::uint64_t kScanPresent = 1 << 3;
  static constexpr std::uint64_t kScanSwapped = 1 << 4;

  static std::uint64_t address_of(const void* pointer) noexcept { return reinterpret_cast<std::uintptr_t>(pointer); }

  const int file_;
};

// Where there is no /proc. Takes pages that went to swap for untouched.
void ask_mincore(const char* first, const char* last, Runs& runs) {
  const std::size_t page = page_size();
  while (first < last) {
    unsigned char present[512];
    const std::size_t count = std::min(std::size(present), static_cast<std::size_t>(last - first) / page);
    // A failure can only mean a range that is not mapped; claiming all of it present is the safe answer.
    if (mincore(const_cast<char*>(first), count * page, present) != 0) std::fill_n(present, count, 1);
    for (std::size_t i = 0; i < count; ++i, first += page)
      if ((present[i] & 1) != 0) runs.add(first, first + page);
  }
}

}  // namespace

void for_each_resident(const void* address, std::size_t size, void* context,
                       void (*visit)(void*, const char*, const char*)) {
  const char* first = static_cast<const char*>(address);
  const char* const last = first + size / page_size() * page_size();
  Runs runs(context, visit);
  const PageMap map;
  first = map.scan(first, last, runs);
  first = map.read(first, last, runs);
  ask_mincore(first, last, runs);
  runs.finish();
}

std::size_t resident_bytes(const void* address, std::size_t size) noexcept {
  std::size_t total = 0;
  for_each_resident(address, size, &total, [](void* sum, const char* first, const char* last) {
    *static_cast<std::size_t*>(sum) += static_cast<std::size_t>(last - first);
  });
  return total;
}

}  // namespace memtrace::os
