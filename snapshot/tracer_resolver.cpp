#include "snapshot/tracer_resolver.h"

#include <algorithm>

namespace memtrace::snapshot {

void TracerResolver::resolve(std::span<const RecordNumber> records, Dictionary& dictionary,
                             std::span<ResolvedRecord> out) {
  Dictionary::Writer writer(dictionary);
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (records[i] >= known_.size()) known_.resize(std::max<std::size_t>(records[i] + 1, known_.size() * 2));
    Known& known = known_[records[i]];
    if (!known.done) {
      known.record = decode(record_of(records[i]), writer);
      known.done = true;
    }
    out[i] = known.record;
  }
}

ResolvedRecord TracerResolver::decode(RecordId record, Dictionary::Writer& writer) {
  const RecordKey& key = tables_.tree.key(record);
  const Context& context = tables_.contexts[key.context];
  return {traceback(key, writer), context.domain, context.generation, context.thread, context.label};
}

TracebackId TracerResolver::traceback(const RecordKey& key, Dictionary::Writer& writer) {
  if (key.site == kUnknownSite) return kUnknownTraceback;
  // Innermost first. The chain goes on beyond what the trace shows, down to its anchor, which knows how many frames are
  // below it.
  chain_.assign(1, key.site);
  std::uint32_t hidden = 0;
  for (NodeId id = key.parent; id != kRoot;) {
    const Node& node = tables_.tree.node(id);
    if ((node.site & kAnchorSite) != 0) {
      hidden = node.site & ~kAnchorSite;
      break;
    }
    chain_.push_back(node.site);
    id = node.parent;
  }
  const std::uint64_t total = hidden + chain_.size();
  StackId stack = kEmptyStack;
  for (std::size_t i = std::min<std::size_t>(chain_.size(), nframe_); i-- > 0;)
    stack = writer.stack(stack, sites_.frame(chain_[i], writer));
  return writer.traceback(stack, static_cast<std::int32_t>(std::min<std::uint64_t>(total, kMaxDepth)));
}

}  // namespace memtrace::snapshot
