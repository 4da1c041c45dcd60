#!/bin/sh
# pyelftools-ppc-object.sh: DWARF of a 32-bit PowerPC object file, to pyelftools.
#
# get_dwarf_info() of a linked PowerPC program works. Of an object file (-c -g) of the same compiler it raises
# ELFRelocationError: debugging sections of an object have relocations, and of this machine pyelftools applies none,
# though the commonest, R_PPC_ADDR32 (type 1), is a plain addition.
#
# Tried: python3-pyelftools 0.29-1 on an object of gcc-12-powerpc-linux-gnu 12.2.0-13cross1 (whatever is installed).
set -eu
cd "$(mktemp -d)"
fail() { echo "$1" >&2; exit "${2:-1}"; }
command -v powerpc-linux-gnu-gcc >/dev/null || fail "apt-get install gcc-powerpc-linux-gnu first" 2
apt-get -qq download python3-pyelftools=0.29-1 >log 2>&1 || fail "python3-pyelftools can't be had: $(tail -n 1 log)" 2
dpkg-deb -x python3-pyelftools*.deb root

echo 'int _start(int a) { return a + 1; }' >x.c
powerpc-linux-gnu-gcc -g -c -o x.o x.c
powerpc-linux-gnu-gcc -g -nostdlib -static -o x.elf x.c
for file in x.elf x.o; do
    PYTHONPATH=root/usr/lib/python3/dist-packages python3 -c '
import sys
from elftools.elf.elffile import ELFFile
try:
    print(sys.argv[1], [unit.get_top_DIE().tag for unit in ELFFile(open(sys.argv[1], "rb")).get_dwarf_info().iter_CUs()])
except Exception as error:
    print(sys.argv[1], type(error).__name__, error)' "$file" | tee "$file.out"
done
grep -q DW_TAG_compile_unit x.elf.out || fail "changed: not even the linked file is read"
grep -q 'x.o ELFRelocationError Unsupported relocation type: 1' x.o.out || fail "changed: $(cat x.o.out)"
