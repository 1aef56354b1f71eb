#!/usr/bin/env bash
# Files of a Debian package for arm64 into DIR, unpacked and not installed: most cannot be installed beside those for this
# machine. Nothing is done when they are there already: unpack.sh PACKAGE DIR PATH…
set -euo pipefail
package=$1 dir=$(realpath -m "$2")
shift 2
there=1
for path in "$@"; do
    [ -e "$dir/${path##*/}" ] || there=0
done
[ $there = 1 ] && exit 0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work" && cd "$work"
if ! dpkg --print-foreign-architectures | grep -qx arm64; then
    dpkg --add-architecture arm64 && apt-get update -qq
fi
download() { apt-get -o APT::Sandbox::User=root download -qq "$package"; } # _apt may not write to our directory
download || { apt-get update -qq && download; }
dpkg -x ./*.deb .
mkdir -p "$dir"
for path in "$@"; do
    cp -r "$path" "$dir/"
done
