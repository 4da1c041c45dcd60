/*
 * cpu.h (fake): the functions of src/machine/cpu.h on a machine made of arrays. The sources under test are compiled with
 * this folder in front of src/machine. What a 405 would not forgive (memory that is not there, the hypervisor's own memory,
 * a wait that never ends) fails the test.
 */
#ifndef FAKE_CPU_H
#define FAKE_CPU_H

#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>

#include "ppc405.h"

#define FAKE_RAM_FIRST 0x00010000U /* below is the hypervisor */
#if defined(CONFIG_TLB_VIRT) && defined(CONFIG_SCHED_SINGLE)
#define FAKE_RAM_SIZE  0x00230000U /* pages of 1 MiB fit into a partition */
#else
#define FAKE_RAM_SIZE  0x00060000U
#endif
#define FAKE_LINE      32U
#define FAKE_OUTPUT    16384U

struct fake {
    uint32_t spr[1024], dcr[1024];
    uint32_t spr_writes[1024];
    uint32_t time; /* TBL: moves only when the test says so */
    uint32_t time_hi;
    bool time_wraps; /* at the next look at it */

    uint32_t tlb_hi[TLB_ENTRIES], tlb_lo[TLB_ENTRIES], tlb_tid[TLB_ENTRIES];
    uint32_t tlb_writes; /* words */

    uint32_t ram[FAKE_RAM_SIZE / 4];
    bool cached[FAKE_RAM_SIZE / FAKE_LINE]; /* in the data cache */
    bool dirty[FAKE_RAM_SIZE / FAKE_LINE]; /* there, and not in memory */
    bool fetch_stale;                      /* the instruction cache may hold old words */
    bool unsynced;                         /* a line is on its way to memory */
    uint32_t syncs, syncs_at_bus;          /* so far, and in front of the last access by cpu_bus_load() or cpu_bus_store() */
    uint32_t writes;                       /* words written to memory */
    uint32_t flushed, flush_count;         /* last dcbf */

    char output[FAKE_OUTPUT]; /* without \r, */
    uint32_t output_length;
    uint32_t returns; /* of which there were so many */
    uint32_t room;      /* how often the UART's FIFO becomes empty before it is busy */
    uint32_t fifo_left; /* bytes that fit in since then */
    uint32_t polls;
    const char *input;
    uint32_t shifting; /* looks until it has sent its last byte */
    bool overrun; /* the UART has lost some of it: told once */
    uint8_t uart_ier, uart_fcr, uart_lcr, uart_mcr, uart_divisor[2];
    uint32_t uart_ctrl; /* of a UartLite */

    uint32_t lines; /* inputs of the interrupt controller */
    uint32_t lines_were, intc[8], intc_acknowledged; /* inputs last seen; of an INTC: registers, what IAR was written with */

    uint32_t bus_accesses, bus_address, bus_size, bus_value; /* of a guest's, by the hypervisor: how many, the last one */

    bool reset_expected;
    uint32_t reset; /* what was written to DBCR0 */
    jmp_buf reset_jump;
};

#define FAKE_ROOM 0xFFFFFFFFU

extern struct fake fake;

uint32_t cpu_mfspr(uint32_t n);
void cpu_mtspr(uint32_t n, uint32_t value);
uint32_t cpu_mfdcr(uint32_t n);
void cpu_mtdcr(uint32_t n, uint32_t value);
uint32_t cpu_time(void);
uint32_t cpu_time_hi(void);
void cpu_tlbwe_hi(uint32_t entry, uint32_t word);
void cpu_tlbwe_lo(uint32_t entry, uint32_t word);
uint32_t cpu_tlbre_hi(uint32_t entry);
uint32_t cpu_tlbre_lo(uint32_t entry);
uint32_t cpu_tlbsx(uint32_t address);
uint32_t cpu_fetch(uint32_t address);
void cpu_isync(void);
void cpu_sync(void);
void cpu_dcbz(uint32_t address);
void cpu_dcbst(uint32_t address);
void cpu_dcbf(uint32_t address);
void cpu_iccci(void);
uint32_t cpu_read32(uint32_t address);
void cpu_write32(uint32_t address, uint32_t value);
uint32_t cpu_bus_load(uint32_t address, uint32_t size);
void cpu_bus_store(uint32_t address, uint32_t size, uint32_t value);
uint32_t cpu_in32(uint32_t address);
void cpu_out32(uint32_t address, uint32_t value);
uint8_t cpu_read8(uint32_t address);
void cpu_write8(uint32_t address, uint8_t value);

/* The UART behind its registers: a byte of its input, this bit if some was lost, a look at it, a byte into a FIFO of so many. */
uint8_t fake_uart_receive(void);
uint8_t fake_uart_overrun(uint8_t bit);
uint8_t fake_uart_shifts(uint8_t bit);
void fake_uart_poll(void);
void fake_uart_send(uint8_t value, uint32_t fifo);

/* Words of asm/low.S: here they are variables of the harness. */
#define LOW_GET(word)        (word)
#define LOW_SET(word, value) ((word) = (value))

#endif
