#!/bin/dash
# needs: dash libc6
x=1; y=$((x + 41)); echo $y
f() { echo "f $# $*"; return 4; }
f a 'b c'; echo $?
for i in 1 2 3; do [ $i = 2 ] && continue; echo "i $i"; done
i=0; while [ $i -lt 3 ]; do i=$((i + 1)); done; echo $i
case abc in a*) echo match ;; esac
echo "$(echo nested; echo twice)"
cat() { while read -r l; do echo "$l"; done; }
cat << E
here $y
E
(exit 3); echo $?
{ echo a; echo b; } | { read -r v; echo "read $v"; }
trap 'echo got TERM' TERM; kill -TERM $$; trap - TERM
(exec sh -c "kill -KILL \$\$; echo never") & wait $!; echo $?; exit 6
