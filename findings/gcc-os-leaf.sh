#!/bin/sh
# gcc-os-leaf.sh: at -Os a `static inline` of three instructions stays a function, and the code is larger than at -O2.
#
# -Os is asked for the smallest code, and inlines what makes it smaller. It reckons a call as one instruction with its argument,
# and says so (-fopt-info-inline-missed): "code would grow by 3". What it leaves out: who calls nothing else was a leaf, and
# needs a frame, LR in it and back, and a register for what lives on over the call; on PowerPC a dozen instructions. So each of
# five accessors of a field calls those three instructions, and all that together is 332 bytes, where -O2, which inlines them,
# has 188. With always_inline -Os has 196. -finline-small-functions changes nothing.
#
# Tried: gcc-12-powerpc-linux-gnu 12.2.0-13cross1 (the version is checked; the compiler has to be installed).
set -eu
cd "$(mktemp -d)"
fail() { echo "$1" >&2; exit "${2:-1}"; }
have=$(dpkg-query -W -f '${Version}' gcc-12-powerpc-linux-gnu 2>/dev/null) ||
    fail "gcc-12-powerpc-linux-gnu is not installed: apt-get install gcc-12-powerpc-linux-gnu" 2
[ "$have" = 12.2.0-13cross1 ] || fail "gcc-12-powerpc-linux-gnu is $have, not 12.2.0-13cross1" 2

cat >x.c <<'SOURCE'
struct cpu { unsigned gpr[32], state, pid, last; unsigned char mode[8]; };
unsigned search(struct cpu *c);
INLINE unsigned mode_of(const struct cpu *c) { return (c->state >> 12 & 4) | (c->state >> 4 & 3); }
unsigned one(struct cpu *c) { return c->mode[mode_of(c)]; }
unsigned two(struct cpu *c, unsigned other) { unsigned m = c->mode[mode_of(c)]; return m ? m : other; }
unsigned three(struct cpu *c) { unsigned m = c->mode[mode_of(c)]; return c->pid != c->last ? search(c) : m; }
unsigned four(struct cpu *c, unsigned state) { c->state = state; return (mode_of(c) & 3) == 0; }
unsigned five(struct cpu *c, unsigned state) { unsigned m = mode_of(c); c->state = state; return mode_of(c) == m; }
SOURCE
# bytes INLINE FLAGS: of .text
bytes() {
    inline=$1; shift
    powerpc-linux-gnu-gcc-12 -Wall -Wextra -Werror -mcpu=405 -msoft-float -fno-pic -fno-asynchronous-unwind-tables \
        "-DINLINE=$inline" "$@" -c -o x.o x.c
    powerpc-linux-gnu-objdump -h x.o | awk '$2 == ".text" { print $3 }' | sed 's/^0*//'
}
os=$(bytes "static inline" -Os)
small=$(bytes "static inline" -Os -finline-small-functions)
o2=$(bytes "static inline" -O2)
always=$(bytes "static inline __attribute__((always_inline))" -Os)
echo "text, hexadecimal: -Os $os, -Os -finline-small-functions $small, -O2 $o2, -Os and always_inline $always"
[ "$os $small $o2 $always" = "14c 14c bc c4" ] || fail "changed"
powerpc-linux-gnu-gcc-12 -mcpu=405 "-DINLINE=static inline" -Os -fopt-info-inline-missed -c -o x.o x.c 2>&1 |
    grep -c "mode_of.* code would grow by 3" | grep -x 6
