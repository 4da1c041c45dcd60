/*
 * abi.h: constants of the ABI that guests see; the calls are in hypercalls.def, the words of the register pages in page.def.
 *
 * Plain numbers only: tools/hypercalls.py copies every #define of this file into the guests' headers.
 */
#ifndef PROTEUS_ABI_H
#define PROTEUS_ABI_H

#define HCALL_TAG     0x5034 /* upper half of r0 */
#define HCALL_VERSION 3      /* of hypercalls.def: grows with every change of a call */

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
#define FEATURE_SUPERVISOR 0x00000080 /* may start, stop and look at the VMs that the partition file names (LIFECYCLE) */
#define FEATURE_OPTIMIZE   0x00000100 /* its hot privileged instructions become loads and stores of its register pages */
#define FEATURE_HYPERCALLS 0x00004000 /* may make hypercalls; at the place of MSR[PR], which asm/hypercall.S uses */
#define FEATURE_IRFM       0x00010000 /* has the register pages */
#define FEATURE_TSR_STORE  0x00020000 /* TSR of the writable page may be stored: no FIT, no watchdog */
#define FEATURE_MMU_STORE  0x00040000 /* PID and ZPR of the writable page may be stored: no TLB virtualization */
#define FEATURE_SERVICES   0x00100000 /* calls of option SERVICES */
#define FEATURE_DRIVERS    0x00200000 /* calls of option DRIVERS, and a console to use them on */
#define FEATURE_TLB        0x00400000 /* calls of option TLB_VIRT */
#define FEATURE_IPCM       0x00800000 /* calls of option IPCM, and a tunnel to use them on */

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

/* Why a VM stopped: the cause of its failure; those up to STOP_SUPERVISOR are none */
#define STOP_NONE        0 /* it never has */
#define STOP_RESET       1 /* by a reset of its own: so says its partition */
#define STOP_SUPERVISOR  2 /* by its supervisor */
#define STOP_TRANSLATION 3 /* address translation without option TLB_VIRT */
#define STOP_STRAY       4 /* a data access outside its memory: so says its partition */
#define STOP_FETCH       5 /* a fetch outside its memory while MSR[ME] is 0 */
#define STOP_CHECK       6 /* a machine check while MSR[ME] is 0 */
#define STOP_PAGE        7 /* a TLB entry below the machine's smallest page */
#define STOP_LITTLE      8 /* a little-endian TLB entry */
#define STOP_IMAGE       9 /* an image outside its memory */
#define STOP_OVERRUN     10 /* it used up its budget, window or turn, and wanted more: so says its partition */
#define STOP_STORM       11 /* more interrupts of the board than its partition allows */

/* hcall_vm_control: what shall become of another VM, and in which states (HCALL_STATE_*) it can */
#define HCALL_CONTROL_START   0 /* a stopped or failed one, from its image */
#define HCALL_CONTROL_STOP    1 /* any that lives */
#define HCALL_CONTROL_PAUSE   2 /* one that runs or waits: no instruction, and its PIT, FIT and watchdog stand still */
#define HCALL_CONTROL_RESUME  3 /* a paused one */
#define HCALL_CONTROL_RESTART 4 /* any: nothing of its life is left */

/* hcall_vm_query */
#define HCALL_QUERY_STATE    0 /* HCALL_STATE_* */
#define HCALL_QUERY_CAUSE    1 /* why it stopped last: STOP_* */
#define HCALL_QUERY_STARTS   2 /* lives it has begun */
#define HCALL_QUERY_SINCE_HI 3 /* time base at which the last of them began: the upper word, */
#define HCALL_QUERY_SINCE_LO 4 /* and the lower one */
#define HCALL_QUERY_FAILURES 5 /* number of its last failure (vm_failure), plus one; 0: it has had none */
#define HCALL_QUERY_OVERRUNS 6 /* how often it used up its budget, window or turn, and wanted more (on_overrun) */
#define HCALL_QUERY_STORMS   7 /* how often its interrupts were too many (interrupts_max) */
#define HCALL_QUERY_STAT     256 /* and up: a counter, as of vm_stat */

#define HCALL_STATE_STOPPED    0 /* by itself, by its supervisor, or not yet started */
#define HCALL_STATE_FAILED     1 /* it cannot go on */
#define HCALL_STATE_RESTARTING 2 /* its memory is cleared and loaded */
#define HCALL_STATE_RUNNING    3
#define HCALL_STATE_WAITING    4 /* for an interrupt, or for a time */
#define HCALL_STATE_PAUSED     5

/* hcall_vm_failure writes so many words: VM, cause, pc, the instruction there (0: no memory), time base high and low */
#define HCALL_FAILURE_WORDS 6
#define HCALL_FAILURES      8 /* the last so many are kept */

/*
 * The state word of a tunnel's end (hcall_ipcm_status): its bytes, a multiple of 1024, and these. 0 of the lowest four: not
 * connected. Memory is zero when a tunnel's life begins: with the first end that connects after both had left.
 */
#define TUNNEL_OPEN      1  /* the memory is there */
#define TUNNEL_PEER      2  /* at the other end, too */
#define TUNNEL_WAITING   4  /* asked for; the other end still has the memory of a life before, and has to close */
#define TUNNEL_LOST      8  /* the other end has left, or died: what it wrote is there, nobody sees what is written now */
#define TUNNEL_READ_ONLY 16 /* this end can only read */
#define TUNNEL_STATES    15 /* the bits that change */
#define TUNNEL_SIZE      0xFFFFFC00

/* The registers of tunnel n, words at tunnels_at + 16 * n (option IPCM_REGS) */
#define TUNNEL_REG_STATE   0  /* read: the state word */
#define TUNNEL_REG_NOTIFY  4  /* write: rings at the other end */
#define TUNNEL_REG_CONTROL 8  /* write: TUNNEL_CONTROL_*. Takes a while: read STATE until it is what was wanted */
#define TUNNEL_REG_ADDRESS 12 /* read: where its memory is */
#define TUNNEL_REGS_SIZE   16
#define TUNNEL_CONTROL_CONNECT 1
#define TUNNEL_CONTROL_ACCEPT  2
#define TUNNEL_CONTROL_CLOSE   3

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
