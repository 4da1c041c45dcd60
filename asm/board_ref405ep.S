/*
 * board_ref405ep.S: what the board needs before its memory can be used, when no firmware has done it (ROM image).
 */
#include "asm.h"
#include "board.h"

#ifdef CONFIG_ROM

#define SDRAM0_CFGADDR 0x010
#define SDRAM0_CFGDATA 0x011

.macro sdram index, value
    li      r3, \index
    mtdcr   SDRAM0_CFGADDR, r3
    lis     r3, (\value)@h
    ori     r3, r3, (\value)@l
    mtdcr   SDRAM0_CFGDATA, r3
.endm

/*
 * board_early: the SDRAM controller (PPC405EP manual, "SDRAM Controller"): timing, refresh, bank 0 with 128 MiB at 0, 200 us
 * after the clocks are stable the enable bit. QEMU knows no timing, but it maps no memory either before the last write.
 * Holds:    nothing
 * Clobbers: r3, CTR
 */
func board_early
    sdram   0x80, 0x0086400D            /* TR:   CAS latency 3, precharge, refresh to activate: for 100 MHz parts */
    sdram   0x30, 0x05F00000            /* RTR:  a refresh every 15.2 us */
    sdram   0x40, 0x000A0001            /* B0CR: base 0, 128 MiB, valid */
    lis     r3, 200 * (BOARD_TB_HZ / 1000000) >> 16
    ori     r3, r3, 200 * (BOARD_TB_HZ / 1000000) & 0xFFFF
    mtctr   r3
1:  bdnz    1b
    sdram   0x20, 0x80800000            /* CFG:  enable */
    blr
endfunc board_early

#endif
