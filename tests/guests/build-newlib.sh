#!/bin/sh
# Build the C library parts that the sample guests need: newlib's libm and a few of its libc functions, from Debian's
# newlib-source, and soft-float arithmetic from the libgcc of gcc-12-source. Debian's own libgcc for powerpc is
# hard-float: on a PPC405 its __adddf3 would be an illegal instruction.
#
#   build-newlib.sh <cache directory> [<file>]
#
# The result is <cache directory>/<key>/{include,lib}; <key> is a hash of everything it is made of, so it is built once.
# Its path goes into <file>, which is rewritten only if the path changed, or to standard output.
# Environment: CROSS_COMPILE (default powerpc-linux-gnu-), JOBS (default 2), NEWLIB_SOURCE and GCC_SOURCE (folders of
# the archives, default /usr/src/newlib and /usr/src/gcc-12).
set -eu

NEWLIB_DIR=${NEWLIB_SOURCE:-/usr/src/newlib}
GCC_DIR=${GCC_SOURCE:-/usr/src/gcc-12}
CROSS_COMPILE=${CROSS_COMPILE:-powerpc-linux-gnu-}
JOBS=${JOBS:-2}
CC=${CROSS_COMPILE}gcc
AR=${CROSS_COMPILE}ar
FLAGS="-O2 -mcpu=405 -msoft-float -mno-dlmzb -mno-eabi -msdata=data -G0 -mlong-double-64 -fno-pic -fno-pie
    -fno-stack-protector -fno-asynchronous-unwind-tables -fno-strict-aliasing -ffunction-sections -Ulinux -Uunix
    -std=gnu11 -w"

# libc: what gcc itself may call, and what the library below calls
STRING="memchr memcmp memcpy memmove memset strcat strchr strcmp strcpy strlen strncmp strncpy strnlen strrchr"
# soft-fp: single and double precision, 32- and 64-bit integers
SOFT_FP="adddf3 addsf3 divdf3 divsf3 eqdf2 eqsf2 extendsfdf2 fixdfdi fixdfsi fixsfdi fixsfsi fixunsdfdi fixunsdfsi
    fixunssfdi fixunssfsi floatdidf floatdisf floatsidf floatsisf floatundidf floatundisf floatunsidf floatunsisf
    gedf2 gesf2 ledf2 lesf2 muldf3 mulsf3 negdf2 negsf2 subdf3 subsf3 truncdfsf2 unorddf2 unordsf2"

fail()
{
    echo "$1. hint: $2" >&2
    exit 1
}

usage()
{
    echo "usage: build-newlib.sh <cache directory> [<file for the path>]" >&2
    exit 2
}

# The one file that matches a pattern
tarball()
{
    for file in "$1"/$2; do
        if [ -f "$file" ]; then
            echo "$file"
            return
        fi
    done
    fail "$1: no source archive $2" "apt-get install $3"
}

# Everything that decides the result
inputs()
{
    cat "$0"
    "$CC" -v 2>&1 | tail -n 1
    stat -c '%n %s %Y' "$NEWLIB_TAR" "$GCC_TAR"
}

announce()
{
    if [ -z "$OUT_FILE" ]; then
        echo "$1"
    elif [ "$(cat "$OUT_FILE" 2>/dev/null)" != "$1" ]; then
        mkdir -p "$(dirname "$OUT_FILE")"
        echo "$1" > "$OUT_FILE.new"
        mv "$OUT_FILE.new" "$OUT_FILE"
    fi
}

# compile <object directory> <source directory> <flags>: compiles the file names on standard input
compile()
{
    objects=$1
    source=$2
    shift 2
    mkdir -p "$objects"
    # shellcheck disable=SC2016,SC2086 # the inner shell expands; FLAGS is a list
    xargs -P "$JOBS" -I '{}' sh -c 'name=$1 objects=$2 source=$3; shift 3
        "$@" -c -o "$objects/$name.o" "$source/$name.c" \
            || { echo "$source/$name.c:1: does not compile" >&2; exit 255; }' \
        sh '{}' "$objects" "$source" "$CC" $FLAGS -nostdinc -isystem "$WORK/root/include" \
        -isystem "$("$CC" -print-file-name=include)" "$@" \
        || fail "$source: some files do not compile" "the messages above name them"
}

# The settings that newlib's configure would have found for this target
write_newlib_h()
{
    cat > "$1/newlib.h" <<'HEADER'
#ifndef __NEWLIB_H__
#define __NEWLIB_H__ 1
#include <_newlib_version.h>
#define _HAVE_LONG_DOUBLE 1
#define _LDBL_EQ_DBL 1
#define _MB_LEN_MAX 1
#endif
HEADER
    sed -e "s/#undef _NEWLIB_VERSION/#define _NEWLIB_VERSION \"$2\"/" \
        -e "s/#undef __NEWLIB__/#define __NEWLIB__ ${2%%.*}/" \
        "$NEWLIB_SRC/_newlib_version.hin" > "$1/_newlib_version.h"
}

