/*
 * fetch.h: the trapped instruction.
 *
 * With TLB virtualization (option TLB_VIRT) it is read as the guest's data: its entry is there, since it was executed just now.
 *
 * Without, a guest executes only from its partition's RAM (no other page is executable), which is one
 * block: guest-physical plus a constant is the machine address, and the word is read in real mode. That is 2 instructions
 * instead of the 7 of a load with MSR[DR] set.
 */
#ifndef PROTEUS_FETCH_H
#define PROTEUS_FETCH_H

/*
 * fetch_trapped
 * In:       rVCPU, SRR0
 * Out:      rINSN
 * Clobbers: rKEY
 */
.macro fetch_trapped
    mfspr   rKEY, SPRN_SRR0
#ifdef CONFIG_TLB_VIRT
    li      rINSN, MSR_ME | MSR_DR
    mtmsr   rINSN
    isync
    lwz     rINSN, 0(rKEY)
    li      rKEY, MSR_ME
    mtmsr   rKEY
    isync
#else
    lwz     rINSN, VCPU_RAM_OFFSET(rVCPU)
    lwzx    rINSN, rKEY, rINSN
#endif
.endm

#endif
