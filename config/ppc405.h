/*
 * ppc405.h: bits and numbers of the PPC405 that both the assembler and the C code need.
 *
 * Source: PPC405 Embedded Processor Core User's Manual, "Register Summary". Only preprocessor constants here.
 */
#ifndef PROTEUS_PPC405_H
#define PROTEUS_PPC405_H

/* Machine state register */
#define MSR_AP  0x02000000 /* auxiliary processor available */
#define MSR_APE 0x00080000 /* APU exception enable */
#define MSR_WE  0x00040000 /* wait state */
#define MSR_CE  0x00020000 /* critical interrupt enable */
#define MSR_EE  0x00008000 /* external interrupt enable */
#define MSR_PR  0x00004000 /* problem (user) state */
#define MSR_FP  0x00002000 /* floating point available */
#define MSR_ME  0x00001000 /* machine check enable */
#define MSR_FE0 0x00000800
#define MSR_DWE 0x00000400 /* debug wait enable */
#define MSR_DE  0x00000200 /* debug interrupt enable */
#define MSR_FE1 0x00000100
#define MSR_IR  0x00000020 /* instruction relocate */
#define MSR_DR  0x00000010 /* data relocate */

/* The bits that exist; the others read as zero. */
#define MSR_MASK                                                                                                  \
    (MSR_AP | MSR_APE | MSR_WE | MSR_CE | MSR_EE | MSR_PR | MSR_FP | MSR_ME | MSR_FE0 | MSR_DWE | MSR_DE |        \
     MSR_FE1 | MSR_IR | MSR_DR)

/* What the machine's MSR holds while a guest runs: user state, translated, every hypervisor interrupt enabled. */
#define MSR_GUEST (MSR_EE | MSR_PR | MSR_ME | MSR_IR | MSR_DR)
#define MSR_WORK  (MSR_EE | MSR_ME)

/* Exception syndrome register */
#define ESR_MCI 0x80000000 /* instruction machine check */
#define ESR_PIL 0x08000000 /* program: illegal */
#define ESR_PPR 0x04000000 /* program: privileged */
#define ESR_PTR 0x02000000 /* program: trap */
#define ESR_DST 0x00800000 /* data storage: store */
#define ESR_DIZ 0x00400000 /* zone fault */

/* Timer status and control */
#define TSR_ENW 0x80000000
#define TSR_WIS 0x40000000
#define TSR_WRS 0x30000000
#define TSR_PIS 0x08000000
#define TSR_FIS 0x04000000
#define TCR_WP  0xC0000000
#define TCR_WRC 0x30000000
#define TCR_WIE 0x08000000
#define TCR_PIE 0x04000000
#define TCR_FP  0x03000000
#define TCR_FIE 0x00800000
#define TCR_ARE 0x00400000

#define DCR_COUNT 1024 /* numbers of device control registers */
#define SPR_COUNT 1024 /* and of special purpose registers */

#define DBCR0_RST 0x30000000 /* reset: 00 none, 01 core, 10 chip, 11 system */
#define DBSR_MRR  0x00000300 /* most recent reset */

/* TLB entry, high and low word */
#define TLBHI_V    0x00000040
#define TLBHI_E    0x00000020 /* little-endian */
#define TLBLO_EX   0x00000200
#define TLBLO_WR   0x00000100
#define TLBLO_I    0x00000004
#define TLBLO_G    0x00000001
#define TLB_ENTRIES 64

/* Special purpose registers that the hypervisor itself uses */
#define SPRN_SRR0   0x01A
#define SPRN_SRR1   0x01B
#define SPRN_USPRG0 0x100
#define SPRN_SPRG0  0x110
#define SPRN_SPRG1  0x111
#define SPRN_SPRG2  0x112
#define SPRN_SPRG3  0x113
#define SPRN_SPRG4  0x114
#define SPRN_SPRG5  0x115
#define SPRN_SPRG6  0x116
#define SPRN_SPRG7  0x117
#define SPRN_PVR    0x11F
#define SPRN_TBL_R  0x10C
#define SPRN_TBL    0x11C
#define SPRN_TBU    0x11D
#define SPRN_ZPR    0x3B0
#define SPRN_PID    0x3B1
#define SPRN_CCR0   0x3B3
#define SPRN_SGR    0x3B9
#define SPRN_DCWR   0x3BA
#define SPRN_SLER   0x3BB
#define SPRN_SU0R   0x3BC
#define SPRN_ESR    0x3D4
#define SPRN_DEAR   0x3D5
#define SPRN_EVPR   0x3D6
#define SPRN_TSR    0x3D8
#define SPRN_TCR    0x3DA
#define SPRN_PIT    0x3DB
#define SPRN_SRR2   0x3DE
#define SPRN_SRR3   0x3DF
#define SPRN_DBCR0  0x3F2
#define SPRN_DCCR   0x3FA
#define SPRN_ICCR   0x3FB

/* Caches of the 405: 16 KiB each, two ways, lines of 32 bytes: 256 congruence classes */
#define CACHE_LINE    32
#define CACHE_CLASSES 256

#endif
