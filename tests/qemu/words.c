/*
 * words.c: no word that a user program executes ends the machine. Every extended opcode of the primary opcodes that
 * are not plain loads, stores, immediates or branches, with two register patterns.
 */
#include "bare.h"

static const uint8_t primary[] = {0, 1, 2, 4, 5, 6, 9, 19, 22, 30, 31, 48, 50, 52, 54, 56, 57, 58, 59, 60, 61, 62, 63};
static const uint32_t registers[] = {0x00631800, 0x00A52800};      // r3 throughout, r5 throughout
static uint32_t code[2];

// Branches by LR and CTR, which both lead anywhere.
static int leaves(uint32_t word)
{
    uint32_t extended = word >> 1 & 0x3FF;

    return word >> 26 == 19 && (extended == 16 || extended == 528);
}

int main(void)
{
    uint32_t executed = 0;

    for (uint32_t p = 0; p < sizeof(primary); p++) {
        for (uint32_t i = 0; i < 2 * 2048; i++) {
            code[0] = (uint32_t)primary[p] << 26 | registers[i >> 11] | (i & 2047);
            code[1] = 0x44000002;               // sc
            if (!leaves(code[0])) {
                run_in(code, MSR_PR, 0x00500000, 0x00500000, 0x00500000);
                executed++;
            }
        }
    }
    show("executed", executed);
    return 0;
}