# Long double is double here: the long double files (names in l, and none of ours) are left out
libm_files()
{
    (cd "$NEWLIB_SRC/libm/$1" && ls ./*.c) | sed -e 's|^\./||' -e 's|\.c$||' | case $1 in
        math) grep -v '^el_' ;;
        common) grep -E '^(s|sf|math)_|^(exp2?|log2?)(_data)?$|^pow(_log_data)?$|^(sin|cos|sincos)f$|^sincosf_data$' ;;
    esac
}

build()
{
    echo "  NEWLIB unpack (the gcc archive takes some seconds)"
    tar -x -C "$WORK" -f "$NEWLIB_TAR" --wildcards '*/newlib/libm/math' '*/newlib/libm/common' \
        '*/newlib/libc/string' '*/newlib/libc/*.h' '*/newlib/libc/errno' '*/newlib/libc/reent' '*/newlib/libc/include' \
        '*/newlib/libc/machine/powerpc' '*/newlib/_newlib_version.hin' '*/newlib/configure'
    tar -x -C "$WORK" -f "$GCC_TAR" --wildcards '*/libgcc/soft-fp' '*/libgcc/config/rs6000/sfp-machine.h' \
        'gcc-*/include/longlong.h'
    NEWLIB_SRC=$(echo "$WORK"/newlib*/newlib)
    GCC_SRC=$(echo "$WORK"/gcc-*)
    version=$(sed -n "s/^PACKAGE_VERSION='\(.*\)'/\1/p" "$NEWLIB_SRC/configure")
    [ -n "$version" ] || fail "$NEWLIB_SRC/configure: no version found" "is this newlib-source 3.3?"

    mkdir -p "$WORK/root/lib"
    cp -R "$NEWLIB_SRC/libc/include" "$WORK/root/include"
    cp "$NEWLIB_SRC/libc/machine/powerpc/machine/"*.h "$WORK/root/include/machine/"
    write_newlib_h "$WORK/root/include" "$version"

    echo "  NEWLIB $version: libm"
    libm_files math | compile "$WORK/libm" "$NEWLIB_SRC/libm/math" -I "$NEWLIB_SRC/libm/common" -fno-builtin
    libm_files common | compile "$WORK/libm" "$NEWLIB_SRC/libm/common" -fbuiltin -fno-math-errno
    echo "  NEWLIB $version: libc"
    for name in $STRING; do echo "$name"; done \
        | compile "$WORK/libc" "$NEWLIB_SRC/libc/string" -I "$NEWLIB_SRC/libc/include" -fno-builtin \
            -fno-tree-loop-distribute-patterns
    echo errno | compile "$WORK/libc" "$NEWLIB_SRC/libc/errno" -fno-builtin
    printf 'getreent\nimpure\n' | compile "$WORK/libc" "$NEWLIB_SRC/libc/reent" -fno-builtin
    echo "  NEWLIB soft-float arithmetic"
    for name in $SOFT_FP; do echo "$name"; done \
        | compile "$WORK/soft-fp" "$GCC_SRC/libgcc/soft-fp" -I "$GCC_SRC/libgcc/config/rs6000" -I "$GCC_SRC/include"

    for library in libm libc; do
        "$AR" rcsD "$WORK/root/lib/$library.a" "$WORK/$library/"*.o
    done
    "$AR" rcsD "$WORK/root/lib/libsoft-fp.a" "$WORK/soft-fp/"*.o
}

if [ $# -lt 1 ] || [ $# -gt 2 ]; then
    usage
fi
CACHE=$1
OUT_FILE=${2:-}
command -v "$CC" >/dev/null || fail "$CC: not found" "apt-get install gcc-powerpc-linux-gnu, or set CROSS_COMPILE"
command -v xz >/dev/null || fail "xz: not found" "apt-get install xz-utils"
NEWLIB_TAR=$(tarball "$NEWLIB_DIR" 'newlib-*.tar.xz' newlib-source)
GCC_TAR=$(tarball "$GCC_DIR" 'gcc-12*.tar.xz' gcc-12-source)

mkdir -p "$CACHE"
CACHE=$(cd "$CACHE" && pwd)
KEY=$(inputs | sha256sum | cut -c 1-16)
if [ ! -d "$CACHE/$KEY" ]; then
    WORK=$(mktemp -d "$CACHE/work.XXXXXX")
    trap 'rm -rf "$WORK"' EXIT
    trap 'exit 130' INT TERM
    build >&2
    chmod 755 "$WORK/root"
    # Two builds at once: the second one finds the place taken, with the same contents
    mv -T "$WORK/root" "$CACHE/$KEY" 2>/dev/null || [ -d "$CACHE/$KEY/lib" ] \
        || fail "$CACHE/$KEY: cannot be created" "check space and permissions"
fi
announce "$CACHE/$KEY"
