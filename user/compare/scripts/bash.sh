#!/bin/bash-static
# needs: bash-static coreutils libc6 libacl1 libattr1 libselinux1 libpcre2-8-0 libgmp10
# The language, its processes and its pipes.
a=(one two "three four"); a+=(five); echo "${#a[@]} ${a[2]} ${a[@]: -1} ${a[*]/o/0}"
declare -A h=([x]=1 [y]=2); for k in x y; do echo "$k=${h[$k]}"; done
echo $((2**40 % 1000003)) $((0xff ^ 0x0f)) $((1 ? 2 : 3))
f() { local v=$1; ((v == 0)) && return 3; echo "f $v"; f $((v - 1)); }; f 3; echo "status $?"
s="Hello, World"; echo "${s,,} ${s^^} ${s:7:3} ${s#*, } ${s%%,*} ${#s}"
printf '%05d|%-6s|%x|%q\n' 42 ab 255 "a b'c"
cat <<END
here $((1 + 1)) $(echo nested "$(echo deep)")
END
cat <<'END'
raw $x `y`
END
read -r x y <<< "first second third"; echo "$x/$y"
while IFS=: read -r n p rest; do echo "$n $p"; done < /etc/passwd
echo {1..5} {a..c}{1,2}
[[ abc123 =~ ^([a-z]+)([0-9]+)$ ]] && echo "${BASH_REMATCH[1]} ${BASH_REMATCH[2]}"
case file.tar.gz in *.tar.*) echo archive ;; *) echo other ;; esac
set -- -a -b val rest; while getopts ab: o; do echo "opt $o ${OPTARG:-}"; done; shift $((OPTIND - 1)); echo "left $*"
true | false | true; echo "pipe ${PIPESTATUS[*]}"
set -o pipefail; false | true; echo "pipefail $?"; set +o pipefail
echo one two three | { read -r a b; echo "$b"; }
diff <(printf 'a\nb\n') <(printf 'a\nc\n') > /dev/null 2>&1; echo "substituted files $?"
cat < <(echo from a process)
coproc { read -r line; echo "got $line"; }; echo hello >&"${COPROC[1]}"; read -r reply <&"${COPROC[0]}"; echo "$reply"; wait
trap 'echo trapped USR1' USR1; kill -USR1 $$; trap - USR1
trap 'echo leaving' EXIT
(trap 'echo sub EXIT' EXIT; exit 5); echo "sub $?"
sleep 100 & sleep 0.1; kill $!; { wait $!; } 2> /dev/null; echo "killed $?"
for i in 1 2 3; do (exit $i) & p[i]=$!; done; for i in 3 1 2; do wait "${p[i]}" 2> /dev/null; echo -n "$? "; done; echo
exec 5> out; echo to five >&5; exec 5>&-; cat out; echo x 2> /dev/null >&5 || echo "closed"
{ echo out; echo err >&2; } 2>&1 | sort
ulimit -n 20; ulimit -n
cd /tmp && pwd && cd - > /dev/null
type -t cd ls if f no-such | tr '\n' ' '; echo
mapfile -t lines < <(seq 1 5); echo "${lines[*]}"
echo "$(< /etc/group)"
x=$(printf 'a%.0s' {1..70000}); echo ${#x}
eval 'echo evaluated $((6*7))'
( set -e; false; echo never ); echo "set -e $?"
( set -u; echo "$undefined" ) 2> /dev/null; echo "set -u $?"
no-such-command 2> /dev/null; echo "not found $?"
/etc/passwd 2> /dev/null; echo "not executable $?"
exit 9
