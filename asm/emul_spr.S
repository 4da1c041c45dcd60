/*
 * emul_spr.S: mfspr and mtspr on the register file, and the second half of every instruction that reads a register.
 */
#include "offsets.h"
#include "asm.h"
#include "gpr.h"
#include "hooks.h"

/*
 * spr_table: 128 halfwords, indexed by the low five and the two lowest high bits of the SPR number.
 *
 * An entry is the word's offset in struct vcpu, with the three highest bits of the number in bits 0:2 to tell apart what
 * shares a row. Exclusive-or with the instruction's own bits leaves the offset if they agree, a large number if not; a
 * large number is what C handles. So one comparison decides between hot and cold.
 */
#define SPR_COLD 0x1FFC

.macro spr_row index
    .ifdef spr_row_\index
    .error "two rows of spr.def share an entry of spr_table"
    .endif
    .set spr_row_\index, spr_value
.endm
.macro spr_emit index
    .ifdef spr_row_\index
    .hword  spr_row_\index
    .else
    .hword  SPR_COLD
    .endif
.endm

/* A register that has no word (field `none`, or its option is off) has an offset behind the file: cold, too. */
#define SPR(name, number, field, read, write, mask, manual)                                                       \
    .set spr_index, (((number) & 0x1F) << 2) | (((number) >> 5) & 3) ;                                            \
    .set spr_value, (((number) >> 7) << 13) | SPR_WORD_##name ;                                                   \
    spr_row %spr_index ;

    .section .rodata.spr_table, "a"
    .globl spr_table
    .type spr_table, @object
    .balign 4
spr_table:
#include "spr.def"
    .set spr_index, 0
    .rept 128
    spr_emit %spr_index
    .set spr_index, spr_index + 1
    .endr
    .size spr_table, . - spr_table

/*
 * spr_lookup
 * In:   rINSN
 * Out:  rKEY = offset of the word, or something not below VCPU_READ_END; CR[4:11], CR[20:31] = those bits of rINSN
 * Clobbers: rINSN
 */
.macro spr_lookup
    mtcrf   0x67, rINSN
    rlwinm  rKEY, rINSN, 19, 24, 28     /* low five bits of the number, which the encoding puts first */
    rlwimi  rKEY, rINSN, 22, 29, 30
    lhz     rKEY, spr_table@l(rKEY)
    rlwinm  rINSN, rINSN, 0, 16, 18
    xor     rKEY, rKEY, rINSN
.endm

/*
 * emul_mfspr
 * In:   rVCPU, rCR, rINSN
 * Out:  falls through to gpr_write, or to cold_emulate
 */
func emul_mfspr
    spr_lookup
    cmplwi  rKEY, VCPU_READ_END
    bge-    cold_emulate
    sample_site rVALUE
    stat_count STAT_mfspr, rVALUE
    lwzx    rVALUE, rVCPU, rKEY
endfunc emul_mfspr

/*
 * gpr_write: the guest's rT becomes rVALUE, and the instruction is done.
 * In:   rVCPU, rCR, rVALUE; CR[6:10] = bits 6:10 of the trapped instruction
 * Out:  to enter_step
 */
    .globl gpr_write
    .type gpr_write, @function
gpr_write:
    tree    write, 0, 16, 6
    .size gpr_write, . - gpr_write

/*
 * emul_mtspr
 * In:   rVCPU, rCR, rINSN
 * Out:  falls through to gpr_read with rKEY
 */
func emul_mtspr
    spr_lookup
    stat_count STAT_mtspr, rINSN
endfunc emul_mtspr

/*
 * gpr_read: rVALUE becomes the guest's rS.
 * In:   rVCPU, rCR, rKEY; CR[6:10], CR[20:31] = those bits of the trapped instruction
 * Out:  falls through to gpr_read_done
 */
    .globl gpr_read
    .type gpr_read, @function
gpr_read:
    tree    read, 0, 16, 6
    .size gpr_read, . - gpr_read

/*
 * gpr_read_done: rVALUE is known; which instruction was it? CR still holds its extended opcode.
 * In:   rVCPU, rCR, rVALUE, rKEY (mtspr); CR[22], CR[30] = those bits of the instruction
 * Out:  to the routine's second half
 */
    .globl gpr_read_done
    .type gpr_read_done, @function
gpr_read_done:
    bf-     22, 2f                      /* mtspr 01110 10011 */
    cmplwi  rKEY, VCPU_PLAIN_END
    bge     1f
    stwx    rVALUE, rVCPU, rKEY
    sample_site rVALUE                  /* the same once more does no harm */
    b       enter_step
1:  set_sprg
    cmplwi  rKEY, VCPU_TSR
    beq     set_tsr
    cmplwi  rKEY, VCPU_PIT
    beq     set_pit
    cmplwi  rKEY, VCPU_PID
    bne-    cold_emulate
    clrlwi  rVALUE, rVALUE, 24          /* PID has eight bits */
    stw     rVALUE, VCPU_PID(rVCPU)
    sample_pid rVALUE
    pid_context step_and_context
    b       enter_step
2:  read_other
    bf+     30, set_msr                 /* mtmsr 00100 10010 */
    b       set_ee                      /* wrtee 00100 00011 */
    .size gpr_read_done, . - gpr_read_done
