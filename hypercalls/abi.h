/*
 * abi.h: constants of the ABI that guests see; the calls are in hypercalls.def, the words of the register pages in page.def.
 *
 * Plain numbers only: tools/hypercalls.py copies every #define of this file into the guests' headers.
 */
#ifndef PROTEUS_ABI_H
#define PROTEUS_ABI_H

#define HCALL_TAG     0x5034 /* upper half of r0 */
#define HCALL_VERSION 2      /* of hypercalls.def: grows with every change of a call */

/* Results below zero */
#define HCALL_E_NUMBER   -1 /* no such call in this hypervisor */
#define HCALL_E_POINTER  -2 /* the buffer is not, or not as a whole, in the VM's memory */
#define HCALL_E_ARGUMENT -3 /* an argument is out of its range */
#define HCALL_E_STATE    -4 /* not now: what the call needs is not there, or not yours */

/* The feature word: what this VM may use. Bits below 0x10000 are its own settings in the partition file. */
#define FEATURE_RESTART    0x00000001 /* a reset by the guest restarts the VM; without it the VM stops */
#define FEATURE_AUTOSTART  0x00000002 /* runs from boot; without it the VM waits, stopped, until something starts it */
#define FEATURE_DMA        0x00000004 /* trusted: owns the DMA masters, which no MMU stands in front of */
#define FEATURE_PREVIRT    0x00000008 /* its pre-virtualization table is applied at its start */
#define FEATURE_STRAY_STOP 0x00000010 /* a data access to nothing, with MSR[ME] off, stops it; without it the bus ignores it */
#define FEATURE_PLANS      0x00000020 /* may choose the scheduler's plan (hcall_sched_set) */
#define FEATURE_ABSENT_CHECK 0x00000040 /* an access to nothing beside its emulated registers is a machine check, as elsewhere */
#define FEATURE_HYPERCALLS 0x00004000 /* may make hypercalls; at the place of MSR[PR], which asm/hypercall.S uses */
#define FEATURE_IRFM       0x00010000 /* has the register pages */
#define FEATURE_TSR_STORE  0x00020000 /* TSR of the writable page may be stored: no FIT, no watchdog */
#define FEATURE_MMU_STORE  0x00040000 /* PID and ZPR of the writable page may be stored: no TLB virtualization */
#define FEATURE_SERVICES   0x00100000 /* calls of option SERVICES */
#define FEATURE_DRIVERS    0x00200000 /* calls of option DRIVERS, and a console to use them on */
#define FEATURE_TLB        0x00400000 /* calls of option TLB_VIRT */

/* hcall_sched_get, hcall_sched_set */
#define HCALL_SCHED_QUANTUM 0 /* time-base ticks of a slice; set: 256 up to what the partition file gives */
#define HCALL_SCHED_LEFT    1 /* ticks left of this slice; read-only */
#define HCALL_SCHED_PLAN    2 /* of a scheduler with plans: the one that lasts; set (FEATURE_PLANS): from the next frame on */

/* hcall_vm_info */
#define HCALL_INFO_INDEX   0 /* of this VM in the partition file, from 0 */
#define HCALL_INFO_COUNT   1 /* of VMs */
#define HCALL_INFO_NAME_HI 2 /* its name, characters 0 to 3, padded with zero */
#define HCALL_INFO_NAME_LO 3 /* characters 4 to 7 */
#define HCALL_INFO_RAM     4 /* bytes of its memory */
#define HCALL_INFO_TB_HZ   5 /* ticks of the time base in a second */
#define HCALL_INFO_PREVIRT 6 /* what became of its pre-virtualization table: the word of page.def */

/* Why a pre-virtualization table was refused: found by tools/pack.py, the last two by the hypervisor as well */
#define PREVIRT_E_MAGIC    1 /* not a table */
#define PREVIRT_E_LENGTH   2 /* the table, or an entry, is shorter than it says */
#define PREVIRT_E_BOUNDARY 3 /* made for register pages elsewhere */
#define PREVIRT_E_ORDER    4 /* descending or overlapping */
#define PREVIRT_E_RANGE    5 /* unaligned, or outside the VM's memory */
#define PREVIRT_E_WORD     6 /* the code is not what the table says */
#define PREVIRT_REFUSED    0x80000000 /* in the word `previrt` of page.def */
#define PREVIRT_MAGIC      0x50345631 /* "P4V1" */

#define HCALL_CONSOLE_MAX 64 /* bytes that one console call moves */

/*
 * The register pages: one that the guest may write, and directly behind it one that it may only read. Offsets in page.def
 * count from the boundary between the two, which is at PAGE_BOUNDARY unless the partition file says otherwise.
 */
#define PAGE_BOUNDARY 0xFFFFF000
#define PAGE_VERSION  0x50340001 /* "P4", version of page.def */

/*
 * Trap instructions in the sequences that change MSR[EE] by a store: twi 1, rX, ... (trap if rX is logically greater).
 *   PAGE_CHECK  their end, with rX = the word `pending` (and the new MSR): goes on behind it, by way of what is pending
 *   PAGE_MODE   in a lazy mtmsr, with rX = (old MSR ^ new MSR) rotated left by 6, without EE: more than EE changes; goes on
 *               24 bytes further, where the instruction mtmsr itself stands
 * Bits 27:29 are the distance in bytes; both are below the smallest value that must trap.
 */
#define PAGE_CHECK 0x704
#define PAGE_MODE  0x318

#endif
