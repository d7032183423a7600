#!/usr/bin/env bash
# Puts Catch2 3 into a private prefix on Debian 12, whose own package is version 2.
#
#     tests/tools/get_catch2.sh [PREFIX]
#
# PREFIX is build/catch2 unless given, where the build looks by itself; for another, pass
# -DCMAKE_PREFIX_PATH=PREFIX/usr.
#
# Takes libcatch2-dev from bookworm-backports through apt, with a private list and cache: the machine's own
# package lists and installed packages stay as they are. Does nothing when PREFIX already holds it.
set -euo pipefail
here=$(dirname "${BASH_SOURCE[0]}")
source "$here/private_apt.sh"

prefix=${1:-$here/../../build/catch2}
mkdir -p "$prefix"
prefix=$(cd "$prefix" && pwd)
if compgen -G "$prefix/usr/lib/libCatch2.a" >/dev/null; then
  echo "Catch2 is already in $prefix/usr"
  exit 0
fi

private_apt "$prefix/.apt" "deb bookworm-backports"
(cd "$prefix/.apt" && "${apt[@]}" download libcatch2-dev)
for package in "$prefix"/.apt/libcatch2-dev_*.deb; do
  dpkg-deb -x "$package" "$prefix"
done
rm -rf "$prefix/.apt"
echo "Catch2 is in $prefix/usr"
