#!/bin/sh
# build.sh: Linux 6.1 for the 405, from Debian's linux-source-6.1 as it is, with an initramfs of ours.
#
#   build.sh <cache directory> [<guest directory>]
#
# Leaves in the cache directory, and the first three in the guest directory too:
#
#   linux.elf   all that is needed: the kernel at physical 0, its device tree and a start for both (boot.S) at the end
#               of 8 MiB. Runs on the bare board (QEMU: -kernel linux.elf) and as the image of a VM
#   linux-tunnel.elf    the same kernel with another device tree: an end of a tunnel as a device of UIO (tunnel.dts)
#   linux-previrt.elf   the same with a table of replacements (previrt/), for a VM that is pre-virtualized
#   vmlinux     the kernel alone, with symbols        board.dtb   the device tree        init   the only program
#   build.log   what the kernel's own build printed
#
# Nothing is done for the same inputs (archive, config, device tree, sources of init, this script, compiler; for the table, the
# pre-virtualizer); a change of init, device tree or configuration builds what depends on it. The first time takes some minutes.
# Environment: LINUX_CROSS_COMPILE (default powerpc-linux-gnu-: a compiler with glibc), JOBS (default 2), LINUX_SOURCE
# (the archive, default /usr/src/linux-source-6.1.tar.xz, or if it is not there the one of Debian 12's package, fetched by name).
set -eu

HERE=$(cd "$(dirname "$0")" && pwd)
TOP=$(cd "$HERE/../../.." && pwd)
PYTHON=/usr/bin/python3
CROSS=${LINUX_CROSS_COMPILE:-powerpc-linux-gnu-}
ARCHIVE=${LINUX_SOURCE:-/usr/src/linux-source-6.1.tar.xz}
JOBS=${JOBS:-2}
CC=${CROSS}gcc
IPC=$TOP/hypercalls/ipc

# Place of boot.S and the device tree: the end of the 8 MiB of board.dts
BOOT=0x7FE000
# Before them, for the stubs of linux-previrt.elf: board.dts keeps the kernel away from it
SPARE=7EA000:0x14000
# The kernel's exception handlers, and where they go on with translation on: only addresses in registers lead there. Its TLB
# miss handlers change PID in real mode. Three routines come back by another stack
PREVIRT_FLAGS="--abi sysv --vectors 0xC0000000 --include *_virt --include syscall_exit_finish
    --include fast_exception_return --returns _switch --returns do_softirq_own_stack --returns __do_IRQ
    --real DTLBMiss --real ITLBMiss --real finish_tlb_load --spare 0xC0$SPARE"

# Programs have the floating-point instructions that the kernel emulates. -D_GNU_SOURCE: mremap and the codes of traps
INIT_FLAGS="-std=gnu11 -D_GNU_SOURCE -O2 -mcpu=405 -mhard-float -mno-dlmzb -Wall -Wextra -Wmissing-prototypes -Werror
    -static -pthread -Wl,--build-id=none -s"
BOOT_FLAGS="-mcpu=405 -msoft-float -mregnames -nostdlib -static -no-pie -Wl,--build-id=none -Wl,-n -Wl,-z,noexecstack
    -Wl,-Ttext=$BOOT"

