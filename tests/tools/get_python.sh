#!/usr/bin/env bash
# Puts a CPython that Debian 12 lacks into a directory, and prints the interpreter's path.
#
#     tests/tools/get_python.sh VERSION [DIRECTORY]
#
# VERSION 3.14 or 3.15: Debian unstable's own build with its libc, unpacked; has the internal headers, the standard
# library's tests, venv and a library to embed.
# VERSION 3.13t: free-threaded, compiled from Debian's source.
#
# DIRECTORY is build/pythons unless given, where find_python.sh looks, too. Does nothing when it is there already.
# One line on standard error says why there is none; the exit status is 1 then.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$here/private_apt.sh"

fail() { echo "get_python.sh: no ${version:-}: $*" >&2; exit 1; }

step() {  # <what it is> <command>...: what the command prints goes to the log
  "${@:2}" >>"$log" 2>&1 || fail "$1 failed: $(grep . "$log" | tail -n 1)"
}

from_debs() {
  local package libraries loader
  step "installing patchelf" "$here/debian_packages.sh" patchelf
  step "asking Debian" private_apt "$stage/apt" "deb sid"
  step "downloading" "${apt[@]}" install --download-only "libpython$version-testsuite" "libpython$version-dev" "python$version-venv"
  for package in "$stage"/apt/archives/*.deb; do
    # Of the headers and libraries to link with only Python's: the others are the machine's own, as the compiler is.
    [[ $package == *-dev_* && $package != */libpython* ]] || step "unpacking" dpkg-deb -x "$package" "$stage"
  done
  find "$stage/usr" -xtype l -delete

  loader=$(compgen -G "$stage/usr/lib/*/ld-linux-*.so.*") || fail "its libc has no loader"
  loader=$prefix/${loader#"$stage/usr/"}
  libraries=${loader%/*}
  # DT_RPATH, which holds for the libraries' own libraries, too: one libc for all.
  step "patching" patchelf --set-interpreter "$loader" --force-rpath --set-rpath "$libraries" "$stage/usr/bin/python$version"
  ln -s "../${libraries##*/}" "$stage/usr/include/python$version/"
  # What was built for /usr is elsewhere, and so is the libc of a program that it is embedded in.
  find "$stage/usr/lib/python$version" -type f -name '_sysconfigdata_*.py' -exec sed -i -E "s#'/usr(['/ ])#'$prefix\1#g
    s#^( *'SYSLIBS': ')#&-Wl,--dynamic-linker=$loader -Wl,--disable-new-dtags -Wl,--allow-shlib-undefined #" {} +
}

download_source() {  # the newest that is to be had
  local suite
  for suite in forky trixie; do
    "${apt[@]}" source --download-only --only-source "python${version%t}/$suite" && return
  done
  return 1
}

from_source() {
  local -r jobs=${CMAKE_BUILD_PARALLEL_LEVEL:-$(nproc)}
  step "installing what it needs" "$here/debian_packages.sh" libbz2-dev libffi-dev liblzma-dev libsqlite3-dev libssl-dev xz-utils zlib1g-dev
  step "asking Debian" private_apt "$stage/apt" "deb-src forky" "deb-src trixie"
  cd "$stage"
  step "downloading" download_source
  tar -xf "$stage"/python*.orig.tar.*z
  cd "$stage"/Python-*/
  step "configuring" ./configure -q --disable-gil --prefix="$prefix"
  step "compiling" make -s -j"$jobs"
  step "installing" make -s install DESTDIR="$stage/root"
  mv "$stage/root$prefix" "$stage/usr"
}

version=${1:?usage: get_python.sh VERSION [DIRECTORY]}
mkdir -p "${2:-$here/../../build/pythons}"
directory=$(cd "${2:-$here/../../build/pythons}" && pwd)
prefix=$directory/$version
log=$directory/$version.log
stage=$directory/.$version

# Its path is part of it: what was moved does not run.
if ! "$prefix/bin/python$version" -c '' 2>/dev/null; then
  rm -rf "$prefix" "$stage" "$log"
  mkdir "$stage"
  trap 'rm -rf "$stage"' EXIT
  case $version in
    3.14 | 3.15) from_debs ;;
    3.13t) from_source ;;
    *) fail "only 3.14, 3.15 and 3.13t can be had" ;;
  esac
  # Last: what is there is whole.
  mv "$stage/usr" "$prefix"
  # As Debian does when it installs: else every start compiles what it imports.
  step "byte-compiling" "$prefix/bin/python$version" -m compileall -q -x '/(test|config-[^/]*)/' "$prefix/lib/python$version"
  rm "$log"
fi
echo "$prefix/bin/python$version"
