#!/bin/sh
# Usage: distribution_kokkos.sh FOLDER
# Downloads the distribution's source of Kokkos (Debian carries it inside the source package `trilinos`) and prints where
# it lies: in the user's cache, so that the next build tree downloads nothing, or in FOLDER if that cannot be written.
#
# Source packages need `deb-src` entries, which most machines lack. The system's apt configuration is left as it is:
# private entries are derived from the machine's own and used with private lists and caches. No root needed.
set -eu
fail() {
  echo "distribution_kokkos.sh: $*" >&2
  exit 1
}

cache=${XDG_CACHE_HOME:-${HOME:-}/.cache}/glyphdiff
mkdir -p "$cache" 2>/dev/null && [ -w "$cache" ] || cache=$1
destination=$cache/kokkos-of-distribution
if [ -f "$destination/CMakeLists.txt" ]; then
  echo "$destination"
  exit 0
fi
command -v apt-get >/dev/null || fail "this machine has no apt-get."

mkdir -p "$cache"
cache=$(cd "$cache" && pwd)
work=$(mktemp -d "$cache/download.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/sources.list.d" "$work/lists/partial" "$work/cache/archives/partial" "$work/download" "$work/kokkos"

list='' parts=''
eval "$(apt-config shell list Dir::Etc::sourcelist/f parts Dir::Etc::sourceparts/d)"
for file in "$list" "$parts"*.list; do
  [ ! -r "$file" ] || sed -n 's/^[[:space:]]*deb[[:space:]]/deb-src /p' "$file"
done >"$work/sources.list"
for file in "$parts"*.sources; do
  [ ! -r "$file" ] || sed 's/^[Tt]ypes:.*/Types: deb-src/' "$file" >"$work/sources.list.d/${file##*/}"
done

private_apt() {
  apt-get -qq -o Dir::Etc::SourceList="$work/sources.list" -o Dir::Etc::SourceParts="$work/sources.list.d" \
    -o Dir::State::Lists="$work/lists" -o Dir::Cache="$work/cache" -o Debug::NoLocking=1 \
    -o APT::Sandbox::User="$(id -un)" -o Acquire::Retries=3 "$@"
}
echo "Downloading the distribution's source of Kokkos (166 MB, once)" >&2
private_apt update || fail "apt cannot read the package archives of this machine."
(cd "$work/download" && private_apt source --download-only trilinos) ||
  fail "apt cannot download the source package trilinos."

archive=$(find "$work/download" -name 'trilinos_*.orig.tar.*' ! -name '*.asc')  # apt has verified its checksum
[ -f "$archive" ] || fail "the source package trilinos has no trilinos_*.orig.tar.* file."
tar -xf "$archive" -C "$work/kokkos" --strip-components=3 --wildcards '*/packages/kokkos' ||
  fail "${archive##*/} has no folder packages/kokkos."
# The rename publishes a complete folder only. Another build may have been faster.
mv -T "$work/kokkos" "$destination" 2>/dev/null || [ -f "$destination/CMakeLists.txt" ] ||
  fail "$destination cannot be written."
echo "$destination"
