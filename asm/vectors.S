/*
 * vectors.S: the machine's exception vectors.
 *
 * One row per vector says which road it takes (vectors.h). Each entry is assembled into a section of its own, which the linker
 * script places at its offset; an entry that is longer than its window does not assemble.
 *
 * On entry the machine has cleared IR, DR, PR and EE: real mode, supervisor. What was interrupted is a guest, or (PIT
 * and external only) the idle loop, which waits with the current guest's registers in place.
 */
#include "offsets.h"
#include "asm.h"
#include "hooks.h"
#include "sc.h"
#include "vectors.h"

/*
 * A privileged or undefined instruction, or a trap instruction.
 * Out:   rVCPU, rCR; the guest's r28-r30 in its register file, r31 in low_r31
 * Holds: every other register of the guest
 */
.macro road_program
    stw     rVCPU, LOW(low_r31)
    lwz     rVCPU, LOW(current)
    stw     r30, GPR(30)(rVCPU)
    stw     r29, GPR(29)(rVCPU)
    stw     r28, GPR(28)(rVCPU)
    mfcr    rCR
    b       dispatch
.endm

/* A TLB miss: the same, to \routine. */
.macro road_miss routine
    stw     rVCPU, LOW(low_r31)
    lwz     rVCPU, LOW(current)
    stw     r30, GPR(30)(rVCPU)
    stw     r29, GPR(29)(rVCPU)
    stw     r28, GPR(28)(rVCPU)
    mfcr    rCR
    b       \routine
.endm

/* Belongs to the guest's own kernel, whatever it does with it: no decision, so CR stays as it is. */
.macro road_reflect offset, counter, dear=0
    stw     rVCPU, LOW(low_r31)
    lwz     rVCPU, LOW(current)
    stw     r30, GPR(30)(rVCPU)
    .if \dear
    mfspr   r30, SPRN_DEAR
    stw     r30, VCPU_DEAR(rVCPU)
    .endif
    stat_count \counter, r30
    li      r30, \offset
    b       reflect
.endm

/*
 * Handled in C: struct vcpu *\handler(struct vcpu *) returns who runs next. \road: cold_light or cold_full (cold.S)
 * Out:   rVCPU, r3 = C function; guest's r3 in its register file, r31 in low_r31
 */
.macro road_cold road, handler
    stw     rVCPU, LOW(low_r31)
    lwz     rVCPU, LOW(current)
    stw     r3, GPR(3)(rVCPU)
    li      r3, \handler@l
    b       \road
.endm

/*
 * A machine check. That of a data access is imprecise (manual, "Machine Check Interrupts"): a guest stores to where its device
 * page has no register, traps, and it arrives here. Then it is noted for the guest that runs, and the PIT brings schedule(),
 * which delivers it. Not the guest's, and the end: one of a fetch; one before anybody runs; and one of the hypervisor's own
 * access to a device, behind which is an eieio, and before which a sync has let in what was the guest's (src/machine/cpu.h).
 * Holds: all registers, and SRR0, SRR1: it can come anywhere. SPRG1-3 are for this alone.
 */
#define EIEIO 0x7C0006AC
.macro road_check
    mtspr   SPRN_SPRG1, r31
    mtspr   SPRN_SPRG2, r30
    mfcr    r31
    mtspr   SPRN_SPRG3, r31
    mfspr   r30, SPRN_SRR3
    andi.   r30, r30, MSR_PR
    bne     1f
    mfspr   r30, SPRN_ESR
    mfspr   r31, SPRN_SRR2
    andis.  r30, r30, ESR_MCI >> 16
    bne     1f
    lwz     r30, -4(r31)
    lwz     r31, 0(r31)
    xoris   r30, r30, EIEIO >> 16
    xoris   r31, r31, EIEIO >> 16
    cmplwi  r30, EIEIO & 0xFFFF
    beq     1f
    cmplwi  r31, EIEIO & 0xFFFF
    beq     1f
    lwz     r31, LOW(current)
    cmpwi   r31, 0
    beq     1f
    stw     r31, LOW(bus_error_of)
    li      r30, 1
    mtspr   SPRN_PIT, r30
    mfspr   r31, SPRN_SPRG3
    mtcr    r31
    mfspr   r30, SPRN_SPRG2
    mfspr   r31, SPRN_SPRG1
    return_only rfci
1:  mfspr   r30, SPRN_SPRG3
    mtcr    r30
    mfspr   r30, SPRN_SPRG2
    mfspr   r31, SPRN_SPRG1
    road_cold cold_full, machine_check
.endm

/* A vector that nobody enabled. */
.macro road_unexpected
    b       cold_unexpected
.endm

/* asm/pit.S looks first. */
.macro road_pit
    stw     rVCPU, LOW(low_r31)
    lwz     rVCPU, LOW(current)
    stw     r30, GPR(30)(rVCPU)
    b       pit
.endm

.macro vector name, offset, window, road:vararg
    .section .vector_\name, "ax"
    .globl vector_\name
    .type vector_\name, @function
vector_\name:
    \road
    .if . - vector_\name > \window
    .error "vector \name is longer than its window"
    .endif
    .size vector_\name, . - vector_\name
.endm

#define VECTOR(name, offset, class, keep, info, window, manual) vector name, offset, window, ROAD_##name ;
#include "vectors.def"

    erratum_51
