#!/bin/sh
# objcopy-verilog-last-word.sh: the last bytes of a section reach a simulated memory in the wrong half of the word.
#
# `objcopy -O verilog --verilog-data-width=4` writes what $readmemh of Verilog loads into a memory of 32-bit words. If a
# section is no multiple of 4 bytes long, objcopy writes its last word with fewer digits, and $readmemh takes a shorter
# number, as Verilog does, for one with leading zeros: the bytes 99 AA at the word's start become 000099aa, which a big-endian
# processor reads as 00 00 99 AA. Neither warns. With --verilog-data-width=1 there are no halves, and no short words.
#
# Tried: binutils-powerpc-linux-gnu 2.40-2, iverilog 11.0-1.1+b1. Bytes 11 22 33 44 99 AA: words 11223344 000099aa.
set -eu
cd "$(mktemp -d)"
fail() { echo "$1" >&2; exit "${2:-1}"; }
for package in binutils-powerpc-linux-gnu=2.40-2 libbinutils=2.40-2 iverilog=11.0-1.1+b1; do
    apt-get -qq download "$package" >log 2>&1 || fail "$package can't be had: $(tail -n 1 log)" 2
done
for deb in *.deb; do dpkg-deb -x "$deb" root; done
export LD_LIBRARY_PATH="$PWD/root/usr/lib/x86_64-linux-gnu"
tool() { name=$1; shift; "root/usr/bin/powerpc-linux-gnu-$name" "$@"; }
! ldd root/usr/bin/vvp root/usr/lib/x86_64-linux-gnu/ivl/ivl | grep 'not found' || fail "apt-get install iverilog first" 2
ivl="$PWD/root/usr/lib/x86_64-linux-gnu/ivl"

echo ' .byte 0x11, 0x22, 0x33, 0x44, 0x99, 0xAA' | tool as -o x.o -
tool objcopy -O verilog --verilog-data-width=4 -j .text x.o x.mem
cat >x.v <<'SOURCE'
module x;
    reg [31:0] ram [0:1];
    initial begin
        $readmemh("x.mem", ram);
        $display("%h %h", ram[0], ram[1]);
    end
endmodule
SOURCE
root/usr/bin/iverilog -B "$ivl" -o x.vvp x.v
root/usr/bin/vvp -M "$ivl" x.vvp >out 2>&1
tr -d '\r' <x.mem
cat out
[ "$(cat out)" = "11223344 000099aa" ] || fail "changed"
