#!/bin/sh
# as-operators-not-c.sh: one #define, one number for C and another for the assembler.
#
# A header of constants serves .c and .S files, because cpp runs over both and GNU as has C's operators. But their ranks are
# others: |, & and ^ bind tighter than + and -, << as tight as *, and a comparison that holds is -1. So an expression that
# needs no parentheses in C, `ADDRESS + 0xFFF & 0xFF000`, is not rounded up in the assembler, where the & comes first. Numbers
# have 64 bits: 0xFFFFFFFF is not -1. as says nothing; gcc has -Wparentheses, for the C side.
#
# Tried: binutils-powerpc-linux-gnu 2.40-2. For the macros of the header below: C 13000 8 1 1, as 12345 5 -1 0.
set -eu
cd "$(mktemp -d)"
fail() { echo "$1" >&2; exit "${2:-1}"; }
command -v cc >/dev/null || fail "no C compiler" 2
for package in binutils-powerpc-linux-gnu=2.40-2 libbinutils=2.40-2; do
    apt-get -qq download "$package" >log 2>&1 || fail "$package can't be had: $(tail -n 1 log)" 2
done
for deb in *.deb; do dpkg-deb -x "$deb" root; done
export LD_LIBRARY_PATH="$PWD/root/usr/lib/x86_64-linux-gnu"
tool() { name=$1; shift; "root/usr/bin/powerpc-linux-gnu-$name" "$@"; }

cat >shared.h <<'HEADER'
#define PAGE_UP  0x12345 + 0xFFF & 0xFF000
#define SHIFTED  1 << 2 + 1
#define EQUAL    (3 == 1 + 2)
#define ALL_ONES (0xFFFFFFFF == -1)
HEADER
printf '#include "shared.h"\n .long PAGE_UP, SHIFTED, EQUAL, ALL_ONES\n' >x.S
cpp -P x.S | tool as -m405 -o x.o - 2>&1 | tee said
assembler=$(tool objdump -s -j .text x.o | sed -n 's/^ 0000 \(\S* \S* \S* \S*\) .*/\1/p')
cat >x.c <<'SOURCE'
#include <stdio.h>
#include "shared.h"
int main(void) { printf("%08x %08x %08x %08x\n", PAGE_UP, SHIFTED, EQUAL, ALL_ONES); return 0; }
SOURCE
cc -o x x.c 2>>said
c=$(./x)
echo "C:  $c"
echo "as: $assembler"
[ ! -s said ] || fail "changed: $(cat said)"
[ "$c" = "00013000 00000008 00000001 00000001" ] || fail "C reads it otherwise"
[ "$assembler" = "00012345 00000005 ffffffff 00000000" ] || fail "changed"
