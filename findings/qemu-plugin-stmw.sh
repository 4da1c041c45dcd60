#!/bin/sh
# qemu-plugin-stmw.sh: a plugin of QEMU that records memory accesses does not see lmw and stmw.
#
# qemu_plugin_register_vcpu_mem_cb() promises a call for each access of an instruction. On PowerPC the loads and stores of
# several words (lmw, stmw, lswi, stswi) and dcbz run in helper functions that write the host's memory themselves, and make no
# call. A trace of what an interrupt handler writes, which saves registers by stmw, so lacks the most of it, and nothing says
# it has holes. And stwcx. has two calls. The calls per instruction (register_vcpu_insn_exec_cb) are right.
#
# Tried: qemu-system-ppc 1:7.2+dfsg-7+deb12u18+b3, -M ref405ep. Calls for stw lwz stmw lmw stswi lswi dcbz: 1 1 0 0 0 0 0.
set -eu
cd "$(mktemp -d)"
fail() { echo "$1" >&2; exit "${2:-1}"; }
command -v powerpc-linux-gnu-gcc >/dev/null || fail "apt-get install gcc-powerpc-linux-gnu first" 2
command -v cc >/dev/null || fail "no C compiler" 2
apt-get -qq download qemu-system-ppc=1:7.2+dfsg-7+deb12u18+b3 >log 2>&1 ||
    fail "qemu-system-ppc can't be had: $(tail -n 1 log)" 2
dpkg-deb -x qemu-system-ppc*.deb root
! ldd root/usr/bin/qemu-system-ppc | grep 'not found' || fail "apt-get install qemu-system-ppc first: its libraries" 2

cat >plugin.c <<'SOURCE'
#include <stdint.h>
#include <stdio.h>
typedef uint64_t plugin;
int qemu_plugin_version = 1, calls[8];
size_t qemu_plugin_tb_n_insns(void *block);
void *qemu_plugin_tb_get_insn(void *block, size_t n);
uint64_t qemu_plugin_insn_vaddr(void *insn);
void qemu_plugin_register_vcpu_tb_trans_cb(plugin id, void (*call)(plugin id, void *block));
void qemu_plugin_register_vcpu_mem_cb(void *insn, void (*call)(unsigned cpu, uint32_t info, uint64_t address, void *data),
                                      int flags, int rw, void *data);
void qemu_plugin_register_atexit_cb(plugin id, void (*call)(plugin id, void *data), void *data);

static void access(unsigned cpu, uint32_t info, uint64_t address, void *data) { calls[(uintptr_t)data / 4 % 8]++; }
static void translated(plugin id, void *block)
{
    for (size_t n = 0; n < qemu_plugin_tb_n_insns(block); n++) {
        void *insn = qemu_plugin_tb_get_insn(block, n);
        qemu_plugin_register_vcpu_mem_cb(insn, access, 0, 3, (void *)qemu_plugin_insn_vaddr(insn));
    }
}
static void end(plugin id, void *data) { for (int n = 1; n < 8; n++) fprintf(stderr, "%d ", calls[n]); }
int qemu_plugin_install(plugin id, const void *info, int argc, char **argv)
{
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_atexit_cb(id, end, NULL);
    return 0;
}
SOURCE
cat >x.S <<'SOURCE'
        .globl  _start
_start: lis     4, 0x0020
        stw     28, 0(4)
        lwz     28, 0(4)
        stmw    28, 0(4)
        lmw     28, 0(4)
        stswi   28, 4, 16
        lswi    28, 4, 16
        dcbz    0, 4
        lis     3, 0x3000               # DBCR0: system reset
        mtspr   1010, 3
SOURCE
cc -shared -fPIC -o plugin.so plugin.c
powerpc-linux-gnu-gcc -mcpu=405 -nostdlib -static -Wl,--build-id=none,-Ttext=0x10000 -o x.elf x.S
root/usr/bin/qemu-system-ppc -M ref405ep -display none -monitor none -serial none -no-reboot -kernel x.elf \
    -plugin ./plugin.so 2>out
echo "calls for stw lwz stmw lmw stswi lswi dcbz: $(cat out)"
[ "$(cat out)" = "1 1 0 0 0 0 0 " ] || fail "changed"
