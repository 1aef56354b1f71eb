#!/usr/bin/perl
# needs: perl-base libc6 libcrypt1 dash coreutils libacl1 libattr1 libselinux1 libpcre2-8-0 libgmp10
use strict; use warnings; use POSIX (); use Errno; use Fcntl ':flock'; use List::Util qw(sum max);
$| = 1;
my %h = map { $_ => length } qw(one three seventeen); print join(',', map { "$_=$h{$_}" } sort keys %h), "\n";
print sum(1 .. 100), ' ', max(3, 9, 2), ' ', join('', reverse split //, 'abc'), ' ', sprintf('%.3f', atan2(1, 1) * 4), "\n";
(my $t = 'The quick brown fox') =~ s/(\w+)/\u\L$1/g; print "$t\n"; print join('|', 'a1b22c333' =~ /(\d+)/g), "\n";
open(my $f, '>', 'f') or die; print $f "line $_\n" for 1 .. 1000; close $f; print -s 'f', "\n";
open($f, '<', 'f') or die; my $n = 0; while (<$f>) { $n++ if /7$/ } print "$n\n"; seek($f, 0, 0); read($f, my $b, 6); print $b, "\n"; close $f;
open($f, '<', 'none') or print "open: $!\n"; mkdir 'd' or die; mkdir 'd' or print "mkdir: $!\n"; rmdir 'd'; opendir(my $d, '.') or die; print join(' ', sort grep { !/^\./ } readdir $d), "\n";
my $pid = fork; if ($pid == 0) { exit 7 } waitpid($pid, 0); print 'child ', $? >> 8, "\n"; print 'system ', system('sh -c "exit 3"') >> 8, "\n"; print `echo from a shell`;
pipe(my $r, my $w) or die; if (!fork) { close $r; print $w "through a pipe $_\n" for 1 .. 3; exit } close $w; print while <$r>; wait;
local $SIG{ALRM} = sub { die "alarm\n" }; eval { alarm 1; select(undef, undef, undef, 5); alarm 0; }; print "died: $@"; $SIG{USR1} = sub { print "USR1\n" }; kill 'USR1', $$;
my @s = stat 'f'; printf "%o %d\n", $s[2], $s[7]; chmod 0600, 'f'; printf "%o\n", (stat 'f')[2]; rename 'f', 'g'; print -e 'f' ? 'yes' : 'no', -e 'g' ? 'yes' : 'no', "\n"; symlink 'g', 'l'; print readlink 'l', "\n"; utime 5, 6, 'g'; print((stat 'g')[9], "\n");
open($f, '+<', 'g'); flock($f, LOCK_EX | LOCK_NB) and print "locked\n"; truncate $f, 10; print -s 'g', "\n"; close $f; unlink 'g', 'l'; print join(' ', (POSIX::uname())[4]), "\n";
my @sorted = sort { $a <=> $b } map { ($_ * 7919) % 10007 } 1 .. 20000; print "$sorted[0] $sorted[-1]\n"; print pack('NnC', 1, 2, 3) eq "\0\0\0\1\0\2\3" ? "packed\n" : "no\n"; print join(',', unpack('A2 A*', 'abcdef')), "\n";
my $x = 'a' x 3_000_000; print length($x . $x), "\n"; open(my $p, '-|', 'sort', '-r') if 0; open($p, '|-', 'sort', '-r') or die; print $p "$_\n" for 1 .. 3; close $p; print "status $?\n"; print getpwuid(0) . ' ' . (getpwnam('root'))[7], "\n"; exec 'sh', '-c', 'echo replaced; exit 11';
