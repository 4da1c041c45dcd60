/*
 * low.S: the hypervisor's few words that the trap road reaches without a base register.
 */
#include "offsets.h"
#include "board_values.h"
#include "asm.h"
#include "hooks.h"

/* low_word name: see LOW() */
.macro low_word name
    .globl \name
    .type \name, @object
\name:
    .space 4
    .size \name, 4
.endm

    .section .low, "aw", @nobits
    .balign 4
low_word low_r31        /* the guest's r31, from the vector to the return */
low_word current        /* struct vcpu *: whose registers the machine holds */
low_word usprg0_exists  /* 1 if USPRG0 is a register of its own, as on the chip */
low_word idle_pc        /* where the current guest goes on after the idle loop, or NOT_IDLE */
low_word idle_r31       /* its r31, meanwhile */
    low_words

    .section .stack, "aw", @nobits
    .globl stack_top
    .balign 16
stack:
    .space CONFIG_STACK_SIZE
stack_top:
    .size stack, . - stack

    .section .vcpu, "aw", @nobits
    .globl vcpu
    .type vcpu, @object
    vcpu_words
    .size vcpu, . - vcpu

    rom_reset
