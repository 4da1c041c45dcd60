#!/bin/sh
# deps.sh: install the Debian packages that a purpose needs and this machine lacks.
#
#   tools/deps.sh config          check and choose options
#   tools/deps.sh run             build and run a product
#   tools/deps.sh debug           and debug it
#   tools/deps.sh test            and its tests
#   tools/deps.sh bench           and the measurements
#   tools/deps.sh linux           build the Linux guest
#   tools/deps.sh fresh           bare Debians to test in (tests/fresh)
#   tools/deps.sh flow            draw who can influence whom
#   tools/deps.sh bounds          bound the roads of an image (the solver of tools/bounds.py)
#   tools/deps.sh lint            the static checks
#   tools/deps.sh qemu            build the patched QEMU (tools/qemu)
#   tools/deps.sh --list test     print what is missing, install nothing
#
# Prints nothing when all is there. Otherwise what is missing, then `installing: a b c` once nothing more is in its way, then
# only what goes wrong. Environment: CROSS_COMPILE, if the user chose a compiler; make exports no choice of its own.
set -eu

usage() {
    echo "usage: tools/deps.sh [--list] config|run|debug|test|bench|linux|fresh|flow|bounds|lint|qemu ..." >&2
    exit 2
}

# fail CAUSE HINT: one line in the form of all this project's errors.
fail() {
    echo "tools/deps.sh: $1. hint: $2" >&2
    exit 1
}

# The user's choice of a compiler is left alone where it is there; else Debian's, unless there is a powerpc-eabi toolchain.
compiler() {
    case ${CROSS_COMPILE-unset} in
    unset) command -v powerpc-eabi-gcc >/dev/null || echo gcc-powerpc-linux-gnu ;;
    powerpc-linux-gnu-) command -v powerpc-linux-gnu-gcc >/dev/null || echo gcc-powerpc-linux-gnu ;;
    esac
}

# A choice that is none: one line here, instead of many from make.
check_choice() {
    [ -n "${CROSS_COMPILE+set}" ] && [ "$CROSS_COMPILE" != powerpc-linux-gnu- ] || return 0
    way="unset CROSS_COMPILE for Debian's compiler, or set it to a prefix like powerpc-eabi-"
    machine=$("${CROSS_COMPILE}gcc" -dumpmachine 2>/dev/null) ||
        fail "CROSS_COMPILE is '$CROSS_COMPILE', and ${CROSS_COMPILE}gcc does not run" "$way"
    case $machine in
    powerpc*) ;;
    *) fail "CROSS_COMPILE is '$CROSS_COMPILE', and ${CROSS_COMPILE}gcc compiles for $machine, not for PowerPC" "$way" ;;
    esac
}

# Sources of newlib and of libgcc's soft-fp, from which the C library of the FFT guests is built, and what unpacks them.
newlib="newlib-source gcc-12-source xz-utils"

# What building the kernel runs, and a C library for its programs (whatever compiler the hypervisor has). And of Debian 12, whose
# Linux still has the 405, the sources; elsewhere its build fetches them.
linux="xz-utils make gcc libc6-dev flex bison bc gcc-powerpc-linux-gnu libc6-dev-powerpc-cross python3 python3-pyelftools"

# What ours is built with, and who has a QEMU with the board ref405ep: Debian 12, but not those after it
build_qemu="dpkg-dev patch gcc libc6-dev binutils make python3 meson ninja-build pkg-config libglib2.0-dev
    libpixman-1-dev libfdt-dev"
run_qemu="qemu-system-ppc"

# shellcheck disable=SC1090
case $( . "${OS_RELEASE:-/etc/os-release}" 2>/dev/null && echo "${ID:-}${VERSION_ID:-}") in
debian12) linux="linux-source-6.1 $linux" ;;
debian*)
    build_qemu="$build_qemu python3-venv"
    run_qemu=$build_qemu
    ;;
esac

# packages PURPOSE: what it needs, one or more on a line.
packages() {
    case $1 in
    config) echo "make python3 python3-kconfiglib" ;;
    run) echo "make $(compiler) $run_qemu python3 python3-kconfiglib python3-pyelftools $newlib" ;;
    debug) packages run; echo "gdb-multiarch" ;;
    test)
        packages debug
        echo "gcc libc6-dev libcmocka-dev python3-pytest python3-pytest-xdist python3-jsonschema spin graphviz glpk-utils"
        ;;
    bench) packages run; echo "gcc libc6-dev" ;;
    linux) echo "$linux" ;;
    fresh) echo "debootstrap debian-archive-keyring" ;;
    flow) packages config; echo "graphviz" ;;
    bounds) packages bench; echo "glpk-utils" ;;
    lint) echo "make cppcheck shellcheck pyflakes3 python3" ;;
    qemu) echo "$build_qemu" ;;
    *) usage ;;
    esac
}

list=no
if [ "${1:-}" = --list ]; then
    list=yes
    shift
fi
[ $# -gt 0 ] || usage

wanted=
for purpose in "$@"; do
    wanted="$wanted $(packages "$purpose")" || exit 2
    case $purpose in run | debug | test | bench | bounds) check_choice ;; esac
done

if ! command -v dpkg-query >/dev/null; then
    # shellcheck disable=SC2086
    echo "tools/deps.sh: this is not Debian, nothing is installed for you. needed:" $wanted >&2
    exit 0
fi

# One query for all; an unknown package only makes its exit status 1. The word list is split on purpose.
# shellcheck disable=SC2016,SC2086
have=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' $wanted 2>/dev/null) || true
missing=
for package in $wanted; do
    case "
$have
" in
    *"
$package installed
"*) ;;
    *)
        case " $missing " in
        *" $package "*) ;;
        *) missing="${missing:+$missing }$package" ;;
        esac
        ;;
    esac
done
[ -n "$missing" ] || exit 0
if [ $list = yes ]; then
    echo "$missing"
    exit 0
fi

echo "missing: $missing"
as_root=
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || fail "packages are missing, and this is neither root nor is there sudo" \
        "as root: apt-get install --no-install-recommends $missing"
    as_root=sudo
fi

# quietly COMMAND...: its output is shown only when it fails.
quietly() {
    log=$(mktemp)
    if ! $as_root env DEBIAN_FRONTEND=noninteractive "$@" >"$log" 2>&1 </dev/null; then
        tail -n 20 "$log" >&2
        rm -f "$log"
        fail "'$*' failed" "see the lines above; is the network there, and does /etc/apt name Debian 12 or 13?"
    fi
    rm -f "$log"
}

# unknown NAME...: those that apt has no package of. It would take linux-source-6.1 for a pattern, and install another one.
unknown() {
    known=$(apt-cache pkgnames)
    for package in "$@"; do
        case "
$known
" in *"
$package
"*) ;; *) printf ' %s' "$package" ;; esac
    done
}

quietly apt-get -qq update
# shellcheck disable=SC2086
absent=$(unknown $missing)
[ -z "$absent" ] || fail "apt has no package of this name, nothing is installed:$absent" \
    "is the network there, and does /etc/apt name main of Debian 12 or 13? 'apt-cache policy$absent' shows what apt knows"
echo "installing: $missing"
# shellcheck disable=SC2086
quietly apt-get -qq -y --no-install-recommends install $missing
