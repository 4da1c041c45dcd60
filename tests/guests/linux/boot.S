/*
 * boot.S: what a boot loader would do, as a segment of linux.elf at the end of the guest's RAM: the device tree, and the
 * kernel's start with it.
 *
 * _start
 * In:    nothing; real mode, supervisor. KERNEL is the physical address of the kernel's entry, TREE the device tree (build.sh)
 * Out:   at the kernel's entry: r3 = physical address of the device tree, r4-r7 = 0 (no initrd, no command line)
 */
        .section .text, "ax"
        .globl  _start
_start: lis     %r3, board@h
        ori     %r3, %r3, board@l
        li      %r4, 0
        li      %r5, 0
        li      %r6, 0
        li      %r7, 0
        lis     %r0, KERNEL@h
        ori     %r0, %r0, KERNEL@l
        mtctr   %r0
        bctr

        .balign 8                       // a device tree is read in doublewords
board:  .incbin TREE
