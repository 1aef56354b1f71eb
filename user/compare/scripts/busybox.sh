#!/bin/busybox sh
# needs:
bb() { /bin/busybox "$@"; }
bb mkdir -p d/e; bb seq 1 5 > d/n; bb cat d/n | bb sort -rn | bb head -n 2; bb ls -R d; bb find d | bb sort; bb du -a d > /dev/null; echo $?
bb tar cf a.tar d; bb tar tf a.tar | bb sort; bb gzip a.tar; bb gunzip -c a.tar.gz | bb tar tv | bb awk '{ print $1, $NF }' | bb sort; echo d/n | bb cpio -o -H newc 2> /dev/null | bb cpio -t 2> /dev/null
bb sed 's/3/three/' d/n; bb awk '{ s += $1 } END { print s }' d/n; bb grep -n 4 d/n; bb cut -c1 d/n | bb tr '\n' ' '; bb md5sum d/n; bb sha1sum d/n; bb wc d/n; bb od -c d/n | bb head -n 1; bb hexdump -C d/n | bb head -n 1
bb expr 3 + 4; bb test -d d; echo $?; bb stat -c '%s %F' d/n; bb touch -d @0 d/n; bb stat -c %Y d/n; bb ln -s n d/l; bb readlink d/l; bb cp -a d c; bb diff -r d c; echo $?; echo x >> c/n; bb diff d/n c/n; bb cmp d/n c/n; bb mv c m; bb rm -r m; bb ls
bb timeout 1 bb sleep 5 2> /dev/null; bb usleep 10; bb env A=b bb env | bb grep ^A=; bb id; bb whoami; bb hostname > /dev/null; echo $?; bb xargs -n2 echo < d/n; bb yes | bb head -n 1; bb dd if=d/n bs=2 count=2 2> /dev/null; bb printf '%d-%s\n' 5 x; bb date -u -d @0; bb cal 2 2000
bb vi -c ':q' /dev/null < /dev/null > /dev/null 2>&1; bb bc << E
2^64; scale=5; 10/3
E
bb dc -e '2 3 + p'; bb unxz < /dev/null 2> /dev/null; echo $?; bb patch --version > /dev/null 2>&1; bb ed d/n << E
2d
wq
E
bb cat d/n; bb sort -k1n d/n | bb uniq -c; bb split -l 2 d/n s.; bb ls s.*; bb tac d/n | bb nl; bb paste d/n d/n | bb head -n 2; bb comm d/n d/n | bb head -n 1; bb fold -w 1 d/n | bb wc -l; bb base64 d/n; bb cksum d/n; bb crc32 d/n 2> /dev/null; bb factor 99; bb mktemp -u xXXXXXX | bb cut -c1; bb realpath d/l | bb sed 's,.*/,,'; bb shuf -n 1 -e x; bb ts < /dev/null; bb tree d
