/*
 * ctask_job.S: the jobs of CTask. In assembler, because the native work per job is part of the workload's definition.
 */
#include "apps/ctask.h"
#include "rtos/rtos.h"

        .text
/*
 * ctask_jobs: In: r3 = the counter, r4 = jobs to do. Out: r3 = jobs that the kernel refused (0 or the rest).
 * Per job: 3 + 4 x CTASK_COUNTS + 6 = 16,101 instructions, the system call included.
 */
        .globl  ctask_jobs
ctask_jobs:
        mr      r7, r3
1:      lis     r5, CTASK_COUNTS@h
        ori     r5, r5, CTASK_COUNTS@l
        mtctr   r5
2:      lwz     r6, 0(r7)
        addi    r6, r6, 1
        stw     r6, 0(r7)
        bdnz    2b
        li      r0, SYS_WAIT
        sc
        cmpwi   r3, 0
        blt     3f
        addic.  r4, r4, -1
        bne     1b
3:      mr      r3, r4
        blr