# Sources of other machines, and of drivers that no option of config asks for, stay in the archive; what Kconfig and make
# read of them does not
LEFT_OUT='
    */arch/[!p]*/*.[chS]
    */arch/[!p]*/*.dts*
    */arch/parisc/*.[chS]
    */Documentation/*/*
    */tools/testing/*
    */tools/perf/*
    */sound/*.[chS]
    */drivers/gpu/*.[chS]
    */drivers/net/*.[chS]
    */drivers/media/*.[chS]
    */drivers/staging/*.[chS]
    */drivers/scsi/*.[chS]
    */drivers/infiniband/*.[chS]
'

fail()
{
    echo "$1. hint: $2" >&2
    exit 1
}

say()
{
    echo "  LINUX $1"
}

# What decides that all has to be made anew; the kernel's build remembers where it is
source_inputs()
{
    stat -c '%n %s %Y' "$ARCHIVE"
    "$CC" -v 2>&1 | tail -n 1
    echo "$OUT $LEFT_OUT"
}

# Everything that decides the result
inputs()
{
    stat -c '%n %s %Y' "$ARCHIVE" "$("$CC" -print-file-name=libc.a)"
    "$CC" -v 2>&1 | tail -n 1
    "${CROSS}ld" --version | head -n 1
    cd "$HERE"
    cat build.sh join.py boot.S board.dts tunnel.dts config initramfs.list init/* "$IPC"/*.[ch] "$TOP/hypercalls/abi.h"
}

# The kernel's own build, apart from what the caller's make has in the environment. All names and times in the result are
# constants: the same inputs give the same bytes
kernel_make()
{
    env -i PATH="$PATH" HOME="$OBJ" LC_ALL=C ARCH=powerpc CROSS_COMPILE="$CROSS" \
        KBUILD_BUILD_TIMESTAMP='Sat Jan  1 00:00:00 UTC 2000' KBUILD_BUILD_USER=proteus KBUILD_BUILD_HOST=proteus \
        KBUILD_BUILD_VERSION=1 KCONFIG_ALLCONFIG="$HERE/config" \
        nice "$TOP/tools/progress.py" LINUX make -C "$SOURCE" O="$OBJ" -j"$JOBS" "$@" </dev/null 3>&2 >>"$LOG" 2>&1 || {
        tail -n 20 "$LOG" >&2
        fail "$LOG:1: the kernel does not build: make $*" "see the lines above"
    }
}

unpack()
{
    if [ "$(cat "$OUT/unpacked" 2>/dev/null)" = "$1" ]; then
        return
    fi
    say "unpack $(basename "$ARCHIVE")"
    rm -rf "$OUT/unpacked" "$OUT/tree" "$OBJ"
    mkdir -p "$OUT/tree"
    echo "$LEFT_OUT" | sed -n 's/^ \+//p' > "$OUT/left-out"
    tar -x -C "$OUT/tree" -f "$ARCHIVE" --strip-components=1 --exclude-from="$OUT/left-out" \
        || fail "$ARCHIVE: can't be unpacked" "is there space below $OUT?"
    echo "$1" > "$OUT/unpacked"
}

# Kconfig drops what it does not know or what lacks something else, and says nothing
check_config()
{
    awk '
        FNR == NR { if (sub(/^# /, "") && sub(/ is not set$/, "")) { value[$0] = "n" }
                    else if (match($0, /^CONFIG_\w+=/)) { value[substr($0, 1, RLENGTH - 1)] = substr($0, RLENGTH + 1) }
                    next }
        /^# CONFIG_\w+ is not set$/ { name = $2; wanted = "n" }
        /^CONFIG_\w+=/ { name = $0; sub(/=.*/, "", name); wanted = substr($0, length(name) + 2) }
        name != "" {
            got = name in value ? value[name] : "n"
            if (got != wanted) {
                print file ":" FNR ": " name " is " got ", not " wanted ". hint: see its `depends on` in the kernel'\''s Kconfig"
                bad = 1
            }
            name = ""
        }
        END { exit bad }' file="$HERE/config" "$OBJ/.config" "$HERE/config" >&2
}

configure()
{
    cp "$OBJ/.config" "$OBJ/.config.before" 2>/dev/null || true
    kernel_make allnoconfig
    check_config
    # A configuration that stays what it was makes nothing old
    if cmp -s "$OBJ/.config" "$OBJ/.config.before"; then
        touch -r "$OBJ/.config.before" "$OBJ/.config"
    fi
}

