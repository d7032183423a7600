#include "src/base/check.h"

#include <cstdio>
#include <cstdlib>

#include "src/mem/os.h"

namespace memtrace {

void check_failed(const char* condition, const char* file, int line) noexcept {
  char text[512];
  const int length = std::snprintf(text, sizeof text, "memtrace: check failed: %s (%s:%d)\n", condition, file, line);
  if (length > 0) os::write_error(text, static_cast<std::size_t>(length) < sizeof text ? static_cast<std::size_t>(length) : sizeof text - 1);
  std::abort();
}

}  // namespace memtrace
