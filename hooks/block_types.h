// Which live blocks are Python objects, of which types: found in their memory, at one moment. Tracing costs nothing for it.
//
// A block is an object where the word at which its type would be is the address of a type, the type's objects have such
// a pre-header, it has references, and it fits into the block (object_layout.h). What is none, and is named by an object as
// its body, has that object's type. The rest has none. Objects can be older than the trace, or come from a free list that
// is, and have bodies that are not: those objects are asked, too (certain_objects.h).
//
// The tracer does not know of which domain a block is, and those that PyMem_RawMalloc() gave can be freed meanwhile by
// threads without the GIL. So the memory is copied by the kernel (memory_reader.h), and only copies are looked at: a block
// that vanishes has no type. Walking the collector's objects alone misses what it does not know, a third of the bytes
// of a large program: code objects and all that is theirs, texts, numbers.
//
// Cost: 0.1 us a block. Limits: objects of other interpreters' own classes, and of types that were never made ready, have
// no type.
#pragma once

#include <vector>

#include "hooks/type_table.h"
#include "src/mem/memory_reader.h"
#include "src/tracer/era.h"
#include "src/tracer/typed_block.h"

namespace memtrace {

// The bodies of objects whose own blocks are not traced. May throw std::bad_alloc. pre: an attached thread, the session's
// Lock.
std::vector<TypeTable::Claim> claims_of_untraced(const Era& era, const TypeTable& types,
                                                 const os::MemoryReader& memory);

// The blocks of all domains; the types are numbers of `types`. May throw std::bad_alloc. pre: no other thread that holds the
// interpreter is in the middle of anything (compat::with_world_stopped).
std::vector<TypedBlock> blocks_with_types(const Era& era, const TypeTable& types, const os::MemoryReader& memory,
                                          std::vector<TypeTable::Claim> untraced);

}  // namespace memtrace
