#!/bin/sh
# addr2line-of-what-is-gone.sh: the line of an address near 0 is that of a function which the linker threw away.
#
# ld --gc-sections takes an unused function out of the code, not out of the debugging information, where its addresses become
# 0 and what follows. In a program these are nowhere; an image whose vectors are at 0 has its own code there. addr2line and
# objdump -l give the source line of the function that is gone, beside the right name, and gdb sets a breakpoint on that
# function, at the first instruction of another one. The same image linked at 0x100 is right.
#
# Tried: gcc-12-powerpc-linux-gnu 12.2.0-13cross1 (whatever is installed), binutils-powerpc-linux-gnu 2.40-2, gdb-multiarch
# 13.1-3. used() is line 2: addr2line of 0 says line 1, of 0x100 line 2; `break unused` is a breakpoint at 0.
set -eu
cd "$(mktemp -d)"
fail() { echo "$1" >&2; exit "${2:-1}"; }
command -v powerpc-linux-gnu-gcc >/dev/null || fail "apt-get install gcc-powerpc-linux-gnu first" 2
for package in binutils-powerpc-linux-gnu=2.40-2 libbinutils=2.40-2 gdb-multiarch=13.1-3; do
    apt-get -qq download "$package" >log 2>&1 || fail "$package can't be had: $(tail -n 1 log)" 2
done
for deb in *.deb; do dpkg-deb -x "$deb" root; done
tool() { name=$1; shift; LD_LIBRARY_PATH=root/usr/lib/x86_64-linux-gnu "root/usr/bin/powerpc-linux-gnu-$name" "$@"; }
! ldd root/usr/bin/gdb-multiarch | grep 'not found' || fail "apt-get install gdb-multiarch first: its libraries" 2

cat >x.c <<'SOURCE'
int unused(int a) { return a * 7 + 3; }
int used(int a) { return a + 1; }
SOURCE
powerpc-linux-gnu-gcc -g -O2 -mcpu=405 -ffunction-sections -fno-pic -c -o x.o x.c
# line ADDRESS: of used(), in an image that is linked there.
line() {
    tool ld --gc-sections -e used -Ttext="$1" -o "$1.elf" x.o
    tool addr2line -f -s -e "$1.elf" "$1" | tr '\n' ' '
}
zero=$(line 0x0)
other=$(line 0x100)
stop=$(root/usr/bin/gdb-multiarch -q -batch -ex 'break unused' 0x0.elf 2>&1)
echo "addr2line of 0: $zero of 0x100: $other"
echo "gdb, break unused: $stop"
[ "$zero$other" = "used x.c:1 used x.c:2 " ] || fail "changed: addr2line"
case $stop in 'Breakpoint 1 at 0x0:'*) ;; *) fail "changed: gdb" ;; esac
