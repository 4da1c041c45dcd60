/*
 * start.S: from reset to C. Entered with MSR = 0: real mode, supervisor, caches off (chip reset, XMD, or QEMU -kernel).
 */
#include "offsets.h"
#include "asm.h"
#include "hooks.h"
#include "board.h"

/* ccr0_set bits: what an erratum wants set in CCR0 before the caches are on (the board's file). Clobbers: r3 */
.macro ccr0_set bits
    .if \bits
    mfspr   r3, SPRN_CCR0
    oris    r3, r3, (\bits)@h
    .if (\bits) & 0xFFFF
    ori     r3, r3, (\bits)@l
    .endif
    mtspr   SPRN_CCR0, r3
    isync
    .endif
.endm

func start
    ccr0_set BOARD_CCR0
    /* Caches: invalidate by hand (manual, "Cache Operations": after reset their contents are undefined), then enable. */
    iccci   0, 0
    li      r3, CACHE_CLASSES
    mtctr   r3
    li      r4, 0
1:  dccci   0, r4
    addi    r4, r4, CACHE_LINE
    bdnz    1b
    li      r0, 0
    mtspr   SPRN_DCWR, r0               /* write back */
    mtspr   SPRN_SLER, r0               /* big-endian */
    mtspr   SPRN_SU0R, r0
    constant r3, BOARD_SGR              /* guarded: whatever is not memory */
    mtspr   SPRN_SGR, r3
    constant r3, BOARD_ICCR
    mtspr   SPRN_ICCR, r3
    constant r3, BOARD_DCCR
    mtspr   SPRN_DCCR, r3
    isync

    rom_early
    tlbia
    mtspr   SPRN_TCR, r0
    lis     r3, vectors@h
    mtspr   SPRN_EVPR, r3
    constant r3, 0x55555555             /* every zone: the page's own rights, for the guest in user state */
    mtspr   SPRN_ZPR, r3
    isync

    /* Clear the hypervisor's data; it is all .bss. */
    li      r3, data_start@l - 4
    li      r4, data_words@l
    mtctr   r4
2:  stwu    r0, 4(r3)
    bdnz    2b
    clear_registers

    /* Does SPRG0 show through USPRG0, as on QEMU? Then USPRG0 does not exist and must never be written. */
    mtspr   SPRN_SPRG0, r0
    mfspr   r4, SPRN_USPRG0
    not     r5, r4
    mtspr   SPRN_SPRG0, r5
    mfspr   r6, SPRN_USPRG0
    cmpw    r5, r6
    beq     3f
    li      r4, 1
    stw     r4, LOW(usprg0_exists)
3:  li      r1, stack_top@l - 16
    stw     r0, 0(r1)
    bl      boot                        /* r3 = who runs first */
    b       vcpu_start
endfunc start
