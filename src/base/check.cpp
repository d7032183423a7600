#include "src/base/check.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace memtrace {

void check_failed(const char* condition, const char* file, int line) noexcept {
  char text[512];
  const int length = std::snprintf(text, sizeof text, "memtrace: check failed: %s (%s:%d)\n", condition, file, line);
  // Straight to the descriptor: stdio's lock may be held by the thread that failed.
  if (length > 0) {
    const ssize_t written = write(STDERR_FILENO, text, std::min(static_cast<std::size_t>(length), sizeof text - 1));
    static_cast<void>(written);
  }
  std::abort();
}

}  // namespace memtrace
