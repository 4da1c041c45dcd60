#!/bin/sh
# ld-symbol-at-4-gib.sh: the end of the address space is two numbers to GNU ld.
#
# A section that ends exactly at 2^32 (a boot ROM does) gives `end = .` the value 2^32 in every expression of the
# script, ASSERT included, and 0 in the symbol table of the 32-bit ELF file: code that takes end - start, or compares
# with it, has another number than the script that was checked. No warning.
#
# Tried: binutils-powerpc-linux-gnu 2.40-2. nm says `00000000 T end`, the script's `end == 0` is false.
set -eu
cd "$(mktemp -d)"
fail() { echo "$1" >&2; exit "${2:-1}"; }
for package in binutils-powerpc-linux-gnu=2.40-2 libbinutils=2.40-2; do
    apt-get -qq download "$package" >log 2>&1 || fail "$package can't be had: $(tail -n 1 log)" 2
done
for deb in *.deb; do dpkg-deb -x "$deb" root; done
export LD_LIBRARY_PATH="$PWD/root/usr/lib/x86_64-linux-gnu"
tool() { name=$1; shift; "root/usr/bin/powerpc-linux-gnu-$name" "$@"; }

cat >x.ld <<'SCRIPT'
SECTIONS
{
    .text 0xFFFFFFF0 : { *(.text) LONG(0) LONG(0) LONG(0) }
    end = .;
    is_zero = end == 0 ? 1 : 2;
    ASSERT(end == 0x100000000, "end is not 2^32 here")
}
SCRIPT
printf ' .globl start\nstart: nop\n' | tool as -o x.o -
tool ld -e start -T x.ld -o x.elf x.o 2>&1 | tee said
tool nm x.elf
[ ! -s said ] || fail "changed: ld says something"
tool nm x.elf | grep -q '^00000000 . end$' || fail "changed: end is another value"
tool nm x.elf | grep -q '^00000002 . is_zero$' || fail "changed: the script sees 0, too"
