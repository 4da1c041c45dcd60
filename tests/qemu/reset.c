/*
 * reset.c: a system reset. RAM keeps what no image has, the controllers and timers start anew. It resets once and
 * stays in a loop the second time.
 */
#include "bare.h"

#define WORD(address) (*(volatile uint32_t *)(address))
#define BOOTS WORD(0x00500000)

#if defined(BOARD_virtex)
#define INTC 0x81800000
#elif defined(BOARD_raptor)
#define INTC 0x90240000
#endif

int main(void)
{
    BOOTS = BOOTS + 1;
    show("boot", BOOTS);
#ifdef INTC
    show("mer", WORD(INTC + 0x1C));
    WORD(INTC + 0x1C) = 3;
#endif
    show("tcr", mfspr(TCR));
    show("pit", mfspr(PIT));
    mtspr(TCR, TCR_PIE | 0x00400000);
    mtspr(PIT, 1000000);
    if (BOOTS == 1) {
        return 0;
    }
    text("end\n");
    for (;;) {
    }
}
