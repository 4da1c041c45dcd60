/*
 * ml403dcr.h: the ML403 design with its INTC on the DCR bus; see ml403.h.
 */
#define BOARD_INTC_DCR 0x0C0

#include "ml403.h"
