/*
 * partition.h: what the partition file says, as const tables.
 *
 * tools/partition.py checks config/<product>/partitions.toml and writes the tables of vm_config and tlb_rows
 * (build/<product>/gen/partitions.c); tools/pack.py writes vm_image from the guests' ELF files (build/<product>/images.S).
 * Nothing here is written at run time, and nothing that is not in the tables is allowed: no other memory, no other device,
 * no other interrupt line.
 *
 * All words are big-endian as the 405 reads them, all addresses are 32 bits. VM n has TLB entries under PID n + 1
 * (PID 0 stays free: an entry with TID 0 would match every VM).
 */
#ifndef PARTITION_H
#define PARTITION_H

#include <stdint.h>

#include "../hypercalls/abi.h"
#include "autoconf.h"
#include "partitions.h"

#define VM_NAME_SIZE 8

// The virtual UART that a VM sees. tools/partition.py writes CONSOLE_KIND(config) and CONSOLE_IRQ(config), its line: constants
// where all VMs have the same. CONSOLE_HOT is the kind of the most VMs.
#define CONSOLE_16550       0   // registers are bytes
#define CONSOLE_16550_WORDS 1   // each is the low byte of a word
#define CONSOLE_UARTLITE    2

#define VM_RESTART   FEATURE_RESTART
#define VM_AUTOSTART FEATURE_AUTOSTART
#define VM_STRAY_STOP FEATURE_STRAY_STOP
#define VM_PLANS FEATURE_PLANS
#define VM_ABSENT_CHECK FEATURE_ABSENT_CHECK

#define VM_NO_LINE 0xFF

// Option OPTIMIZE: no page, and of no instruction.
#define NO_STUBS 1U
#if defined(CONFIG_OPTIMIZE) && defined(CONFIG_TLB_VIRT)
#define STUBS_AT(config)    ((config)->stubs_at)
#define STUBS_GUEST(config) ((config)->stubs_guest)
#else
#define STUBS_AT(config)    ((config)->page)
#define STUBS_GUEST(config) ((config)->page)
#endif

// Rows of vm_config, and virtual UARTs. Those behind the VMs are second UARTs (option UART_SECOND): name, base, kind and line.
#ifdef CONFIG_UART_SECOND
#define UART_ROWS (VM_COUNT + UART_SECONDS)
#else
#define UART_ROWS VM_COUNT
#endif

// Option LIFECYCLE: whom a VM supervises, and what happens when it fails itself, or does what it should not.
struct vm_care {
    uint32_t supervises;            // bit n: VM n
    uint32_t within;                // ticks in which
    uint16_t restarts;              // it is restarted so often; 0: never
    uint8_t line;                   // of its own controller, which tells what has become of those; or VM_NO_LINE
    uint8_t resets;                 // the board is reset by its end: bit 0, if it fails; bit STOP_RESET
    uint8_t on_event[2];            // what follows from an EVENT_* of vcpu.h
#define CARE_IGNORE 0
#define CARE_TELL   1               // its supervisors know
#define CARE_FAIL   2               // it is a failure
    uint16_t interrupts;            // at most so many of the board's; 0: no limit
    uint32_t interrupts_in;         // in so many ticks
};

// Option IPCM: an end of a tunnel, memory that two VMs share as long as both want to. Its rows of tlb_rows are behind all others.
struct tunnel_end {
    uint32_t word;                  // what its state word begins with (TUNNEL_*): bytes, TUNNEL_READ_ONLY; and
#define TUNNEL_BOOT 0x200           // which no guest sees: connected when its VM starts
    uint8_t vm;                     // whose it is
    uint8_t line;                   // of its controller, on which the other end rings; or VM_NO_LINE
    uint8_t row, rows;              // of tlb_rows
};

// A board interrupt line that belongs to a VM, and the line of the VM's virtual controller that it drives.
struct irq_route {
    uint8_t line;           // line of the board's interrupt controller
    uint8_t guest_line;     // line of the virtual controller
};

// Registers of a board's device that a VM has, for the hypervisor to access (option FORWARD).
struct forward {
    uint32_t base, size;    // guest-physical and machine address; bytes
};

