# shellcheck shell=bash
# For sourcing: apt-get on another release of Debian, with lists and a cache of its own. The machine's package lists
# and installed packages stay as they are.
#
#     private_apt STATE SOURCE...     sets the array `apt`; STATE is its directory, a SOURCE a type and a suite: "deb sid"
#
# MIRROR overrides the archive, which is otherwise the one this machine's apt uses. One line on standard error says
# why there is none.

debian_mirror() {
  local sources=(/etc/apt/sources.list /etc/apt/sources.list.d/*)
  sed -nE 's#^URIs:[[:space:]]*(https?://[^[:space:]]*/debian)/?$#\1#p; s#^deb (\[[^]]*\] )?(https?://[^[:space:]]*/debian)/? .*#\2#p' \
    "${sources[@]}" 2>/dev/null | head -n 1 || true
}

private_apt() {  # <state> <source>...
  local state mirror=${MIRROR:-$(debian_mirror)} source type suite
  if [[ -z $mirror ]]; then
    echo "no Debian archive in this machine's apt sources; set MIRROR" >&2
    return 1
  fi
  mkdir -p "$1"/{lists,archives}/partial
  state=$(cd "$1" && pwd)
  : >"$state/status"
  for source in "${@:2}"; do
    read -r type suite <<<"$source"
    echo "$type [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main"
  done >"$state/sources.list"
  apt=(
    apt-get -qq --yes --no-install-recommends
    -o "Dir::Etc::sourcelist=$state/sources.list" -o Dir::Etc::sourceparts=-
    -o "Dir::State=$state" -o "Dir::State::status=$state/status" -o "Dir::Cache=$state"
    -o APT::Update::Error-Mode=any -o APT::Sandbox::User=root -o Debug::NoLocking=true -o Acquire::Languages=none -o Acquire::Retries=1
    -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false
  )
  "${apt[@]}" update >"$state/update.log" 2>&1 || {
    echo "the Debian archive $mirror gave no package lists: $(grep -m 1 '^[EW]:' "$state/update.log")" >&2
    return 1
  }
}
