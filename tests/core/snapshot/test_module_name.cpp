#include <catch2/catch_test_macros.hpp>
#include <string>
#include <utility>

#include "snapshot/module_name.h"

using memtrace::snapshot::module_name;

TEST_CASE("modules of files") {
  const std::pair<const char*, const char*> cases[] = {
      {"/usr/lib/python3.13/json/decoder.py", "json.decoder"},
      {"/usr/lib/python3.13/json/__init__.py", "json"},
      {"/opt/lib/python3.13t/os.py", "os"},
      {"/venv/lib/python3.13/site-packages/attr/_make.py", "attr._make"},
      {"/venv/lib/python3.13/site-packages/attr/_make.pyc", "attr._make"},
      {"/usr/lib/python3/dist-packages/apt/cache.py", "apt.cache"},
      {"/venv/lib/python3.13/site-packages/x/site-packages/y.py", "y"},
      {"/usr/lib/python3.13/lib-dynload/_ctypes.py", "_ctypes"},
      {"/opt/pypy/lib/pypy3.10/os.py", "os"},
      {"/home/user/python3.x/tool.py", "/home/user/python3.x/tool"},
      {"/srv/app/tool.py", "/srv/app/tool"},
      {"/srv/app/__init__.py", "/srv/app"},
      {"pkg/mod.py", "pkg.mod"},
      {"./pkg/mod.py", "pkg.mod"},
      {"././mod.py", "mod"},
      {"pkg/__init__.py", "pkg"},
      {"__init__.py", "__init__"},
      {"/__init__.py", "/__init__"},
      {"mod.py", "mod"},
      {"script", "script"},
      {"<frozen importlib._bootstrap>", "importlib._bootstrap"},
      {"<frozen os", "<frozen os"},
      {"<string>", "<string>"},
      {"<unknown>", "<unknown>"},
      {"", ""},
      {".py", ".py"},
      {"./", "./"},
      {"/usr/lib/python3.13/", "/usr/lib/python3.13/"},
  };
  for (const auto& [filename, module] : cases) {
    INFO(filename);
    CHECK(module_name(filename) == module);
  }
}
