#!/usr/bin/env bash
# Prints the path of an interpreter that can build and test memtrace: find_python.sh [VERSION]...
#
# The first VERSION for which there is one wins (3.13 3.12 3.11 unless given). An interpreter counts when it has
# its headers and can make virtual environments; looked for on PATH, then among pyenv's.
set -euo pipefail

usable() {  # <interpreter> <version>
  "$1" -c '
import ensurepip, os, sys, sysconfig, venv
wanted = tuple(map(int, sys.argv[1].split(".")))
header = os.path.join(sysconfig.get_path("include"), "Python.h")
sys.exit(sys.version_info[:2] != wanted or not os.path.exists(header))
' "$2" 2>/dev/null
}

candidates() {  # <version>
  type -ap "python$1" || true
  if command -v pyenv >/dev/null; then
    compgen -G "$(pyenv root)/versions/$1.*/bin/python" | sort -rV || true
  fi
}

(($#)) || set -- 3.13 3.12 3.11
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
