/*
 * hybridtest.h: what the files of the hybrid guest share.
 *
 * 0x00000  vectors, then words below 0x8000 that the vectors reach without a register
 * 0x03000  code, constants, data
 * 0x80000  code that the guest writes itself; prey of the hostile role
 * 0xFFFF0  stacks, downwards
 */
#ifndef HYBRIDTEST_H
#define HYBRIDTEST_H

#include <proteus/proteus.h>

#define FRAME    0x2200 /* struct machine, as an exception found it, then its vector */
#define IN       0x2300 /* struct machine for run_code() */
#define SAVED    0x2400 /* registers of the caller of run_code(); catching */
#define CATCHING 0x24C0 /* run_code() is under way */

#define ENTRY    0x2600 /* struct machine at the start */

#define M_CR     0x80
#define M_XER    0x84
#define M_LR     0x88
#define M_CTR    0x8C
#define M_VECTOR 0x90
#define M_MSR    0x94 /* of its handler, from run_code() */

#define BUFFER        0x80000
#define PREY          0x90000
#define RAM_SIZE      0x100000
#define HANDLER_STACK 0xEFFF0
#define STACK_TOP     0xFFFF0

#define END 0xFEED0000 /* where a VM has passed: it need not say so */

#define MSR_APE 0x80000
#define MSR_WE  0x40000
#define MSR_CE  0x20000
#define MSR_EE  0x8000
#define MSR_PR  0x4000
#define MSR_FP  0x2000
#define MSR_ME  0x1000
#define MSR_FE0 0x800
#define MSR_FE1 0x100
#define MSR_DWE 0x400
#define MSR_DE  0x200
#define MSR_IR  0x20

#ifndef __ASSEMBLER__
#include <stdint.h>

struct machine {
    uint32_t gpr[32];
    uint32_t cr, xer, lr, ctr;
    uint32_t vector, msr;
};

#define frame ((volatile struct machine *)FRAME)
#define entry ((volatile struct machine *)ENTRY)

/* ---- start.S ---- */

/* Enter `pc` with MSR `msr` and these registers. Gives the vector of the exception that ends it; `frame` has all. MSR is ME. */
uint32_t run_code(const struct machine *m, uint32_t pc, uint32_t msr);

/* MSR = msr by the return from an interrupt, whose address becomes *srr0. EE is 0. By the call: SPRG0 becomes sprg0. */
void return_by_trap(uint32_t msr, uint32_t *srr0);
void return_by_page(uint32_t msr, uint32_t *srr0);
void return_by_call(uint32_t msr, uint32_t *srr0, uint32_t sprg0);

/* ---- sites.S: code that a table patches ---- */

uint32_t site_two(void);
uint32_t site_mfspr(void);
void site_mtspr(uint32_t value);

/* ---- hybridtest.c ---- */

extern volatile uint32_t hybrid_seed, hybrid_select, hybrid_steps, hybrid_busy_ms, hybrid_reckless, hybrid_sites, hybrid_refused;

/* r3 to r7 at the start: the role, and what the partition file says of this VM; and its quantum in ticks */
extern uint32_t role, my_index, my_count, my_quantum_us, my_quantum;

uint32_t random_word(void);
uint32_t random_below(uint32_t limit);
void put_text(const char *text);
void put_decimal(uint32_t value);
void put_hex(uint32_t value);
void fail(const char *what, uint32_t where, uint32_t expected, uint32_t found) __attribute__((noreturn));
void expect(const char *what, uint32_t where, uint32_t expected, uint32_t found);
void stop(uint32_t pc) __attribute__((noreturn));
uint32_t time_low(void);

/* Put words where they can be executed. */
void code_at(uint32_t address, const uint32_t *words, uint32_t count);

/* ---- the roles and their parts ---- */

uint32_t handler(uint32_t vector);      /* 0: return by rfi, 1: by the call */
void property(void);
void calls(void);
void type(void);
void own_sc(uint32_t r0, uint32_t msr); /* an sc that is no call: the guest's own handler, every register as it was */
void hostile(void);
void table(void);
void start_again(void);
void plain(void);
void mute(void);
void busy(void);

/* ---- irq_uic.c, irq_intc.c: the interrupt controller of the board ---- */

int controller_is_there(void);          /* the option for it is on */
void controller_clean(void);            /* as after a reset, or fail */
void controller_dirty(void);            /* nothing as after a reset */
void controller_disturb(void);          /* now and then an interrupt */
void controller_calls(void);            /* the calls that are about it */

#define mtspr(number, value) __asm__ volatile("mtspr %0, %1" ::"i"(number), "r"(value) : "memory")
#define mfspr(number)                                                                                             \
    ({                                                                                                            \
        uint32_t value_;                                                                                          \
        __asm__ volatile("mfspr %0, %1" : "=r"(value_) : "i"(number) : "memory");                                 \
        value_;                                                                                                   \
    })
#define mtdcr(number, value) __asm__ volatile("mtdcr %0, %1" ::"i"(number), "r"(value) : "memory")
#define mfdcr(number)                                                                                             \
    ({                                                                                                            \
        uint32_t value_;                                                                                          \
        __asm__ volatile("mfdcr %0, %1" : "=r"(value_) : "i"(number) : "memory");                                 \
        value_;                                                                                                   \
    })
#define mtmsr(value) __asm__ volatile("mtmsr %0\n isync" ::"r"(value) : "memory")
#define mfmsr()                                                                                                   \
    ({                                                                                                            \
        uint32_t value_;                                                                                          \
        __asm__ volatile("mfmsr %0" : "=r"(value_)::"memory");                                                    \
        value_;                                                                                                   \
    })

#define SRR0  0x01A
#define SRR1  0x01B
#define SPRG0 0x110
#define ESR   0x3D4
#define DEAR  0x3D5
#define EVPR  0x3D6
#define TSR   0x3D8
#define TCR   0x3DA
#define PIT   0x3DB
#define SRR2  0x3DE
#define SRR3  0x3DF
#define DBSR  0x3F0
#define DBCR0 0x3F2

#define TSR_PIS 0x08000000u
#define TCR_PIE 0x04000000u

#define MFSPR(rt, number) (0x7C0002A6u | (uint32_t)(rt) << 21 | ((number) & 31u) << 16 | (uint32_t)(number) >> 5 << 11)
#define MTSPR(number, rs) (MFSPR(rs, number) | 0x100u)

#define ESR_PIL 0x08000000u
#define ESR_PPR 0x04000000u
#define ESR_PTR 0x02000000u
#define ESR_MCI 0x80000000u

#define TRAP  0x7FE00008u   /* trap: a program interrupt */
#define SC    0x44000002u
#define NOP   0x60000000u
#define RFI   0x4C000064u

#define has(feature) ((proteus_page_features() & (feature)) != 0)
#endif
#endif
