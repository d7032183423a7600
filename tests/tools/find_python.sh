#!/usr/bin/env bash
# Prints the path of an interpreter that can build and test memtrace: find_python.sh [VERSION]...
#
# The first VERSION for which there is one wins: 3.13, the one the benchmarks are measured on, then the newest, unless
# given. 3.13t is the free-threaded 3.13. An interpreter counts when it has its headers and can make virtual environments;
# looked for on PATH, then among pyenv's. Those that get_python.sh made count only when their VERSION is given: what is
# found without one is the machine's own, on the machine's libc.
set -euo pipefail
made=$(dirname "${BASH_SOURCE[0]}")/../../build/pythons

usable() {  # <interpreter> <version>
  "$1" -c '
import ensurepip, os, sys, sysconfig, venv
version = "{}.{}".format(*sys.version_info) + "t" * ("t" in sys.abiflags)
header = os.path.join(sysconfig.get_path("include"), "Python.h")
sys.exit(version != sys.argv[1] or not os.path.exists(header))
' "$2" 2>/dev/null
}

candidates() {  # <version>
  type -ap "python$1" || true
  if command -v pyenv >/dev/null; then
    compgen -G "$(pyenv root)/versions/${1%t}.*/bin/python" | sort -rV || true
  fi
  [[ -z $made ]] || compgen -G "$made/$1/bin/python$1" || true
}

(($#)) || { made= && set -- 3.13 3.15 3.14 3.12 3.11; }
for version in "$@"; do
  while read -r candidate; do
    if usable "$candidate" "$version" </dev/null; then
      # Not the shim or link that led here: what that stands for depends on the directory.
      "$candidate" -c 'import os, sys; print(os.path.realpath(sys.executable))'
      exit 0
    fi
  done < <(candidates "$version")
done
echo "find_python.sh: no CPython among $* with headers and venv was found" >&2
exit 1
