#!/bin/sh
# start.sh PRODUCT O GOALS: what make can't work with, as one line; nothing if it can. The Makefile asks before it does anything.
#
# O is the folder that was asked for, empty if none was.
set -u
product=$1
out=$2
goals=$3

# say CAUSE HINT: one line in the form of all this project's errors.
say() {
    echo "$1. hint: $2"
    exit 0
}

# What make, the shell or a rule's colon would take for its own
for path in "$PWD" "$out" "$product"; do
    odd=$(printf %s "$path" | tr -d -c ' \t:#$%&;<>|*?!()[]{}`"\\\047' | cut -c1)
    [ -z "$odd" ] || say "'$path': make can't work with '$odd' in the name of a folder" "move it, or give it another name"
done

case $product in
*/* | . | .. | '')
    say "PRODUCT=$product is no name of a product" "the plain name of a folder of config/, PRODUCT=demo say"
    ;;
esac
# A product that is to be made is not there yet; tools/new.py says what is wrong with it
case " $goals " in *' new '*) exit 0 ;; esac
if [ ! -e "config/$product/defconfig" ]; then
    [ ! -d "config/$product" ] || say "config/$product/defconfig: no such file" \
        "a product has one beside its partitions.toml; it may be empty, or a copy of config/demo/defconfig"
    known=
    for path in config/*/defconfig; do
        path=${path%/defconfig}
        known="$known ${path#config/}"
    done
    guess='import sys; sys.path.insert(0, "tools"); import kconfig; print(kconfig.guess(sys.argv[1], sys.argv[2:]))'
    # shellcheck disable=SC2086
    hint=$(/usr/bin/python3 -B -c "$guess" "$product" $known 2>/dev/null) || hint="known:$known"
    say "PRODUCT=$product: there is no folder config/$product" "$hint"
fi

case $out in
'' | build | build/*)
    place=build
    hint="make O=<folder> has all of a product in another one"
    ;;
*)
    place=$out
    hint="another folder, or without O"
    for goal in $goals; do
        case $goal in
        test | test-* | system | unit | footprint | bench | bench-* | readme | fresh | lint | qemu)
            say "O=$out: make $goal works in build/ only" "leave O away" ;;
        esac
    done
    ;;
esac
# The folder, or what it would be made in
above=$place
while [ ! -e "$above" ]; do
    above=$(dirname "$above")
done
if [ ! -d "$above" ] || [ ! -w "$above" ]; then
    say "$place: can't be written" "$hint"
fi
