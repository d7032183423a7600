// Whether the structures that the hooks read lie in the running interpreter as they did in the headers of the build.
//
// A module is built for one minor version, and a debug build or a distributor's patch can still move a field. From 3.13
// on the interpreter tells its offsets, for debuggers (_Py_DebugOffsets); before, nothing does.
#pragma once

namespace memtrace::compat {

// The first field that lies elsewhere than this build was compiled for, as "structure.field"; null when all agree and
// when the interpreter does not tell. Reads static data alone.
const char* misplaced_field() noexcept;

}  // namespace memtrace::compat
