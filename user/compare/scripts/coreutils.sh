#!/bin/dash
# needs: dash libc6 coreutils libacl1 libattr1 libselinux1 libpcre2-8-0 libgmp10
export TZ=UTC
mkdir -p a/b/c && echo one > a/1 && echo two > a/b/2 && ln -s ../1 a/b/l && ln a/1 a/hard
touch -d @86400 a/1 a/b/2
ls -R a; ls -l a | cut -c1-10; ls -la --time-style=+%s a/b/2 | cut -d' ' -f1,2,6,7
stat -c '%n %F %s %h %a' a/1 a/b/l; stat -c '%n %F %h %a' a/b
cp -a a copy && ls -R copy && stat -c '%Y %h' copy/1 copy/hard && readlink copy/b/l
cp -r a/1 a/b x 2>&1; cp a/none . 2>&1; cp a . 2>&1
mv copy moved && ls moved; mv moved/1 moved/2 && ls moved; mv -T moved a 2>&1
rm a 2>&1; rm -r moved && ls; rmdir a 2>&1; rm -f none; echo $?
printf 'b 2\na 1\nc 3\na 1\n' > t; sort t; sort -u t; sort -k2 -rn t; uniq -c t; sort t | uniq -d
cut -d' ' -f2 t | paste -sd+; tac t; head -n2 t; tail -n1 t; tail -c3 t; wc t; nl t
tr a-c A-C < t; fold -w2 t | head -3; expand t | cksum; rev t 2> /dev/null; od -c t | head -2; od -An -tx4 t | head -1
seq 3 | join - t 2> /dev/null; comm -12 t t 2> /dev/null | wc -l; split -l2 t part. && ls part.*; cat part.*; csplit -s t 2 && ls xx*
md5sum t; sha256sum < t; b2sum t; base64 t; basenc --base32 t; sum t; cksum t; echo "$(md5sum t)" | md5sum -c
seq 1 20000 | sort -R --random-source=/dev/zero | sort -n | tail -1; seq 1 30000 | sort -S 64k -rn | head -2; shuf -i 1-5 --random-source=/dev/zero | sort | tr '\n' ' '
dd if=/dev/zero of=z bs=1k count=5 2> /dev/null; stat -c %s z; dd if=z of=y bs=512 seek=3 count=2 conv=notrunc 2>&1 | head -2; stat -c %s y
truncate -s 10000 sparse; stat -c %s sparse; du -b sparse; truncate -s -5000 sparse; stat -c %s sparse; fallocate -l 1 x 2> /dev/null
date -u -d @1000000000 +'%F %T %a %j %U'; date -d '2001-02-03 +1 month' +%F; touch -d '2020-01-02 03:04:05' d && stat -c %y d && date -r d +%s
expr 6 \* 7; expr abc : 'a\(.\)c'; factor 1234567890; numfmt --to=iec 1048576; printf '%s %d %5.2f\n' a 10 3.14159; test -e t && [ t -nt d ]; echo $?
basename /a/b.c .c; dirname /a/b/c; realpath a/b/../1 | sed s,.*/,, 2> /dev/null || realpath a/b/../1 | cut -d/ -f4-; readlink -f a/b/l | cut -d/ -f4-; pwd | cut -d/ -f1-2
mktemp -u XXXX | wc -c; mktemp -d tmp.XXXX | cut -c1-4; install -m 640 -D t inst/dir/t && stat -c %a inst/dir/t inst/dir
chmod u=rwx,g=rx,o= t; stat -c %a t; chmod +x,-w t; stat -c %A t; chown 5:6 t; stat -c '%u %g' t; chgrp 7 t; stat -c %g t; chmod 4755 t; stat -c %A t
echo in | tee o1 o2 | cat - o1; timeout 0.1 sleep 10; echo "timeout $?"; timeout 5 true; echo $?; timeout -s KILL 0.1 sleep 5; echo $?
env -i A=1 B=2 env; env FOO=bar printenv FOO; nice -n 5 nice; nohup echo nohup 2> /dev/null; id -u; id -un; whoami; groups; logname 2> /dev/null; tty; arch; nproc; uname -m
mkfifo p; echo through > p & cat p; wait; mknod n p; stat -c %F n; mknod cdev c 1 3 && echo x > cdev && stat -c '%F %t %T' cdev
yes | head -n3; true; echo $?; false; echo $?; sleep 0.01; echo; echo -e 'a\tb'; link t l2; unlink l2; sync; sync t; ls -1 | wc -l
df --output=target /tmp | tail -1; stat -f -c %T /tmp; pathchk -p 'a b' ; pathchk "$(printf 'x%.0s' $(seq 300))" 2> /dev/null; echo $?
ls none 2>&1; cat none 2>&1; cat a 2>&1; head -c 5 /dev/zero | od -An -tx1; wc -c < /dev/null; stty 2>&1; ptx < /dev/null; tsort << E
a b
b c
E
