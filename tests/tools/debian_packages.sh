#!/usr/bin/env bash
# Installs the Debian or Ubuntu packages that building and testing needs, and those given: debian_packages.sh [PACKAGE]...
#
# As root or through sudo. Does nothing when they are all there, and only says what it would need on another system.
set -euo pipefail
here=$(dirname "${BASH_SOURCE[0]}")

packages=(g++ cmake ninja-build ccache git make libmimalloc-dev libxxhash-dev libzstd-dev "$@")
command -v dpkg-query >/dev/null || { echo "not Debian: expecting ${packages[*]} in this system's own form"; exit 0; }
# The distribution's own CPython serves when there is no other.
"$here/find_python.sh" >/dev/null 2>&1 || packages+=(python3-dev python3-venv)

missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
((${#missing[@]})) || exit 0

echo "installing ${missing[*]}"
as_root=()
((EUID == 0)) || as_root=(sudo)
"${as_root[@]}" apt-get update -qq
DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -qq -y --no-install-recommends "${missing[@]}" >/dev/null
