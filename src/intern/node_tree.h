// Call stacks as a tree: a node is one frame under its callers, a record is the frame that allocates, under its
// callers, in a context.
//
//        root ── a ── b          nodes: a caller, at the instruction that called
//                 │   └─ r3      record: the allocating instruction below b
//                 ├─ r1          records are leaves and carry the counters; most frames that allocate
//                 └─ r2          never call from the same instruction, so a leaf costs no node
//
// A look-up walks the siblings below one parent. They were made in the order in which the program first came by, and
// programs repeat themselves: the walk is short and goes where the cache already is, and adding a leaf touches nothing
// that is far away. That is what keeps programs with hundreds of thousands of distinct stacks (recursion, coroutines)
// cheap: a hash index would miss the cache on each. Behind kSiblingLimit siblings a parent's further children go to a
// hash index.
//
// Limits: 2^26 nodes, kThreadRecords records of each half. Thread-safety: lock-free; a thread that loses the race for a
// link walks on, and at worst leaves one unused element. `Atom` is a parameter so that tests can run the real code on
// seeded schedules.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "src/base/hash.h"
#include "src/base/types.h"
#include "src/intern/id_index.h"
#include "src/mem/chunked_array.h"

namespace memtrace {

inline constexpr NodeId kRoot = 1;
// The place of an allocation outside of any Python frame.
inline constexpr SiteId kUnknownSite = 1;
// A child of the root with this bit stands for "so many frames are not shown": the low bits are their number. See
// anchor().
inline constexpr SiteId kAnchorSite = 1u << 31;

// The record ids that one thread has to itself: whole cache lines of their counters, so that threads which count at the
// same time write no line in common.
struct RecordRun {
  static constexpr std::uint32_t kSize = 8;

  RecordId next = kNone;
  RecordId end = kNone;
};

template <template <typename> class Atom>
struct BasicNode {
  NodeId parent;
  SiteId site;
  Atom<NodeId> first_child;
  Atom<NodeId> next;
  Atom<RecordId> first_record;
};

template <template <typename> class Atom>
struct BasicRecordKey {
  NodeId parent;
  SiteId site;
  ContextId context;
  Atom<RecordId> next;
};

template <template <typename> class Atom = std::atomic>
class BasicNodeTree {
 public:
  using Node = BasicNode<Atom>;
  using RecordKey = BasicRecordKey<Atom>;
  static constexpr unsigned kSiblingLimit = 8;

  // False until the root could be made; every look-up fails before.
  bool open() noexcept { return nodes_.end() > kRoot || nodes_.append() == kRoot; }

  // The node of `site` called from `parent`; kNone when memory cannot be had.
  NodeId child(NodeId parent, SiteId site) noexcept {
    Atom<NodeId>* link = &nodes_[parent].first_child;
    for (unsigned walked = 0; walked < kSiblingLimit; ++walked) {
      const NodeId id = link->load(std::memory_order_acquire);
      if (id == kNone) return add_child(link, walked, parent, site);
      Node& node = nodes_[id];
      if (node.site == site) return id;
      link = &node.next;
    }
    return indexed_child(parent, site, kNone);
  }

  // The record of `site` called from `parent` in `context`. A new one gets its id from the caller's `run`, which is
  // refilled from the threads' half, or where that is null from the other half.
  RecordId record(NodeId parent, SiteId site, ContextId context, RecordRun* run) noexcept {
    Atom<RecordId>* link = &nodes_[parent].first_record;
    for (unsigned walked = 0; walked < kSiblingLimit; ++walked) {
      const RecordId id = link->load(std::memory_order_acquire);
      if (id == kNone) return add_record(link, walked, parent, site, context, run);
      RecordKey& key = key_of(id);
      if (key.site == site && key.context == context) return id;
      link = &key.next;
    }
    return indexed_record(parent, site, context, kNone, run);
  }

  // Where a stack starts of which the outermost `hidden` frames are left out.
  NodeId anchor(std::uint32_t hidden) noexcept { return hidden == 0 ? kRoot : child(kRoot, kAnchorSite | hidden); }

  const Node& node(NodeId id) const noexcept { return nodes_[id]; }
  const RecordKey& key(RecordId id) const noexcept { return const_cast<BasicNodeTree*>(this)->key_of(id); }

  NodeId node_end() const noexcept { return nodes_.end(); }
  // One past the highest record id of the half. In that of the threads some below it may not be in use yet.
  RecordId record_end(bool thread_half) const noexcept {
    return thread_half ? kThreadRecords + thread_records_.end() : gil_records_.end();
  }

