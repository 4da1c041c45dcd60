/*
 * low.S: the hypervisor's few words that the trap road reaches without a base register.
 */
#include "offsets.h"
#include "board_values.h"
#include "partitions.h"
#include "asm.h"

    .section .low, "aw", @nobits
    .globl low_r31, current, usprg0_exists, idle_pc, idle_r31
    .type low_r31, @object
    .type current, @object
    .type usprg0_exists, @object
    .type idle_pc, @object
    .type idle_r31, @object
    .balign 4
low_r31:            /* the guest's r31, from the vector to the return */
    .space 4
    .size low_r31, 4
current:            /* struct vcpu *: whose registers the machine holds */
    .space 4
    .size current, 4
usprg0_exists:      /* 1 if USPRG0 is a register of its own, as on the chip */
    .space 4
    .size usprg0_exists, 4
idle_pc:            /* where the current guest goes on after the idle loop, or NOT_IDLE */
    .space 4
    .size idle_pc, 4
idle_r31:           /* its r31, meanwhile */
    .space 4
    .size idle_r31, 4
#if VM_WINDOWS
    .globl bus_error_of
    .type bus_error_of, @object
bus_error_of:       /* struct vcpu *: whose access nobody has answered, as it turned out later; 0 */
    .space 4
    .size bus_error_of, 4
#endif
#ifndef CONFIG_SCHED_SINGLE
    .globl slice_end
    .type slice_end, @object
slice_end:          /* TBL at which the scheduler wants the machine back */
    .space 4
    .size slice_end, 4
#endif
#ifdef CONFIG_CONSOLE
    .globl pit_road
    .type pit_road, @object
pit_road:           /* C that the machine's PIT goes to: schedule(), or console_tick() */
    .space 4
    .size pit_road, 4
#endif

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
#ifdef CONFIG_IRFM
    .space  BOARD_PAGE_MIN - VCPU_BOUNDARY
vcpu:
    .space VM_COUNT * VCPU_SIZE - (BOARD_PAGE_MIN - VCPU_BOUNDARY)
#else
    .balign 16
vcpu:
    .space VM_COUNT * VCPU_SIZE
#endif
    .size vcpu, . - vcpu

#ifdef CONFIG_ROM
    .section .reset, "ax"
    b       start
#endif
