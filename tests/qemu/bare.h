// bare.h: what the small programs share: the record of the last interrupt, special registers, the console.
#pragma once
#include <stdint.h>

#define MSR_WE 0x00040000
#define MSR_CE 0x00020000
#define MSR_EE 0x00008000
#define MSR_PR 0x00004000
#define MSR_FP 0x00002000
#define MSR_ME 0x00001000
#define MSR_DE 0x00000200
#define MSR_IR 0x00000020
#define MSR_DR 0x00000010

// What the handler in start.S wrote down of the last interrupt. `msr` is the one that the handler started with.
struct interrupt {
    uint32_t count, vector, msr, srr0, srr1, srr2, srr3, esr, dear;
};
#define interrupt (*(volatile struct interrupt *)0x3020)

#define mfspr(number) ({ uint32_t value_; __asm__ volatile("mfspr %0,%1" : "=r"(value_) : "i"(number) : "memory"); value_; })
#define mtspr(number, value) __asm__ volatile("mtspr %0,%1" : : "i"(number), "r"((uint32_t)(value)) : "memory")
#define mfdcr(number) ({ uint32_t value_; __asm__ volatile("mfdcr %0,%1" : "=r"(value_) : "i"(number) : "memory"); value_; })
#define mtdcr(number, value) __asm__ volatile("mtdcr %0,%1" : : "i"(number), "r"((uint32_t)(value)) : "memory")

#define USPRG0 0x100
#define SPRG0  0x110
#define SRR2   0x3DE
#define SRR3   0x3DF
#define PVR    0x11F
#define ZPR    0x3B0
#define PID    0x3B1
#define TSR    0x3D8
#define TCR    0x3DA
#define PIT    0x3DB

#define TSR_WIS 0x40000000
#define TSR_ENW 0x80000000
#define TSR_PIS 0x08000000
#define TSR_FIS 0x04000000
#define TCR_WIE 0x08000000
#define TCR_PIE 0x04000000
#define TCR_FIE 0x00800000

// TLB entries: word 0 (HI) and word 1 (LO).
#define TLB_V       0x40
#define TLB_U0      0x10
#define TLB_SIZE(n) ((n) << 7)      // 0: 1 KiB, 1: 4 KiB, 3: 64 KiB, 5: 1 MiB, 7: 16 MiB
#define TLB_EX      0x200
#define TLB_WR      0x100
#define TLB_ZSEL(n) ((n) << 4)
#define TLB_W       8
#define TLB_I       4
#define TLB_G       1

static inline uint32_t mfmsr(void)
{
    uint32_t msr;
    __asm__ volatile("mfmsr %0" : "=r"(msr) : : "memory");
    return msr;
}

static inline void mtmsr(uint32_t msr)
{
    __asm__ volatile("mtmsr %0; isync" : : "r"(msr) : "memory");
}

static inline void tlbwe_hi(uint32_t entry, uint32_t value)
{
    __asm__ volatile("tlbwe %0,%1,0" : : "r"(value), "r"(entry) : "memory");
}

static inline void tlbwe_lo(uint32_t entry, uint32_t value)
{
    __asm__ volatile("tlbwe %0,%1,1" : : "r"(value), "r"(entry) : "memory");
}

static inline uint32_t tlbre_hi(uint32_t entry)
{
    uint32_t value;
    __asm__ volatile("tlbre %0,%1,0" : "=r"(value) : "r"(entry) : "memory");
    return value;
}

static inline uint32_t tlbre_lo(uint32_t entry)
{
    uint32_t value;
    __asm__ volatile("tlbre %0,%1,1" : "=r"(value) : "r"(entry) : "memory");
    return value;
}

static inline void tlbia(void)
{
    __asm__ volatile("tlbia; isync" : : : "memory");
}

static inline void isync(void)
{
    __asm__ volatile("isync" : : : "memory");
}

static inline uint32_t time_base(void)
{
    return mfspr(0x10C);
}

// Word 1 first: distribution QEMU loses the valid bit in the other order.
static inline void tlb_write(uint32_t entry, uint32_t hi, uint32_t lo)
{
    tlbwe_lo(entry, lo);
    tlbwe_hi(entry, hi);
    isync();
}

uint32_t run_in(void *function, uint32_t msr, uint32_t a, uint32_t b, uint32_t c);
void srr_forget(void);

void put(char c);
char get(void);
void text(const char *string);
void show(const char *name, uint32_t value);    // "name=hexadecimal"
void wait(uint32_t ticks);                      // of the time base

int main(void);
