// The live objects whose blocks belong to given records: new references to them.
//
// Only what is certain to be a complete object is given out (certain_objects.h), and never what has no references any
// more, or lists and tuples of which an item is missing still. Objects are found by their own block and by their bodies: what
// a list has grown by belongs to the list.
//
// Cost: O(live objects), 0.1 us each. Limits: an object that only C code refers to is not found; nor are the tracer's own.
#pragma once

#include <cstddef>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "hooks/compat/python.h"
#include "src/tracer/era.h"

namespace memtrace {

// Names of types, by record; where there are none, all types will do.
using WantedRecords = std::unordered_map<RecordId, std::vector<std::string_view>>;

// At most `limit`, in no order. May throw std::bad_alloc; `found` has references to give back all the same. pre: the
// session's Lock.
void find_live_objects(const Era& era, const WantedRecords& wanted, std::size_t limit, std::vector<PyObject*>& found);

}  // namespace memtrace
