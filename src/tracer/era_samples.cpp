// What an era does for blocks that are samples.
#include "src/base/hash.h"
#include "src/tracer/era.h"

namespace memtrace {

namespace {

// Beyond it an interval says no more than that hardly anything is recorded.
constexpr std::uint64_t kLargestInterval = std::uint64_t{1} << 40;

}  // namespace

std::uint64_t Era::next_seed() noexcept {
  const std::uint64_t thread = seeds_.fetch_add(1, std::memory_order_relaxed);
  return hash64(&thread, sizeof thread, sampling_.seed);
}

bool Era::sample_less() noexcept {
  const std::uint32_t now = sampling();
  if (now != 0 && interval_of(now) > kLargestInterval / 2) return false;
  level_.store(now + 1, std::memory_order_relaxed);
  return true;
}

Weight Era::weight_of(RecordId record, std::uint64_t size) const noexcept {
  const std::uint32_t sampling = sampling_of(record);
  return sampling == 0 ? Weight{size, {1, 0, 0}} : memtrace::weight_of(size, interval_of(sampling));
}

Block Era::take_any(const void* address) noexcept {
  return is_in_block_table(0, address_of(address)) ? blocks_.take(address) : take_other(0, address_of(address));
}

bool Era::mark_code(const void* address, CodeId code) noexcept {
  Block before;
  const bool marked =
      is_sparse() ? marks_->add(0, address_of(address), code, 0, before) : blocks_.mark_code(address, code);
  if (marked) expect_free(address);
  return marked;
}

Amount Era::allocated() const noexcept {
  Amount sum;
  const auto add = [&](RecordId, const Amount& amount) {
    sum.count += amount.count;
    sum.bytes += amount.bytes;
  };
  for_each_record([&](RecordId record) { add(record, counters_.total(record)); });
  for_each_sampled([&](RecordId record) { return samples_.total(record); }, add);
  return sum;
}

void Era::account_any_allocation(Access access, ThreadState& thread, RecordId record, std::uint64_t size) noexcept {
  if (sampling_of(record) == 0)
    account_allocation(access, thread, record, size);
  else
    count_sample({.record = record, .size = size}, false);
}

void Era::count_sample(const Block& block, bool freed) noexcept {
  const Weight weight = memtrace::weight_of(block.size, interval_of(sampling_of(block.record)));
  const auto bytes = static_cast<std::int64_t>(weight.bytes);
  if (freed)
    samples_.freed(block.record, weight, epoch());
  else
    samples_.allocated(block.record, weight, epoch());
  add_elsewhere(freed ? -bytes : bytes);
}

}  // namespace memtrace
