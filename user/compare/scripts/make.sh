#!/bin/dash
# needs: dash libc6 make coreutils libacl1 libattr1 libselinux1 libpcre2-8-0 libgmp10 sed
cat > Makefile << 'E'
OBJECTS := $(patsubst %.in,%.out,$(sort $(wildcard *.in)))
all: $(OBJECTS) sum
%.out: %.in ; sed 's/x/y/' $< > $@
sum: $(OBJECTS) ; cat $^ | sort > $@
fail: ; exit 3
slow1 slow2 slow3: ; @sleep 0.1; echo done > $@.done
jobs: slow1 slow2 slow3 ; @ls *.done
sub: ; @$(MAKE) -s --no-print-directory -f sub.mk VALUE=7
clean: ; rm -f *.out sum
vars: ; @echo $(firstword b a) $(words 1 2 3) $(shell echo shell) $(if yes,then,else) $(call twice,z) $(origin CC) $(info information)
define twice
$(1)$(1)
endef
.PHONY: all clean fail jobs sub vars
E
printf 'all:\n\t@echo sub $(VALUE) $(MAKELEVEL)\n' > sub.mk
for i in 3 1 2; do echo "x $i" > $i.in; done
make; make; echo $?; sleep 1; touch 2.in; make -n | wc -l; make -s; cat sum; make fail 2>&1; echo $?; make -k fail sum 2>&1 | tail -2
make -j3 -s jobs; make sub; make vars; make none 2>&1; make clean; ls *.out 2>&1; make -q 2> /dev/null; echo $?; make -j4 -s; cat sum; make -f none 2>&1; echo $?
