#!/bin/sh
# gcc-setjmp-without-call.sh: a __builtin_setjmp behind which no function is called comes back once only.
#
# A handler of a machine check (or of SIGSEGV) that goes on by __builtin_longjmp wants to be told by the second return: the load
# behind __builtin_setjmp has failed. With optimization gcc takes only calls for what can jump back: if a volatile load is all
# there is, the second return is dropped as dead code, without a warning, and the buffer's address leads somewhere into the
# first. A call of anything unknown in between brings it back; -fnon-call-exceptions, "trapping instructions", does not. Plain
# setjmp() is not so, but a guest without a C library has none.
#
# Tried: gcc-12-powerpc-linux-gnu 12.2.0-13cross1 (the version is checked; the compiler has to be installed). How often the
# second return's value is in the code: 1 at -O0, 0 at -O1, -O2, and -O2 -fnon-call-exceptions; always 1 with a call.
set -eu
cd "$(mktemp -d)"
fail() { echo "$1" >&2; exit "${2:-1}"; }
have=$(dpkg-query -W -f '${Version}' gcc-12-powerpc-linux-gnu 2>/dev/null) ||
    fail "gcc-12-powerpc-linux-gnu is not installed: apt-get install gcc-12-powerpc-linux-gnu" 2
[ "$have" = 12.2.0-13cross1 ] || fail "gcc-12-powerpc-linux-gnu is $have, not 12.2.0-13cross1" 2

cat >x.c <<'SOURCE'
void *place[5];
void other(void);
int tell(volatile int *at)
{
    if (__builtin_setjmp(place) == 0) {
        CALL;
        return *at;
    }
    return 23294;
}
SOURCE
# second CALL TIMES FLAGS: so often the value of the second return is in the code.
second() {
    call=$1; times=$2; shift 2
    powerpc-linux-gnu-gcc-12 -Wall -Wextra -Werror "-DCALL=$call" "$@" -S -o x.s x.c
    seen=$(grep -c 23294 x.s || true)
    echo "$* ${call:-no call}: $seen"
    [ "$seen" = "$times" ] || fail "changed: $seen instead of $times"
}
second "" 1 -O0
second "" 0 -O1
second "" 0 -O2
second "" 0 -O2 -fnon-call-exceptions
second "other()" 1 -O2
