#!/usr/bin/env bash
# Puts Catch2 3 into a private prefix on Debian 12, whose own package is version 2.
#
#     tests/tools/get_catch2.sh [PREFIX]
#
# PREFIX is build/catch2 unless given, where the build looks by itself; for another, pass
# -DCMAKE_PREFIX_PATH=PREFIX/usr.
#
# Takes libcatch2-dev from bookworm-backports through apt, with a private list and cache: the machine's own
# package lists and installed packages stay as they are. MIRROR overrides the archive, which is otherwise the
# one this machine's apt uses. Does nothing when PREFIX already holds it.
set -euo pipefail

prefix=${1:-$(dirname "$0")/../../build/catch2}
mkdir -p "$prefix"
prefix=$(cd "$prefix" && pwd)
if compgen -G "$prefix/usr/lib/libCatch2.a" >/dev/null; then
  echo "Catch2 is already in $prefix/usr"
  exit 0
fi

sources=(/etc/apt/sources.list /etc/apt/sources.list.d/*)
mirror=${MIRROR:-$(sed -nE 's#^URIs:[[:space:]]*(https?://[^[:space:]]*/debian)/?$#\1#p; s#^deb (\[[^]]*\] )?(https?://[^[:space:]]*/debian)/? .*#\2#p' \
  "${sources[@]}" 2>/dev/null | head -n 1 || true)}
if [[ -z $mirror ]]; then
  echo "get_catch2.sh: no Debian archive in this machine's apt sources; set MIRROR" >&2
  exit 1
fi

state=$prefix/.apt
mkdir -p "$state"/{lists/partial,archives/partial}
: >"$state/status"
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror bookworm-backports main" >"$state/sources.list"
apt=(
  apt-get -q
  -o "Dir::Etc::sourcelist=$state/sources.list" -o Dir::Etc::sourceparts=-
  -o "Dir::State=$state" -o "Dir::State::status=$state/status" -o "Dir::Cache=$state"
  -o APT::Sandbox::User=root -o Acquire::Languages=none
)
"${apt[@]}" update >"$state/update.log" 2>&1 || { cat "$state/update.log" >&2; exit 1; }
(cd "$state" && "${apt[@]}" download libcatch2-dev >/dev/null)
for package in "$state"/libcatch2-dev_*.deb; do
  dpkg-deb -x "$package" "$prefix"
done
rm -rf "$state"
echo "Catch2 is in $prefix/usr"
