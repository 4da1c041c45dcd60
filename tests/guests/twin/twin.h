/*
 * twin.h: the layout that start.S and twin.c share.
 *
 * Everything the vectors touch lies below 0x8000, so that `stmw r0, OUT(0)` needs no base register and an exception
 * can be recorded without losing a single register.
 */
#ifndef TWIN_H
#define TWIN_H

#define SNIPPET       0x3000 /* where every probe's code is copied to and executed */
#define SNIPPET_WORDS 64
#define PROBE_IN      0x3400 /* struct state: what the probe starts with */
#define PROBE_OUT     0x3500 /* struct state: what it ended with */
#define RUNNER_SAVE   0x3600 /* the runner's registers meanwhile: r1-r31, CR, LR */
#define RUNNING       0x36F0 /* 1 while a probe runs: an exception at any other time is a failure */
#define SCRATCH       0x3800 /* 1 KiB that probes may load and store */
#define SCRATCH_SIZE  0x400
#define KERNEL_SAVE   0x3C00 /* the small kernel's registers of an interrupt (entry.S) */
#define OTHER_VECTORS 0x10000 /* a second set of vectors: EVPR = 0x00010000 */
#define DATA          0x80000 /* what translated probes reach: DATA_PAGES pages of 4 KiB, see mmu.c */
#define DATA_PAGES    64
#define KERNEL        0xD0000 /* a third set of vectors: the small kernel's */

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

/* A struct frame of the small kernel (kernel.c), behind the linkage area of its stack. */
#define FRAME_GPR  8
#define FRAME_CR   (FRAME_GPR + 128)
#define FRAME_LR   (FRAME_GPR + 132)
#define FRAME_CTR  (FRAME_GPR + 136)
#define FRAME_XER  (FRAME_GPR + 140)
#define FRAME_SRR0 (FRAME_GPR + 144)
#define FRAME_SRR1 (FRAME_GPR + 148)
#define FRAME_SIZE 160

/* Flags of a probe */
#define PROBE_CLEAN 1 /* put UIC, timers and UART interrupts to rest before and after */
#define PROBE_KEEP  2 /* not after: the next probe goes on from here */
#define PROBE_TSR   4 /* print TSR[PIS] as it is after the probe */
#define PROBE_REAL_TIME 8 /* bare on QEMU, only without -icount */
#define PROBE_TRANSLATE 16 /* turns translation on */

/*
 * What to run: bits of the word twin_select, which a test may change in a copy of the ELF. Under -icount QEMU 7.2
 * does not support an rfci that really executes, nor an mtdcr that makes the UIC raise an interrupt; without -icount, what
 * waits for a timer differs from run to run. So a bare run is two; on our QEMU (tools/qemu) it is one.
 */
#define SELECT_COUNTED   1 /* what runs under -icount */
#define SELECT_REAL_TIME 2 /* the rest */
#define SELECT_TRANSLATE 4 /* and of either also what turns translation on: for a hypervisor with option TLB_VIRT */
#define SELECT_RANDOM    8 /* the random translations; with COUNTED and TRANSLATE in any case */
#define SELECT_STOP      16 /* MSR[IR, DR] = 1, with nothing in the TLB: without option TLB_VIRT the VM's end */

#ifndef __ASSEMBLER__
#include <stdint.h>

struct state {
    uint32_t gpr[32];
    uint32_t cr, xer, lr, ctr;
    uint32_t srr0, srr1, srr2, srr3;
    uint32_t esr, dear, msr, vector;
};

/* What the TLB holds before a probe, besides nothing. */
struct setup {
    uint32_t zpr, pid, count;
    struct {
        uint32_t index, hi, lo, tid;
    } entry[];
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
    const struct setup *setup;
};

extern const struct probe probes[];
extern const struct probe probes_end[];

/* What the .def files have rows for, and the probes test one by one: the scans of twin.c leave these out. */
extern const uint16_t known_sprs[], known_sprs_end[];
extern const uint16_t known_xo31[], known_xo31_end[];
extern const uint16_t known_xo19[], known_xo19_end[];

extern const char probe_exit[];

void probe_run(void);

/* twin.c, for mmu.c: a state to start from, code at SNIPPET, and what comes out. */
void seed(uint32_t msr);
void load_code(const uint32_t *code, uint32_t words);
void flush(const uint32_t *from, uint32_t words);
void quiesce(void);
void put_text(const char *text);
void put_hex(uint32_t value, int digits);
void put_field(const char *name, uint32_t value, int digits);
void put_if_changed(const char *name, uint32_t before, uint32_t after);
void put_state(uint32_t words);
extern uint32_t probe_count;
extern volatile uint32_t twin_seed;

/* mmu.c: the TLB before a probe; what has changed in it; nothing valid in it; translated accesses of every kind. */
void mmu_set_up(const struct setup *setup);
void mmu_put_changes(const struct setup *setup);
void mmu_clear(void);
void mmu_scans(void);
void mmu_random(void);

/* entry.S, kernel.c: processes under a kernel that reloads the TLB in software. */
void kernel_runs(void);

void twin_main(void);
void twin_stray(void);
#endif
#endif
