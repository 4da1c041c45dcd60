/*
 * ctask.h: figures of CTask that its C and assembler parts share.
 */
#ifndef APPS_CTASK_H
#define APPS_CTASK_H

#define CTASK_JOBS      200
#define CTASK_PERIOD_US 2000
#define CTASK_COUNTS    4023 // increments per job: 4 instructions each, and 9 around them, are 16,101 per job

#endif
