/*
 * vectors.S: the machine's sixteen exception vectors.
 *
 * One row per vector says which road it takes. Each entry is assembled into a section of its own, which the linker
 * script places at its offset; an entry that is longer than its window does not assemble.
 *
 * On entry the machine has cleared IR, DR, PR and EE: real mode, supervisor. What was interrupted is a guest, or (PIT
 * and external only) the idle loop, which waits with the current guest's registers in place.
 */
#include "offsets.h"
#include "asm.h"
#include "hooks.h"

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

/* Belongs to the guest's own kernel, whatever it does with it: no decision, so CR stays as it is. */
.macro road_reflect offset, counter
    stw     rVCPU, LOW(low_r31)
    lwz     rVCPU, LOW(current)
    stw     r30, GPR(30)(rVCPU)
    stw     r29, GPR(29)(rVCPU)
    stat_count \counter, r29
    li      r30, \offset
    b       reflect
.endm

/* Handled in C: struct vcpu *\handler(struct vcpu *) returns who runs next. */
.macro road_cold handler
    stw     rVCPU, LOW(low_r31)
    b       cold_\handler
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

#define ROAD_critical_input  road_cold unexpected
#define ROAD_machine_check   road_cold machine_check
#define ROAD_data_storage    road_cold data_fault
#define ROAD_inst_storage    road_cold fetch_fault
#define ROAD_external        road_cold external
#define ROAD_alignment       road_cold alignment
#define ROAD_program         road_program
#define ROAD_fp_unavailable  road_reflect 0x0800, STAT_program
#define ROAD_system_call     road_reflect 0x0C00, STAT_sc
#define ROAD_apu_unavailable road_reflect 0x0F20, STAT_program
#define ROAD_pit             road_cold schedule
#define ROAD_fit             road_cold unexpected
#define ROAD_watchdog        road_cold unexpected
#define ROAD_dtlb_miss       road_cold data_fault
#define ROAD_itlb_miss       road_cold fetch_fault
#define ROAD_debug           road_cold unexpected

#define VECTOR(name, offset, class, keep, info, window, manual) vector name, offset, window, ROAD_##name ;
#include "vectors.def"
