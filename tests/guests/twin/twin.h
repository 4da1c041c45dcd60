/*
 * twin.h: the layout that start.S and twin.c share.
 *
 * Everything the vectors touch lies below 0x8000, so that `stmw r0, OUT(0)` needs no base register and an exception
 * can be recorded without losing a single register.
 */
#ifndef TWIN_H
#define TWIN_H

#define SNIPPET       0x3000 /* where every probe's code is copied to and executed */
#define SNIPPET_WORDS 48
#define PROBE_IN      0x3400 /* struct state: what the probe starts with */
#define PROBE_OUT     0x3500 /* struct state: what it ended with */
#define RUNNER_SAVE   0x3600 /* the runner's registers meanwhile: r1-r31, CR, LR */
#define RUNNING       0x36F0 /* 1 while a probe runs: an exception at any other time is a failure */
#define SCRATCH       0x3800 /* 1 KiB that probes may load and store */
#define SCRATCH_SIZE  0x400
#define OTHER_VECTORS 0x10000 /* a second set of vectors: EVPR = 0x00010000 */

/* Offsets in struct state; GPRs first. */
#define STATE_CR     0x80
#define STATE_XER    0x84
#define STATE_LR     0x88
#define STATE_CTR    0x8C
#define STATE_SRR0   0x90
#define STATE_SRR1   0x94
#define STATE_SRR2   0x98
#define STATE_SRR3   0x9C
#define STATE_ESR    0xA0
#define STATE_DEAR   0xA4
#define STATE_MSR    0xA8
#define STATE_VECTOR 0xAC

#define RUNNER_MSR 0x1000 /* ME: machine checks interrupt; no interrupts */

/* Flags of a probe */
#define PROBE_CLEAN 1 /* put UIC, timers and UART interrupts to rest before and after */
#define PROBE_KEEP  2 /* not after: the next probe goes on from here */
#define PROBE_TSR   4 /* print TSR[PIS] as it is after the probe */
#define PROBE_REAL_TIME 8 /* bare on QEMU, only without -icount */
#define PROBE_TRANSLATE 16 /* turns translation on */

/*
 * What to run: bits of the word twin_select, which a test may change in a copy of the ELF. Under -icount QEMU 7.2
 * aborts ("Raised interrupt while not in I/O function") at every rfci that really executes, and at an mtdcr that makes
 * the UIC raise an interrupt; without -icount, what waits for a timer differs from run to run. So a bare run is two.
 */
#define SELECT_COUNTED   1 /* what runs under -icount */
#define SELECT_REAL_TIME 2 /* the rest */
#define SELECT_TRANSLATE 4 /* what turns translation on: for a hypervisor with option TLB_VIRT */

#ifndef __ASSEMBLER__
#include <stdint.h>

struct state {
    uint32_t gpr[32];
    uint32_t cr, xer, lr, ctr;
    uint32_t srr0, srr1, srr2, srr3;
    uint32_t esr, dear, msr, vector;
};

struct input {
    uint32_t word; /* index of the word in struct state */
    uint32_t value;
};

/* One row of the generated table (probes.S). */
struct probe {
    const char *name;
    const uint32_t *code;
    uint32_t body_words; /* without the last one, which leads back to the runner */
    uint32_t msr;
    int32_t expect; /* vector offset, 0: reaches its end, -1: differs by machine */
    uint32_t flags;
    const struct input *inputs;
    uint32_t input_count;
};

extern const struct probe probes[];
extern const struct probe probes_end[];

/* What the .def files have rows for, and the probes test one by one: the scans of twin.c leave these out. */
extern const uint16_t known_sprs[], known_sprs_end[];
extern const uint16_t known_xo31[], known_xo31_end[];
extern const uint16_t known_xo19[], known_xo19_end[];

extern const char probe_exit[];

void probe_run(void);
void twin_main(void);
void twin_stray(void);
#endif
#endif