  std::size_t resident_bytes() const noexcept {
    return nodes_.resident_bytes() + gil_records_.resident_bytes() + thread_records_.resident_bytes() +
           children_.resident_bytes() + records_.resident_bytes();
  }
  std::size_t used_bytes() const noexcept {
    return nodes_.used_bytes() + gil_records_.used_bytes() + thread_records_.used_bytes() + children_.used_bytes() +
           records_.used_bytes();
  }

 private:
  static constexpr unsigned kNodeChunkBits = 16;
  static constexpr unsigned kNodeChunks = 1u << (26 - kNodeChunkBits);
  static constexpr unsigned kRecordChunkBits = 16;
  static constexpr unsigned kRecordChunks = kThreadRecords >> kRecordChunkBits;
  using Keys = AppendArray<RecordKey, kRecordChunkBits, kRecordChunks, Atom>;

  RecordKey& key_of(RecordId id) noexcept {
    return is_thread_record(id) ? thread_records_[id - kThreadRecords] : gil_records_[id];
  }

  static std::uint32_t hash_of(NodeId parent, SiteId site, ContextId context) noexcept {
    const std::uint32_t words[] = {parent, site, context};
    return static_cast<std::uint32_t>(hash64(words, sizeof words));
  }

  [[gnu::noinline]] NodeId add_child(Atom<NodeId>* link, unsigned walked, NodeId parent, SiteId site) noexcept {
    const NodeId fresh = nodes_.append();
    if (fresh == kNone) return kNone;
    nodes_[fresh].parent = parent;
    nodes_[fresh].site = site;
    for (; walked < kSiblingLimit; ++walked) {
      NodeId id = kNone;
      if (link->compare_exchange_strong(id, fresh, std::memory_order_acq_rel)) return fresh;
      if (nodes_[id].site == site) return id;
      link = &nodes_[id].next;
    }
    return indexed_child(parent, site, fresh);
  }

  [[gnu::noinline]] NodeId indexed_child(NodeId parent, SiteId site, NodeId fresh) noexcept {
    const std::uint32_t hash = hash_of(parent, site, 0);
    const auto equal = [&](NodeId id) { return nodes_[id].parent == parent && nodes_[id].site == site; };
    if (fresh == kNone) {
      if (const NodeId present = children_.find(hash, equal)) return present;
      fresh = nodes_.append();
      if (fresh == kNone) return kNone;
      nodes_[fresh].parent = parent;
      nodes_[fresh].site = site;
    }
    return children_.insert(hash, fresh, equal);
  }

  RecordId new_id(RecordRun* run) noexcept {
    if (run == nullptr) return gil_records_.append();
    if (run->next == run->end) {
      const std::uint32_t first = thread_records_.append_run(RecordRun::kSize);
      if (first == kNone) return kNone;
      run->next = kThreadRecords + first;
      run->end = run->next + RecordRun::kSize;
    }
    return run->next++;
  }

  RecordId new_record(NodeId parent, SiteId site, ContextId context, RecordRun* run) noexcept {
    const RecordId id = new_id(run);
    if (id == kNone) return kNone;
    RecordKey& key = key_of(id);
    key.parent = parent;
    key.site = site;
    key.context = context;
    return id;
  }

  [[gnu::noinline]] RecordId add_record(Atom<RecordId>* link, unsigned walked, NodeId parent, SiteId site,
                                        ContextId context, RecordRun* run) noexcept {
    const RecordId fresh = new_record(parent, site, context, run);
    if (fresh == kNone) return kNone;
    for (; walked < kSiblingLimit; ++walked) {
      RecordId id = kNone;
      if (link->compare_exchange_strong(id, fresh, std::memory_order_acq_rel)) return fresh;
      RecordKey& key = key_of(id);
      if (key.site == site && key.context == context) return id;
      link = &key.next;
    }
    return indexed_record(parent, site, context, fresh, run);
  }

  [[gnu::noinline]] RecordId indexed_record(NodeId parent, SiteId site, ContextId context, RecordId fresh,
                                            RecordRun* run) noexcept {
    const std::uint32_t hash = hash_of(parent, site, context);
    const auto equal = [&](RecordId id) {
      const RecordKey& key = key_of(id);
      return key.parent == parent && key.site == site && key.context == context;
    };
    if (fresh == kNone) {
      if (const RecordId present = records_.find(hash, equal)) return present;
      fresh = new_record(parent, site, context, run);
      if (fresh == kNone) return kNone;
    }
    return records_.insert(hash, fresh, equal);
  }

  AppendArray<Node, kNodeChunkBits, kNodeChunks, Atom> nodes_;
  Keys gil_records_;
  Keys thread_records_;
  IdIndex<Atom> children_;
  IdIndex<Atom> records_;
};

using NodeTree = BasicNodeTree<std::atomic>;
using Node = NodeTree::Node;
using RecordKey = NodeTree::RecordKey;

}  // namespace memtrace
