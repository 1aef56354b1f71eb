#!/bin/dash
# needs: dash libc6 grep libpcre2-8-0 sed libacl1 libselinux1 gawk libgmp10 libmpfr6 libreadline8 libtinfo6 libsigsegv2 findutils coreutils libattr1
printf 'alpha 1\nbeta 22\ngamma 333\ndelta\n' > t
grep -c a t; grep -n '^[ab]' t; grep -v a t; echo $?; grep -o '[0-9]*' t; grep -E '(\w)\1' t; grep -P '\d{2,}' t; grep -q none t; echo $?; grep x none 2>&1
grep -A1 beta t; grep -w 22 t; grep -i ALPHA t; grep -rl delta . ; grep -f t t | wc -l; echo abc | grep --color=always b; grep -z a t | tr '\0' '\n'
sed -n 2,3p t; sed 's/\(.\)a/\1A/g' t; sed '/beta/d;$!N;s/\n/+/' t; sed -e '1i\first' -e '$a\last' t; sed -i.bak s/alpha/ALPHA/ t; cat t; ls t*; sed y/abc/xyz/ t
sed -n '/beta/,/delta/{=;p}' t; sed ':a;N;$!ba;s/\n/,/g' t; sed -E 's/([a-z]+) ([0-9]+)/\2 \1/' t; sed 's/a/&&/2' t; seq 10 | sed -n '0~3p' | tr '\n' ' '; echo; sed q5 t 2>&1; sed q5 t > /dev/null 2>&1; echo $?
gawk '{ n += $2 } END { print n, NR }' t; gawk -F' ' '{ print $1 > "out." NR }' t; ls out.*; gawk 'BEGIN { printf "%.3f %s %d\n", atan2(0, -1), toupper("x"), 077 }'
gawk 'BEGIN { while (("echo a; echo b" | getline l) > 0) print "got", l; close("x"); print system("exit 3") }'; gawk '{ a[length($0)]++ } END { for (i in a) print i, a[i] }' t | sort
gawk 'BEGIN { s = "a:b:c"; n = split(s, p, ":"); print n, p[3]; gsub(/b/, "X", s); print s, match("foobar", /o+/), RSTART, RLENGTH; print substr("hello", 2, 3), index("abc", "c") }'
gawk -M 'BEGIN { print 2^100 }'; gawk 'BEGIN { PROCINFO["sorted_in"] = "@ind_num_asc"; for (i = 5; i > 0; i--) a[i] = i * i; for (i in a) print i, a[i] }'; gawk 'BEGIN { print strftime("%F", 0, 1) }'
gawk 'BEGIN { cmd = "sort -n"; for (i = 5; i > 0; i--) print i | cmd; close(cmd) }'; gawk 'function f(n) { return n < 2 ? n : f(n - 1) + f(n - 2) } BEGIN { print f(18) }'; gawk 'BEGIN { exit 6 }'; echo $?
mkdir -p d/e/f; touch d/1.c d/e/2.c d/e/f/3.h; ln -s ../1.c d/e/l; chmod 600 d/1.c
find d | sort; find d -name '*.c' -type f | sort; find d -type l -printf '%p -> %l\n'; find d -perm 600; find d -maxdepth 1 | sort; find d -newer t | sort | head -2; find d -empty -type d; find d -size 0 | wc -l
find d -name '*.c' -exec echo {} + | tr ' ' '\n' | sort; find d -name '*.h' -delete; find d -name '*.h'; find -L d -name l -type f; find none 2>&1; find d -path '*e*' -prune -o -print | sort; find d -mindepth 1 -printf '%y %d %f\n' | sort
seq 10 | xargs -n3 echo; seq 4 | xargs -I{} echo '<{}>'; seq 8 | xargs -P4 -n1 sh -c 'exit $(( $0 == 5 ))'; echo $?; printf 'a b\0c\0' | xargs -0 -n1; echo | xargs -r echo none; seq 5000 | xargs -s 4096 echo | wc -w
