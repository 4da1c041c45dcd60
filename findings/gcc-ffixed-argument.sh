#!/bin/sh
# gcc-ffixed-argument.sh: a register that -ffixed-reg keeps from gcc is written all the same, where it passes an argument.
#
# The manual: "Treat the register named reg as a fixed register; generated code should never refer to it". With -ffixed-r7 a call
# with five arguments loads the fifth into r7, and a function with five reads it there: the ABI's rule is applied without a look
# at what is fixed, and without a warning. Only what gcc allocates itself keeps away from r7. The same with -ffixed-r3 and a
# function's result. Code between two worlds, where such a register is somebody else's, has to count its arguments.
#
# Tried: gcc-12-powerpc-linux-gnu 12.2.0-13cross1 (the version is checked; the compiler has to be installed).
set -eu
cd "$(mktemp -d)"
fail() { echo "$1" >&2; exit "${2:-1}"; }
have=$(dpkg-query -W -f '${Version}' gcc-12-powerpc-linux-gnu 2>/dev/null) ||
    fail "gcc-12-powerpc-linux-gnu is not installed: apt-get install gcc-12-powerpc-linux-gnu" 2
[ "$have" = 12.2.0-13cross1 ] || fail "gcc-12-powerpc-linux-gnu is $have, not 12.2.0-13cross1" 2

cat >x.c <<'SOURCE'
int callee(int a, int b, int c, int d, int e);
int calls(int a) { return callee(a, 1, 2, 3, 4); }
int reads(int a, int b, int c, int d, int e) { return a + b + c + d + e; }
int result(void) { return 9; }
int many(const int *p) { return p[0] * p[1] + p[2] * p[3] + p[4] * p[5] + p[6] * p[7] + p[8] * p[9]; }
SOURCE
# uses FUNCTION REGISTER FLAGS: in how many of the function's instructions the register is, and what gcc had to say
uses() {
    function=$1; register=$2; shift 2
    powerpc-linux-gnu-gcc-12 -Wall -Wextra -mcpu=405 -fno-pic -O2 "$@" -c -o x.o x.c 2>warnings
    [ ! -s warnings ] || fail "changed: gcc says $(head -n 1 warnings)"
    powerpc-linux-gnu-objdump -d --no-show-raw-insn x.o |
        awk -v name="<$function>:" '/>:$/ { on = $2 == name } on' | grep -cw "$register" || true
}
calls=$(uses calls r7 -ffixed-r7)
reads=$(uses reads r7 -ffixed-r7)
many=$(uses many r7 -ffixed-r7)
may=$(uses many r7)
result=$(uses result r3 -ffixed-r3)
echo "instructions with r7: $calls that calls, $reads that reads, $many that could use it ($may where it may); r3 in a result: $result"
[ "$calls $reads $many $result" = "1 1 0 1" ] || fail "changed"
[ "$may" -gt 0 ] || fail "changed: r7 is not used where it may be"
