/*
 * intc.h: Xilinx' interrupt controller, XPS INTC (DS572) and its predecessors on OPB and DCR: the board's, and the guest's
 * (option INTC; irq.h). Its registers are words in memory from BOARD_INTC_BASE on, or DCRs from BOARD_INTC_DCR on.
 */
#ifndef PROTEUS_INTC_H
#define PROTEUS_INTC_H

#define INTC_ISR       0 /* status: which lines were active; writable until MER[HIE] */
#define INTC_IPR       1 /* those of them that are enabled */
#define INTC_IER       2
#define INTC_IAR       3 /* a one clears the bit of ISR */
#define INTC_SIE       4 /* a one sets the bit of IER, */
#define INTC_CIE       5 /* clears it */
#define INTC_IVR       6 /* number of the first pending line, or all ones */
#define INTC_MER       7
#define INTC_REGISTERS 8

#define INTC_SIZE      (4 * INTC_REGISTERS) /* bytes in memory */

#define MER_ME  1 /* the output is enabled */
#define MER_HIE 2 /* inputs are seen; once set, only a reset clears it */

#define INTC_BIT(line) (1U << (line))

/* The design's lines; of them, those that remember a rising edge. The others are levels. Bits of other lines do not exist. */
#define INTC_LINES (0xFFFFFFFFU >> (32 - BOARD_INTC_LINES))
#define INTC_EDGES BOARD_INTC_EDGES

#endif
