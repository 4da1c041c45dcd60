/*
 * cpu.h: the 405's instructions that C has no word for, one inline function each. The host's unit tests put a fake CPU
 * with the same functions in front of it (tests/unit/fake/cpu.h).
 */
#ifndef PROTEUS_CPU_H
#define PROTEUS_CPU_H

#include <stdint.h>

#include "partitions.h"
#include "ppc405.h"

/* The special purpose register number must be a constant. */
#define cpu_mfspr(n)                                                                                              \
    ({                                                                                                            \
        uint32_t cpu_value;                                                                                       \
        __asm__ volatile("mfspr %0, %1" : "=r"(cpu_value) : "i"(n) : "memory");                                   \
        cpu_value;                                                                                                \
    })
#define cpu_mtspr(n, value) __asm__ volatile("mtspr %0, %1" : : "i"(n), "r"(value) : "memory")
#define cpu_mfdcr(n)                                                                                              \
    ({                                                                                                            \
        uint32_t cpu_value;                                                                                       \
        __asm__ volatile("mfdcr %0, %1" : "=r"(cpu_value) : "i"(n) : "memory");                                   \
        cpu_value;                                                                                                \
    })
#define cpu_mtdcr(n, value) __asm__ volatile("mtdcr %0, %1" : : "i"(n), "r"(value) : "memory")

static inline uint32_t cpu_time(void) /* TBL */
{
    uint32_t value;
    __asm__ volatile("mftb %0" : "=r"(value));
    return value;
}

static inline uint32_t cpu_time_hi(void) /* TBU */
{
    uint32_t value;
    __asm__ volatile("mftbu %0" : "=r"(value));
    return value;
}

static inline void cpu_tlbwe_hi(uint32_t entry, uint32_t word)
{
    __asm__ volatile("tlbwe %0, %1, 0" : : "r"(word), "r"(entry) : "memory");
}

static inline void cpu_tlbwe_lo(uint32_t entry, uint32_t word)
{
    __asm__ volatile("tlbwe %0, %1, 1" : : "r"(word), "r"(entry) : "memory");
}

static inline uint32_t cpu_tlbre_hi(uint32_t entry) /* PID becomes the entry's TID */
{
    uint32_t word;
    __asm__ volatile("tlbre %0, %1, 0" : "=r"(word) : "r"(entry) : "memory");
    return word;
}

static inline uint32_t cpu_tlbre_lo(uint32_t entry)
{
    uint32_t word;
    __asm__ volatile("tlbre %0, %1, 1" : "=r"(word) : "r"(entry) : "memory");
    return word;
}

/* Index of the entry that translates the address under PID, or TLB_ENTRIES. */
static inline uint32_t cpu_tlbsx(uint32_t address)
{
    uint32_t entry;
    __asm__ volatile("tlbsx. %0, 0, %1\n\tbeq 1f\n\tli %0, %2\n1:"
                     : "=&r"(entry)
                     : "r"(address), "i"(TLB_ENTRIES)
                     : "cr0", "memory");
    return entry;
}

/* A word of the running guest's: translated as its code is. It has just been executed, so it has an entry. */
static inline uint32_t cpu_fetch(uint32_t address)
{
    uint32_t word;
    __asm__ volatile("mtmsr %2\n\tisync\n\tlwz %0, 0(%1)\n\tmtmsr %3\n\tisync"
                     : "=&r"(word)
                     : "b"(address), "r"(MSR_ME | MSR_DR), "r"(MSR_ME)
                     : "memory");
    return word;
}

static inline void cpu_isync(void)
{
    __asm__ volatile("isync" : : : "memory");
}

static inline void cpu_sync(void)
{
    __asm__ volatile("sync" : : : "memory");
}

static inline void cpu_dcbz(uint32_t address)
{
    __asm__ volatile("dcbz 0, %0" : : "r"(address) : "memory");
}

static inline void cpu_dcbst(uint32_t address)
{
    __asm__ volatile("dcbst 0, %0" : : "r"(address) : "memory");
}

static inline void cpu_dcbf(uint32_t address)
{
    __asm__ volatile("dcbf 0, %0" : : "r"(address) : "memory");
}

static inline void cpu_iccci(void) /* the whole instruction cache */
{
    __asm__ volatile("iccci 0, 0" : : : "memory");
}

/* A word of asm/low.S, by one instruction: its address fits the offset of a load or store without a base register. */
#define LOW_GET(word)                                                                                             \
    ({                                                                                                            \
        uint32_t low_value;                                                                                       \
        __asm__ volatile("lwz %0, " #word "@l(0)" : "=r"(low_value) : : "memory");                                \
        low_value;                                                                                                \
    })
#define LOW_SET(word, value) __asm__ volatile("stw %0, " #word "@l(0)" : : "r"(value) : "memory")

/* Machine addresses: the hypervisor runs in real mode. */
static inline uint32_t cpu_read32(uint32_t address)
{
    return *(volatile uint32_t *)address;
}

static inline void cpu_write32(uint32_t address, uint32_t value)
{
    *(volatile uint32_t *)address = value;
}

/*
 * Registers of devices: in order. If guests have devices, what is still on the bus of theirs comes first: a machine check at the
 * eieio is of our own access then (asm/vectors.S, road_check).
 */
static inline void cpu_drain(void)
{
    if (VM_WINDOWS != 0) {
        cpu_sync();
    }
}

/* As a guest does it, in whatever order; size 1, 2 or 4. The processor does what is not aligned, as ever (forward.c). */
static inline uint32_t cpu_bus_load(uint32_t address, uint32_t size)
{
    return size == 1 ? *(volatile uint8_t *)address : size == 2 ? *(volatile uint16_t *)address : *(volatile uint32_t *)address;
}

static inline void cpu_bus_store(uint32_t address, uint32_t size, uint32_t value)
{
    if (size == 1) {
        *(volatile uint8_t *)address = (uint8_t)value;
    } else if (size == 2) {
        *(volatile uint16_t *)address = (uint16_t)value;
    } else {
        *(volatile uint32_t *)address = value;
    }
}

static inline uint32_t cpu_in32(uint32_t address)
{
    uint32_t value;

    cpu_drain();
    value = *(volatile uint32_t *)address;
    __asm__ volatile("eieio" : : : "memory");
    return value;
}

static inline void cpu_out32(uint32_t address, uint32_t value)
{
    cpu_drain();
    *(volatile uint32_t *)address = value;
    __asm__ volatile("eieio" : : : "memory");
}

static inline uint8_t cpu_read8(uint32_t address)
{
    uint8_t value;

    cpu_drain();
    value = *(volatile uint8_t *)address;
    __asm__ volatile("eieio" : : : "memory");
    return value;
}

static inline void cpu_write8(uint32_t address, uint8_t value)
{
    cpu_drain();
    *(volatile uint8_t *)address = value;
    __asm__ volatile("eieio" : : : "memory");
}

#endif
