#!/bin/sh
# ld-load-address-goes-on.sh: behind a section with AT() ld loads those with an address of their own elsewhere, too.
#
# ld's manual, of a section with neither AT nor AT>: if it has a specific VMA, "then this is used as the LMA address as well".
# It is not: behind `.data 0x4000 : AT(0x80000)` a `.table 0x6000` keeps the distance and is loaded at 0x82000, however far
# its address is from the section before. A loader that goes by p_paddr (QEMU's, a ROM's) puts the table where nobody looks,
# and ld says nothing. The way out is AT on every section behind the first.
#
# Tried: binutils-powerpc-linux-gnu 2.40-2. VMA and LMA: .data 4000 80000, .table 6000 82000, .far 100000 17c000.
set -eu
cd "$(mktemp -d)"
fail() { echo "$1" >&2; exit "${2:-1}"; }
for package in binutils-powerpc-linux-gnu=2.40-2 libbinutils=2.40-2; do
    apt-get -qq download "$package" >log 2>&1 || fail "$package can't be had: $(tail -n 1 log)" 2
done
for deb in *.deb; do dpkg-deb -x "$deb" root; done
export LD_LIBRARY_PATH="$PWD/root/usr/lib/x86_64-linux-gnu"
tool() { name=$1; shift; "root/usr/bin/powerpc-linux-gnu-$name" "$@"; }

cat >x.s <<'SOURCE'
        .globl  start
start:  nop
        .data
        .long   1
        .section .table, "aw"
        .long   2
        .section .far, "aw"
        .long   3
SOURCE
cat >x.ld <<'SCRIPT'
SECTIONS
{
    .text 0x1000 : { *(.text) }
    .data 0x4000 : AT(0x80000) { *(.data) }
    .table 0x6000 : { *(.table) }
    .far 0x100000 : { *(.far) }
}
SCRIPT
tool as -m405 -o x.o x.s
tool ld -e start -T x.ld -o x.elf x.o 2>&1 | tee said
tool objdump -h x.elf | awk '$2 ~ /^\.(data|table|far)$/ { sub(/^0*/, "", $4); sub(/^0*/, "", $5); print $2, $4, $5 }' | tee out
[ ! -s said ] || fail "changed: ld says something"
[ "$(tr '\n' ' ' <out)" = ".data 4000 80000 .table 6000 82000 .far 100000 17c000 " ] || fail "changed"