struct vm_config {
    char name[VM_NAME_SIZE];        // padded with NUL; a name of 8 characters has no NUL at the end
    uint32_t ram_guest;             // guest-physical address of the VM's RAM
    uint32_t ram_machine;           // machine address of the same RAM
    uint32_t ram_size;              // bytes, a multiple of the board's smallest page
    uint32_t console_base;          // guest-physical address of the virtual UART; 0: the VM has none
#ifdef CONSOLE_MIXED
    uint8_t console_kind, console_line;
#endif
#ifdef CONFIG_UART_SECOND
    uint8_t uart_other;             // row of its second UART, or its own; of such a row, its VM
#endif
    uint32_t flags;                 // the VM's feature word: FEATURE_* of hypercalls/abi.h
#ifdef CONFIG_INTC_MMIO
    uint32_t intc_base;             // guest-physical address of the virtual INTC
#endif
#ifdef CONFIG_IRFM
    uint32_t page;                  // guest-physical boundary between its register pages; 0: the VM has none
#endif
#if defined(CONFIG_OPTIMIZE) && defined(CONFIG_TLB_VIRT)
    uint32_t stubs_at, stubs_guest; // effective and guest-physical address of the page for its stubs; NO_STUBS: none
#endif
#ifdef CONFIG_OPTIMIZE
    uint32_t sites;                 // row of what is known of its code: cpu/optimize.c
#endif
#ifdef CONFIG_IPCM_REGS
    uint32_t tunnels_at;            // guest-physical address of the registers of its tunnels; 0: none
#endif
#ifdef CONFIG_FORWARD
    uint32_t forward_count;         // rows of forward
    const struct forward *forward;  // a null pointer when forward_count is 0
#endif
    uint16_t irq_count;             // rows of irq
    const struct irq_route *irq;    // rows sorted by line; a null pointer when irq_count is 0
};

// One static TLB entry: write lo first, then hi, with PID = tid. Rows are grouped by VM, in the order of vm_config.
struct tlb_row {
    uint32_t hi;                    // TLBHI: EPN, SIZE, V
    uint32_t lo;                    // TLBLO: RPN, EX, WR, ZSEL = 0, W I M G
    uint32_t tid;                   // VM index + 1
};

// Bytes to place in the VM's RAM at boot and at restart. The source stands in .images and is word-aligned, padded with
// zero to a full word.
struct vm_segment {
    uint32_t guest;                 // guest-physical address
    uint32_t filesz;                // bytes to copy from data
    uint32_t memsz;                 // bytes in memory; those from filesz on are zero
    const void *data;               // a null pointer when filesz is 0
};

// A word of the guest's code and what takes its place: the rows of a pre-virtualization table (previrt/README.md) that apply to
// this VM, word by word, from its image's section .proteus.previrt.
struct vm_patch {
    uint32_t guest;                 // guest-physical address
    uint32_t old, new;
};

// Option SCHED_PRIO: the VMs of one priority, by their place in sched_order, in which those of the highest come first.
struct sched_level {
    uint8_t first, count;
};

// Option SCHED_CYCLIC: one window of a frame. Those of plan n are rows sched_plan[n] to sched_plan[n + 1] of sched_window.
struct sched_window {
    uint32_t ticks;
    uint32_t vm;                    // its owner, or SCHED_NOBODY
};

// Option SCHED_RESERVE: a VM's budget in each period, in ticks; 0: it has none.
struct sched_server {
    uint32_t budget, period;
};

// What starts a VM: real mode, supervisor, at entry, with r3 to r7 as given.
struct vm_image {
    uint32_t entry;                 // guest-physical address, word-aligned
    uint32_t r3_to_r7[5];
    uint32_t segment_count;         // rows of segments: the ELF's loadable segments, then the blob if there is one
    const struct vm_segment *segments;
#ifdef CONFIG_PREVIRT
    uint32_t patch_count;
    const struct vm_patch *patches; // a null pointer when patch_count is 0
#endif
};

extern const struct vm_config vm_config[UART_ROWS];
#ifdef CONFIG_UART_SECOND
#define UART_SECOND_BASE(config) (vm_config[(config)->uart_other].console_base)
#else
#define UART_SECOND_BASE(config) 0U
#endif
extern const struct tlb_row tlb_rows[TLB_ROW_COUNT];
#ifdef CONFIG_SCHED_PRIO
extern const struct sched_level sched_level[SCHED_LEVELS];
extern const uint8_t sched_order[VM_COUNT];
#endif
#ifdef CONFIG_LIFECYCLE
extern const struct vm_care vm_care[VM_COUNT];
#endif
#ifdef CONFIG_IPCM
extern const struct tunnel_end tunnel_end[2 * TUNNEL_COUNT]; // those of tunnel n are rows 2n and 2n + 1
extern const uint8_t tunnel_first[VM_COUNT + 1]; // those of VM n are rows tunnel_first[n] to tunnel_first[n + 1]
extern const uint8_t tunnel_mine[];              // of this table
extern const uint8_t tunnel_row[];               // whose each row of tlb_rows is, from TLB_FIXED_ROWS on
#endif
#ifdef CONFIG_SCHED_RESERVE
extern const struct sched_server sched_server[VM_COUNT];
#endif
#ifdef CONFIG_SCHED_CYCLIC
#define SCHED_NOBODY VM_COUNT
extern const uint32_t sched_plan[SCHED_PLANS + 1];
extern const struct sched_window sched_window[];
#endif
extern const struct vm_image vm_image[VM_COUNT];

#endif
