/*
 * savegpr.S: the out-of-line prologue and epilogue that gcc -Os calls (System V ABI for PowerPC, "Register Saving and
 * Restoring Functions"). Ours, because Debian's libgcc keeps them in an archive with hard floating point.
 */
    .section .text.savegpr, "ax"
    .irp n, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    .globl _savegpr_\n
_savegpr_\n:
    stw     \n, (\n - 32) * 4(r11)
    .endr
    blr

    .section .text.restgpr, "ax"
    .irp n, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    .globl _restgpr_\n\()_x
_restgpr_\n\()_x:
    .if \n == 31
    lwz     r0, 4(r11)
    .endif
    lwz     \n, (\n - 32) * 4(r11)
    .endr
    mtlr    r0
    mr      r1, r11
    blr
