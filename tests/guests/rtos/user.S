/*
 * user.S: the system calls, as functions for tasks in C.
 */
#include "rtos/rtos.h"

        .macro  syscall name, number
        .globl  \name
\name:
        li      r0, \number
        sc
        blr
        .endm

        .text
        syscall rtos_wait, SYS_WAIT
        syscall rtos_write, SYS_WRITE
        syscall rtos_stat, SYS_STAT
        syscall rtos_invalid, SYS_COUNT
        syscall rtos_exit, SYS_EXIT
