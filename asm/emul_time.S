/*
 * emul_time.S: mtspr TSR and mtspr PIT, which a real-time kernel executes in every job.
 */
#include "offsets.h"
#include "asm.h"
#include "hooks.h"

/*
 * set_tsr: a one clears. Hot when afterwards nothing is pending.
 * In:   rVCPU, rCR, rVALUE
 * Out:  to enter_step, or cold_emulate with nothing changed
 */
func set_tsr
    irq_quiet cold_emulate
    tsr_clear cold_emulate
    stw     rKEY, VCPU_TSR(rVCPU)
    stw     rVALUE, VCPU_PENDING(rVCPU)
    sample_tsr rVALUE
    b       enter_step
endfunc set_tsr

/*
 * set_pit: the new value is also the reload value. The machine's PIT is shortened if it would fire too late; if it
 * fires too early, C finds nothing due and sets it again.
 * In:   rVCPU, rCR, rVALUE
 * Out:  to enter_step, or cold_emulate with nothing changed but the reload value
 */
func set_pit
    cmpwi   rVALUE, PIT_TICKS_MIN       /* shorter, and (signed) the longest times of all: C's */
    blt-    cold_emulate
    stw     rVALUE, VCPU_PIT(rVCPU)
    lwz     rKEY, VCPU_PIT_LEFT(rVCPU)
    cmpwi   rKEY, 0
    beq     1f

    /* The last one still runs. If it is over, but the machine's PIT, which has a shortest time, is late: C counts it. */
    lwz     rVALUE, VCPU_PIT_BASE(rVCPU)
    add     rKEY, rKEY, rVALUE
    mftb    rVALUE
    subf.   rKEY, rVALUE, rKEY
    ble-    cold_emulate
    lwz     rVALUE, VCPU_PIT(rVCPU)

1:  stw     rVALUE, VCPU_PIT_LEFT(rVCPU)
    mftb    rKEY
    stw     rKEY, VCPU_PIT_BASE(rVCPU)
    mfspr   rKEY, SPRN_PIT              /* 0: stopped or due at once; minus one it is the longest time of all */
    addi    rKEY, rKEY, -1
    cmplw   rKEY, rVALUE
    blt     enter_step
    mtspr   SPRN_PIT, rVALUE
    b       enter_step
endfunc set_pit
