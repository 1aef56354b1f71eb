#!/usr/bin/env bash
# picolibc for arm64, Debian's build of it, into DIR, unpacked and not installed: get-picolibc.sh DIR
set -euo pipefail
dir=$(realpath -m "$1")
[ -s "$dir/libc.a" ] && exit 0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work" && cd "$work"
download() { apt-get -o APT::Sandbox::User=root download -qq picolibc-aarch64-linux-gnu; } # _apt may not write to our directory
download || { apt-get update -qq && download; }
dpkg -x picolibc-aarch64-linux-gnu_*.deb .
mkdir -p "$dir"
cp -r usr/lib/picolibc/aarch64-linux-gnu/include "$dir/"
cp usr/lib/picolibc/aarch64-linux-gnu/lib/libc.a usr/lib/picolibc/aarch64-linux-gnu/lib/libm.a "$dir/"
