// Fuzz target: reading snapshot files.
//
// An input is either a file as it is, or, behind the byte 'S', the contents of sections as (id: 2 bytes, size: 2 bytes,
// bytes), around which a file with good checksums is made: so mutations reach the decoders too. What can be read is
// used, and written and read once more.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "snapshot/churn.h"
#include "snapshot/compare.h"
#include "snapshot/filter.h"
#include "snapshot/format.h"
#include "snapshot/format_sections.h"
#include "snapshot/statistics.h"

namespace memtrace::snapshot {

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

Bytes file_of_sections(ByteView input) {
  ByteReader in(input, 0, ByteReader::Place::exact);
  SectionsWriter writer;
  std::set<std::uint16_t> seen;
  while (in.left() >= 4) {
    const auto id = in.number<std::uint16_t>();
    const std::size_t size = std::min<std::size_t>(in.number<std::uint16_t>(), in.left());
    const ByteView content = in.take(size);
    const bool is_file = id == static_cast<std::uint16_t>(SectionId::peak);
    if (seen.insert(id).second) writer.add(id, id > 9, is_file ? Effort::none : Effort::fast, content);
  }
  return std::move(writer).finish();
}

// Rows that count no block are not written, whatever size they claim.
std::uint64_t counted_size(const Snapshot& snapshot) {
  std::uint64_t size = 0;
  for (const Statistic& item : statistics(snapshot, GroupBy::filename).items) size += item.size;
  return size;
}

void use(const Churn& churn, Grouping group_by, bool cumulative) {
  const ChurnStatistics all = churn_statistics(churn, group_by, cumulative);
  for (const ChurnStatistic& item : all.items) {
    require(!traceback_frames(*all.dictionary, group_by.by, item.site).empty());
  }
  require(churn_statistics(subtract(churn, churn), group_by, cumulative).items.empty());
}

void use(const Snapshot& snapshot) {
  std::uint64_t blocks = 0;
  if (snapshot.has_blocks()) {
    for (std::size_t i = 0; i < snapshot.block_count(); ++i) blocks += snapshot.row(snapshot.block(i).row).count;
  }
  const Filter by_name(false, "*[a-f]?.py", 1, true);
  const AnyFilter filters[] = {by_name, DomainFilter{false, 1}};
  const Snapshot filtered = filter_traces(snapshot, filters);
  const AnyFilter by_tags[] = {NameFilter{true, NameOf::function, {Pattern("*.f")}, true},
                               TagFilter{true, Tag::label, Pattern("[0-9]*")}, ThreadFilter{true, std::uint64_t{1}},
                               GenerationFilter{true, 1, 3}};
  require(filter_traces(snapshot, by_tags).total_count() <= snapshot.total_count());
  if (snapshot.has_blocks()) {
    const AnyFilter by_size = SizeFilter{true, 8, 64};
    require(filter_traces(snapshot, {&by_size, 1}).block_count() <= snapshot.block_count());
  }
  std::vector<Grouping> groupings{GroupBy::filename, GroupBy::lineno,     GroupBy::traceback,
                                  GroupBy::function, GroupBy::module,     GroupBy::domain,
                                  GroupBy::label,    GroupBy::generation, GroupBy::thread};
  groupings.emplace_back(GroupBy::lineno, Tag::label);
  if (snapshot.has_types()) {
    groupings.emplace_back(GroupBy::type);
    groupings.emplace_back(GroupBy::filename, Tag::type);
  }
  for (const Grouping group_by : groupings) {
    for (const bool cumulative : {false, is_frame_key(group_by.by) && !group_by.joined}) {
      const Statistics all = statistics(snapshot, group_by, cumulative);
      for (const Statistic& item : all.items) {
        require(!traceback_frames(*all.dictionary, group_by.by, item.site).empty());
      }
      // Those of one name are one group there.
      const std::size_t compared = compare(filtered, snapshot, group_by, cumulative).items.size();
      require(group_by.tag() ? compared <= all.items.size() : compared == all.items.size());
      if (snapshot.churn() != nullptr) use(snapshot.churn()->get(), group_by, cumulative);
    }
  }

  const std::vector<std::byte> once = to_bytes(snapshot);
  const Snapshot again = from_bytes(once);
  require(again.total_count() == snapshot.total_count());
  require(counted_size(again) == counted_size(snapshot));
  require(to_bytes(again) == once);
  if (snapshot.has_blocks()) require(again.same_blocks(snapshot));
}

}  // namespace

}  // namespace memtrace::snapshot

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace memtrace::snapshot;
  const ByteView input = std::as_bytes(std::span(data, size));
  try {
    const bool sections = size > 0 && data[0] == 'S';
    Extras extras;
    use(from_bytes(sections ? file_of_sections(input.subspan(1)) : Bytes(input.begin(), input.end()), &extras));
    if (!extras.peak.empty()) use(from_bytes(extras.peak));
  } catch (const FormatError& error) {
    require(error.what()[0] != '\0');
  }
  return 0;
}