# The archive of files is made anew only where one of its files is another one
build_init()
{
    say "init"
    # shellcheck disable=SC2086 # a list
    "$CC" $INIT_FLAGS -I"$IPC" -I"$TOP/hypercalls" -o "$OUT/init.new" "$HERE"/init/*.c "$IPC/ipc.c" "$IPC/ring.c"
    if ! cmp -s "$OUT/init.new" "$OUT/init" || ! cmp -s "$HERE/initramfs.list" "$OBJ/initramfs.list"; then
        cp "$HERE/initramfs.list" "$OBJ/"
        mv "$OUT/init.new" "$OUT/init"
        touch -d @946684800 "$OUT/init"
        rm -f "$OBJ/usr/initramfs_data.cpio"
    fi
}

build()
{
    unpack "$(source_inputs | sha256sum)"
    mkdir -p "$OBJ"
    : > "$LOG"
    build_init
    configure
    say "kernel (the first time takes some minutes; $LOG)"
    kernel_make vmlinux
    say "linux.elf"
    cp "$OBJ/vmlinux" "$OUT/"
    join_tree board linux.elf
    join_tree tunnel linux-tunnel.elf
}

# join_tree <device tree> <file>: the kernel with it
join_tree()
{
    "$OBJ/scripts/dtc/dtc" -q -I dts -O dtb -i "$HERE" -o "$OUT/$1.dtb" "$HERE/$1.dts"
    # shellcheck disable=SC2086 # a list
    "$CC" $BOOT_FLAGS -DKERNEL="$($PYTHON "$HERE/join.py" --entry "$OUT/vmlinux")" -DTREE="\"$1.dtb\"" -Wa,-I"$OUT" \
        -o "$OBJ/boot.elf" "$HERE/boot.S"
    $PYTHON "$HERE/join.py" "$OUT/vmlinux" "$OBJ/boot.elf" --spare "0x$SPARE" --out "$OUT/$2"
}

# Everything that decides the table
table_inputs()
{
    echo "$KEY $PREVIRT_FLAGS"
    cd "$TOP"
    cat previrt/*.py config/*.def hypercalls/*.def hypercalls/abi.h
}

build_table()
{
    say "linux-previrt.elf: the table"
    set -f
    # shellcheck disable=SC2086 # a list
    $PYTHON "$TOP/previrt/previrt.py" elf "$OUT/linux.elf" $PREVIRT_FLAGS -q -o "$OUT/linux-previrt.elf"
    set +f
    $PYTHON "$TOP/previrt/previrt.py" verify "$OUT/linux-previrt.elf" > "$OUT/previrt.log"
}

# deliver <file> <directory>: a copy there, and the old one until it is whole
deliver()
{
    if ! cmp -s "$OUT/$1" "$2/$1"; then
        mkdir -p "$2"
        cp "$OUT/$1" "$2/$1.new"
        mv "$2/$1.new" "$2/$1"
    fi
}

if [ $# -lt 1 ] || [ $# -gt 2 ]; then
    echo "usage: build.sh <cache directory> [<guest directory>]" >&2
    exit 2
fi
for tool in "$CC" "${CROSS}ld" make flex bison bc xz flock gcc; do
    command -v "$tool" >/dev/null || fail "build.sh: $tool: not found" "tools/deps.sh linux"
done
mkdir -p "$1"
OUT=$(cd "$1" && pwd)
SOURCE=$OUT/tree
OBJ=$OUT/obj
LOG=$OUT/build.log

# Two builds at once: the second waits, and finds all done
exec 9>"$OUT/lock"
flock 9
# The sources of Debian 12 are the last ones with a 405; elsewhere they come from the archive, not from an installed package
if [ -z "${LINUX_SOURCE:-}" ] && [ ! -f "$ARCHIVE" ]; then
    ARCHIVE=$OUT/debian12/usr/src/linux-source-6.1.tar.xz
    if [ ! -f "$ARCHIVE" ]; then
        say "fetch Debian 12's linux-source-6.1"
        "$TOP/tools/archive.sh" binary bookworm linux-source-6.1 "$OUT/debian12"
    fi
fi
[ -f "$ARCHIVE" ] || fail "$ARCHIVE: no such file" "tools/deps.sh linux, or name the archive with LINUX_SOURCE="
KEY=$(inputs | sha256sum | cut -c 1-32)
if [ -f "$OUT/linux-tunnel.elf" ] && [ "$(cat "$OUT/key" 2>/dev/null)" = "$KEY" ]; then
    say "cached"
else
    rm -f "$OUT/key"
    build
    echo "$KEY" > "$OUT/key"
fi
TABLE_KEY=$(table_inputs | sha256sum | cut -c 1-32)
if [ ! -f "$OUT/linux-previrt.elf" ] || [ "$(cat "$OUT/table-key" 2>/dev/null)" != "$TABLE_KEY" ]; then
    rm -f "$OUT/table-key"
    build_table
    echo "$TABLE_KEY" > "$OUT/table-key"
fi
if [ $# = 2 ]; then
    deliver linux.elf "$2"
    deliver linux-tunnel.elf "$2"
    deliver linux-previrt.elf "$2"
fi
