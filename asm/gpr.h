/*
 * gpr.h: read or write the general purpose register that an instruction names.
 *
 * A computed branch would need CTR or LR, which belong to the guest. Instead the five bits of the register field, put
 * into CR by mtcrf, lead through a tree of branches: five branches whatever the register.
 */
#ifndef PROTEUS_GPR_H
#define PROTEUS_GPR_H

    .altmacro

/* The leaf of register n: r28-r30 are in the register file, r31 in low_r31, all others in place. */
.macro write_leaf n
    .if \n == 31
    stw     rVALUE, LOW(low_r31)
    .elseif \n >= 28
    stw     rVALUE, GPR(\n)(rVCPU)
    .else
    mr      \n, rVALUE
    .endif
    b       enter_step
.endm

.macro read_leaf n
    .if \n == 31
    lwz     rVALUE, LOW(low_r31)
    .elseif \n >= 28
    lwz     rVALUE, GPR(\n)(rVCPU)
    .else
    mr      rVALUE, \n
    .endif
.endm

/* The last bit of each tree. Reading is harmless, so the first register is read before the bit is looked at. */
.macro write_pair n, bit
    bt      \bit, write_\n
    write_leaf \n
write_\n\():
    write_leaf %(\n + 1)
.endm

.macro read_pair n, bit
    read_leaf \n
    bf      \bit, gpr_read_done
    read_leaf %(\n + 1)
    b       gpr_read_done
.endm

/* CR bit `bit` of the register field decides between [first, first + half) and [first + half, first + 2 * half). */
.macro tree way, first, half, bit
    .if \half == 1
    \way\()_pair \first, \bit
    .else
    bt      \bit, \way\()_\first\()_\bit
    tree    \way, \first, %(\half / 2), %(\bit + 1)
\way\()_\first\()_\bit\():
    tree    \way, %(\first + \half), %(\half / 2), %(\bit + 1)
    .endif
.endm

#endif
