// Ids of the tracer's tables, and what is reserved in them.
//
// Everything the tracer keeps is named by a 32-bit id, never by a pointer: the tables can be copied, mapped by another
// process or written to a file as they are. Id 0 is "none" in every table, and also what an operation returns when
// memory could not be had.
#pragma once

#include <cstddef>
#include <cstdint>

namespace memtrace {

using StringId = std::uint32_t;
using CodeId = std::uint32_t;
// One code unit of one code object: the code's first site plus the unit's offset. Finer than a line; decoded late.
using SiteId = std::uint32_t;
using NodeId = std::uint32_t;
using RecordId = std::uint32_t;
using ContextId = std::uint32_t;
// Which of the tracer's states for threads: that of a thread that has ended is the next one's.
using ThreadIndex = std::uint32_t;
// A thread of one era, for as long as anybody looks at it: see thread_table.h.
using ThreadId = std::uint32_t;
// Whose blocks: 0 for Python's allocators, any other number for a library that reports its own.
using Domain = std::uint32_t;
// A domain and the upper bits of its addresses: see space_table.h.
using SpaceId = std::uint16_t;

inline constexpr std::uint32_t kNone = 0;

// Sites above this are not places in code: see kAnchorSite in node_tree.h.
inline constexpr SiteId kMaxCodeSites = 1u << 31;

// A block table slot has 26 bits for the record of a block of at most 16 bytes. The upper half belongs to records whose
// counters are written by one thread alone; the lower half to those written under the main interpreter's GIL.
inline constexpr unsigned kRecordBits = 26;
inline constexpr RecordId kThreadRecords = 1u << (kRecordBits - 1);
inline constexpr RecordId kRecordLimit = 1u << kRecordBits;

constexpr bool is_thread_record(RecordId record) noexcept { return (record & kThreadRecords) != 0; }

}  // namespace memtrace
