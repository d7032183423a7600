#include "snapshot/site_decoder.h"

#include <algorithm>

namespace memtrace::snapshot {

CodeId SiteDecoder::code_of(SiteId site) {
  if (seen_ < tables_.codes.end()) {
    // Entries that another thread is still filling are met again next time: no site of theirs can be in a record yet.
    codes_.clear();
    for (CodeId id = 1; id < tables_.codes.end(); ++id)
      if (const SiteId first = tables_.codes.base_site(id); first != kNone) codes_.emplace_back(first, id);
    std::sort(codes_.begin(), codes_.end());
    seen_ = static_cast<CodeId>(codes_.size() + 1);
  }
  auto after = std::upper_bound(codes_.begin(), codes_.end(), std::pair{site, ~CodeId{0}});
  if (after == codes_.begin()) return kNone;
  const CodeId id = std::prev(after)->second;
  const Code& code = tables_.codes[id];
  return site - code.base_site < code.units ? id : kNone;
}

FrameId SiteDecoder::frame(SiteId site, Dictionary::Writer& writer) {
  if (site == kUnknownSite) return kUnknownFrame;
  const auto [place, is_new] = frames_.try_emplace(site, kUnknownFrame);
  if (!is_new) return place->second;
  const CodeId id = code_of(site);
  if (id == kNone) return kUnknownFrame;
  const Code& code = tables_.codes[id];
  LocationTable& table = locations_.try_emplace(id, tables_.codes.linetable(code), code.firstlineno).first->second;
  const Location location = table.at(site - code.base_site);
  Frame frame;
  frame.filename = writer.string(tables_.strings.get(code.filename));
  frame.function = writer.string(tables_.strings.get(code.qualname));
  frame.lineno = std::max(location.line, 0);  // as tracemalloc shows an instruction without a line
  frame.end_lineno = std::max(location.end_line, 0);
  frame.column = location.column;
  frame.end_column = location.end_column;
  return place->second = writer.frame(frame);
}

}  // namespace memtrace::snapshot
