#!/usr/bin/env bash
# Debian's libz.a for arm64 into DIR. Its -dev package cannot be installed beside the one for this machine, so the file is
# taken out of the package: get-zlib.sh DIR
set -euo pipefail
dir=$(realpath -m "$1")
[ -s "$dir/libz.a" ] && exit 0
if [ -s /usr/lib/aarch64-linux-gnu/libz.a ]; then
    mkdir -p "$dir" && cp /usr/lib/aarch64-linux-gnu/libz.a "$dir/"
    exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work" && cd "$work"
if ! dpkg --print-foreign-architectures | grep -qx arm64; then
    dpkg --add-architecture arm64 && apt-get update -qq
fi
download() { apt-get -o APT::Sandbox::User=root download -qq zlib1g-dev:arm64; } # _apt may not write to our directory
download || { apt-get update -qq && download; }
dpkg -x zlib1g-dev_*_arm64.deb .
mkdir -p "$dir"
cp usr/lib/aarch64-linux-gnu/libz.a "$dir/"
