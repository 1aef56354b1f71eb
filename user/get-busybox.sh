#!/usr/bin/env bash
# Debian's static busybox for arm64 into DIR, unpacked and not installed: get-busybox.sh DIR
set -euo pipefail
dir=$(realpath -m "$1")
[ -s "$dir/busybox" ] && exit 0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work" && cd "$work"
download() { apt-get -o APT::Sandbox::User=root download -qq busybox-static:arm64; } # _apt may not write to our directory
download || { apt-get update -qq && download; }
dpkg -x busybox-static_*_arm64.deb .
mkdir -p "$dir"
cp bin/busybox "$dir/"
