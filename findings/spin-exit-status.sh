#!/bin/sh
# spin-exit-status.sh: the verifier that spin makes ends with status 0 when it has found an error.
#
# A failed assertion of the model is in the report ("errors: 1") and leaves a trail, but neither `./pan` nor `spin -run` says so
# by its exit status: a Makefile or a CI that believes the status calls every model right. What tells is the number behind
# "errors:", and whether a file *.trail is there.
#
# Tried: spin 6.5.2+dfsg-1. A model that is wrong and one that is right: both status 0.
set -eu
cd "$(mktemp -d)"
fail() { echo "$1" >&2; exit "${2:-1}"; }
command -v gcc >/dev/null || fail "apt-get install gcc libc6-dev first" 2
apt-get -qq download spin=6.5.2+dfsg-1 >log 2>&1 || fail "spin can't be had: $(tail -n 1 log)" 2
dpkg-deb -x spin*.deb root
spin=$PWD/root/usr/bin/spin

for right in 1 2; do
    echo "int x; active proctype p() { x = 1; assert(x == $right) }" >model.pml
    rm -f ./*.trail
    "$spin" -a model.pml >log && gcc -o pan pan.c 2>>log
    status=0
    ./pan >report || status=$?
    errors=$(sed -n 's/.*errors: \([0-9]*\).*/\1/p' report)
    ran=0
    "$spin" -run model.pml >log 2>&1 || ran=$?
    echo "x == $right: errors $errors, status of pan $status, of spin -run $ran"
    [ "$errors" = $((right - 1)) ] || fail "changed: errors: $errors"
    [ "$status $ran" = "0 0" ] || fail "changed: status $status, $ran"
done
[ -e model.pml.trail ] || fail "changed: no trail"
