// The module that a file holds, guessed from its path alone. Used where the running program has not said better
// (Dictionary::set_module): a file that was written by another process, or a literal trace.
#pragma once

#include <string>
#include <string_view>

namespace memtrace::snapshot {

//   /usr/lib/python3.13/json/decoder.py                 json.decoder
//   /venv/lib/python3.13/site-packages/attr/__init__.py attr
//   <frozen importlib._bootstrap>                       importlib._bootstrap
//   pkg/mod.py, ./pkg/mod.py                            pkg.mod
//   /srv/app/tool.py                                    /srv/app/tool   (no known root: the path tells files apart)
//   <string>, <unknown>                                 unchanged
std::string module_name(std::string_view filename);

}  // namespace memtrace::snapshot
