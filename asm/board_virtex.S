/*
 * board_virtex.S: what the board needs before its memory can be used, when no firmware has done it (ROM image).
 */
#include "asm.h"
#include "board.h"

#ifdef CONFIG_ROM

/*
 * board_early: nothing. The memory controllers of a Virtex design initialize their DDR themselves, out of the FPGA's reset and
 * without registers; until they have, a load waits for its data.
 * Holds:    everything
 */
func board_early
    blr
endfunc board_early

#endif
