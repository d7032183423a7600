#include "snapshot/byte_io.h"

#include <algorithm>

namespace memtrace::snapshot {

std::byte* ByteWriter::extend(std::size_t size) {
  const std::size_t begin = bytes_.size();
  bytes_.resize(begin + size);
  return bytes_.data() + begin;
}

void ByteWriter::bytes(ByteView view) { std::copy(view.begin(), view.end(), extend(view.size())); }

}  // namespace memtrace::snapshot
