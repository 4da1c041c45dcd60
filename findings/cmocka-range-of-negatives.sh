#!/bin/sh
# cmocka-range-of-negatives.sh: a test that -1 is not between -5 and 5 passes.
#
# The values of cmocka's assertions are converted to an unsigned integer of 64 bits. assert_int_equal() is right with it, for
# both sides wrap alike. An order is not: assert_in_range(-1, -5, 5) fails, which one sees, and assert_not_in_range(-1, -5, 5)
# passes, which one does not. And where widths differ, equality goes, too: a uint32_t with all bits set, what -1 is on a
# 32-bit target, is not equal to -1. Casting does not help a range: what it gets is unsigned again.
#
# Tried: libcmocka-dev 1.1.5-2.1. In range: failed; not in range: passed; uint32_t -1 and -1: failed.
set -eu
cd "$(mktemp -d)"
fail() { echo "$1" >&2; exit "${2:-1}"; }
command -v cc >/dev/null || fail "no C compiler" 2
for package in libcmocka-dev=1.1.5-2.1 libcmocka0=1.1.5-2.1; do
    apt-get -qq download "$package" >log 2>&1 || fail "$package can't be had: $(tail -n 1 log)" 2
done
for deb in *.deb; do dpkg-deb -x "$deb" root; done

cat >x.c <<'SOURCE'
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
static void in_range(void **state) { (void)state; assert_in_range(-1, -5, 5); }
static void not_in_range(void **state) { (void)state; assert_not_in_range(-1, -5, 5); }
static void ones(void **state) { (void)state; assert_int_equal((uint32_t)-1, -1); }
int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(in_range), cmocka_unit_test(not_in_range), cmocka_unit_test(ones)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
SOURCE
cc -Wall -Iroot/usr/include -o x x.c -Lroot/usr/lib/x86_64-linux-gnu -lcmocka
LD_LIBRARY_PATH=root/usr/lib/x86_64-linux-gnu ./x >out 2>&1 || true
grep -E 'ERROR|OK|FAILED' out
result() { sed -n "s/^\[ *\(OK\|FAILED\) *\] $1\$/\1/p" out | head -n 1; }
[ "$(result in_range) $(result not_in_range) $(result ones)" = "FAILED OK FAILED" ] || fail "changed"
