/*
 * sites.S: functions whose instructions the hypervisor replaces at the start of a VM with `previrt = true`, and the table that
 * says so. Each function works with and without. table.c has the list of them in this order.
 */
#include "hybridtest.h"

#define WORD(name) PROTEUS_DISPLACEMENT(PROTEUS_WORD_##name)

    .section .text, "ax"
    .globl  site_two, site_mfspr, site_mtspr, site_off, site_on, site_msr, site_tsr, site_dccci
site_two:                           /* shows which one is executed */
    li      %r3, 1
    blr
site_mfspr:
    mfspr   %r3, 0x112
    blr
site_mtspr:
    mtspr   0x112, %r3
    blr
site_off:
    wrteei  0
    nop
    nop
    blr
site_on:
    wrteei  1
    nop
    nop
    nop
    nop
    blr
site_msr:
    mtmsr   %r3
    nop
    nop
    nop
    nop
    nop
    nop
    nop
    nop
    nop
    blr
site_tsr:
    mtspr   0x3D8, %r3
    nop
    blr
site_dccci:
    dccci   0, %r3
    blr

/* The table of previrt/README.md: place, needs and words, then the words that are there, then those that come instead. */
    .section .proteus.previrt, "", @progbits
table_start:
    .long   PREVIRT_MAGIC, (table_end - table_start) / 4, PROTEUS_PAGE, 8
    .long   site_two, 1
    li      %r3, 1
    li      %r3, 2
    .long   site_mfspr, FEATURE_IRFM | 1
    mfspr   %r3, 0x112
    lwz     %r3, WORD(SPRG2)(0)
    .long   site_mtspr, FEATURE_IRFM | 1
    mtspr   0x112, %r3
    stw     %r3, WORD(SPRG2)(0)
    .long   site_off, FEATURE_IRFM | 3
    wrteei  0
    nop
    nop
    lwz     %r4, WORD(MSR)(0)
    rlwinm  %r4, %r4, 0, 17, 15
    stw     %r4, WORD(MSR)(0)
    .long   site_on, FEATURE_IRFM | 5
    wrteei  1
    nop
    nop
    nop
    nop
    lwz     %r4, WORD(MSR)(0)
    ori     %r4, %r4, MSR_EE
    stw     %r4, WORD(MSR)(0)
    lwz     %r4, WORD(PENDING)(0)
    twi     1, %r4, PAGE_CHECK
    .long   site_msr, FEATURE_IRFM | 10
    mtmsr   %r3
    nop
    nop
    nop
    nop
    nop
    nop
    nop
    nop
    nop
    lwz     %r4, WORD(MSR)(0)
    xor     %r4, %r4, %r3
    rlwinm  %r4, %r4, 6, 11, 9
    twi     1, %r4, PAGE_MODE
    stw     %r3, WORD(MSR)(0)
    lwz     %r4, WORD(PENDING)(0)
    and     %r4, %r4, %r3
    twi     1, %r4, PAGE_CHECK
    .long   0x48000008              /* b .+8 */
    mtmsr   %r3
    .long   site_tsr, FEATURE_IRFM | FEATURE_TSR_STORE | 2
    mtspr   0x3D8, %r3
    nop
    li      %r4, 0
    stw     %r4, WORD(TSR)(0)
    .long   site_dccci, 1
    dccci   0, %r3
    nop
table_end:
    .section .note.GNU-stack, ""
