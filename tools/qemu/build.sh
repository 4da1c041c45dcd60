#!/bin/sh
# build.sh: build/qemu/qemu-system-ppc, Debian's QEMU with the patches of this folder.
#
#   tools/qemu/build.sh           build it, unless there is one of the same inputs; print its path
#   tools/qemu/build.sh --key     print the key of the inputs only (for the cache of a CI system)
#   tools/qemu/build.sh --machine NAME    only if the distribution's QEMU does not have that machine, and ours does
#
# Inputs are the series of the distribution's QEMU, its patches (those of this folder, which all series share, and of
# the series' own), unity.py and this script. The source is Debian's package (tools/archive.sh). Needs what `tools/deps.sh qemu`
# installs, about 700 MB below build/ while it runs, some two minutes on two cores.
#
# There is no fall back: if the patched QEMU cannot be built, this fails and says why.
set -eu
cd "$(dirname "$0")/../.."
root=$PWD
out=$root/build/qemu
work=$out/work
here=tools/qemu

# fail CAUSE HINT: one line in the form of all this project's errors.
fail() {
    echo "$here/build.sh: $1. hint: $2" >&2
    exit 1
}

# quietly NAME COMMAND...: its output goes to build/qemu/NAME.log, and is shown only when it fails.
quietly() {
    log=$out/$1.log
    shift
    "$@" 3>&2 >"$log" 2>&1 </dev/null || {
        tail -n 25 "$log" >&2
        fail "'$1' failed" "the whole output is in $log"
    }
}

# newest: the newest source package of the series that is here.
newest() {
    find "$out/source" -name "qemu_$series*.dsc" 2>/dev/null | sort -V | tail -n 1
}

# Its source, with Debian's own patches and ours.
unpack() {
    dsc=$(newest)
    [ -n "$dsc" ] || fail "the patches are for QEMU $series, which the archive has not" "what does /etc/apt name?"
    rm -rf "$work"
    mkdir -p "$work"
    quietly unpack dpkg-source --no-check -x "$dsc" "$work/src"
    for patch in $patches; do
        quietly patch patch --batch --forward --strip=1 --directory="$work/src" --input="$root/$patch"
    done
}

# Many sources at once (unity.py): less than half of the time. If that should not do for a new version, one by one.
ninja_all() {
    nice "$root/tools/progress.py" QEMU ninja -j"$(nproc)" qemu-system-ppc
}
at_once_or_each() {
    ninja_all || { mv build.ninja.each build.ninja && ninja_all; }
}

# Only the boards with a 405, no trace points, and no debugging information of QEMU itself. What takes its time in a run is the
# code that it generates, which -O1 leaves as it is.
compile() {
    mkdir -p "$work/build"
    printf 'CONFIG_PPC405=y\nCONFIG_VIRTEX=y\n' >"$work/src/configs/devices/ppc-softmmu/405.mak"
    cd "$work/build"
    quietly configure "$work/src/configure" --target-list=ppc-softmmu --without-default-features --enable-system \
        --enable-tcg --enable-plugins --enable-fdt=system --disable-install-blobs --disable-werror \
        --without-default-devices --with-devices-ppc=405 --extra-cflags="-g0 -O1" --enable-trace-backends=nop \
        --with-pkgversion="Debian $(dpkg-parsechangelog -l "$work/src/debian/changelog" -S Version), patched: $key"
    quietly generate ninja qapi/qapi-types.c
    quietly unity "$root/$here/unity.py" . qemu-system-ppc
    quietly compile at_once_or_each
    strip qemu-system-ppc
    cd "$root"
}

# shellcheck disable=SC1091
[ ! -r /etc/os-release ] || . /etc/os-release
case ${ID:-}:${VERSION_ID:-} in
debian:12) series=7.2 suite=bookworm ;;
debian:13) series=10.0 suite=trixie ;;
*) series=none suite=none ;;
esac
if [ "${1:-}" = --machine ]; then
    case ${2:-}:$series in
    ref405ep:7.2 | ref405ep:none) exit 0 ;;     # the distribution's; if it is not there, tools/run.py says so
    ref405ep:* | virtex-ppc405* | raptor*) set -- ;;
    *) exit 0 ;;
    esac
fi
[ $series != none ] || fail "this is ${PRETTY_NAME:-no Debian}" "QEMU is built from the source package of Debian 12 or 13"
# In the order of their numbers, whichever folder has them
patches=$(find "$here" "$here/$series" -maxdepth 1 -name '*.patch' -printf '%f %p\n' | sort | cut -d ' ' -f 2)
# shellcheck disable=SC2086
key=$( (echo "$series"; cat "$here/build.sh" "$here/unity.py" $patches) | sha256sum | cut -c 1-16)

case ${1:-} in
'') ;;
--key) echo "$key"; exit 0 ;;
-h | --help) sed -n '2,12s/^# \{0,1\}//p' "$0"; exit 0 ;;
*) echo "usage: $here/build.sh [--key | --machine NAME]" >&2; exit 2 ;;
esac

mkdir -p "$out"
exec 9>"$out/lock"
flock 9
if [ -x "$out/qemu-system-ppc" ] && [ "$(cat "$out/key" 2>/dev/null)" = "$key" ]; then
    echo "$out/qemu-system-ppc"
    exit 0
fi
tools/deps.sh qemu
rm -f "$out/key"
echo "building QEMU $series with $(echo "$patches" | wc -l) patches: some minutes, once" >&2
[ -n "$(newest)" ] || tools/archive.sh source $suite qemu "$out/source"
unpack
compile
"$work/build/qemu-system-ppc" -M help | grep -q '^virtex-ppc405 ' ||
    fail "the built QEMU lacks the machine virtex-ppc405" "see $out/compile.log"
mv "$work/build/qemu-system-ppc" "$out/qemu-system-ppc"
echo "$key" >"$out/key.new"
mv "$out/key.new" "$out/key"
rm -rf "$work"
echo "$out/qemu-system-ppc"
