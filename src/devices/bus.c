/*
 * bus.c: see bus.h. Which device has a word, and the lanes of an access to it.
 */
#include "bus.h"

#include "irq.h"
#include "tunnel_regs.h"

/* ---- a line for each device ---- */

bool bus_claims(const struct vcpu *v, uint32_t address)
{
    return console_claims(v, address) || intc_claims(v, address) || tunnel_claims(v, address);
}

static uint32_t load(struct vcpu *v, uint32_t address, uint32_t lanes)
{
    if (console_claims(v, address)) {
        return console_load(v, address, lanes);
    }
    if (intc_claims(v, address)) {
        return intc_load(v, address, lanes);
    }
    if (tunnel_claims(v, address)) {
        return tunnel_load(v, address, lanes);
    }
    return 0; /* the open bus */
}

static void store(struct vcpu *v, uint32_t address, uint32_t value, uint32_t lanes)
{
    if (console_claims(v, address)) {
        console_store(v, address, value, lanes);
    } else if (intc_claims(v, address)) {
        intc_store(v, address, value, lanes);
    } else if (tunnel_claims(v, address)) {
        tunnel_store(v, address, value, lanes);
    }
}

/* ---- lanes ---- */

/* Those of an access whose next `left` bytes begin at `address`, up to the end of the word. */
static uint32_t lanes_of(uint32_t address, uint32_t left)
{
    uint32_t first = address & 3;
    uint32_t behind = first + left < 4 ? 0xFFFFFFFF >> 8 * (first + left) : 0;

    return 0xFFFFFFFF >> 8 * first & ~behind;
}

static uint32_t shift_of(uint32_t address)
{
    return 24 - 8 * (address & 3);
}

uint8_t bus_load(struct vcpu *v, struct beat *beat, uint32_t address, uint32_t left)
{
    if (beat->lanes == 0 || (address & 3) == 0) {
        beat->lanes = lanes_of(address, left);
        beat->word = load(v, address & ~3U, beat->lanes);
    }
    return (uint8_t)(beat->word >> shift_of(address));
}

void bus_store(struct vcpu *v, struct beat *beat, uint32_t address, uint32_t left, uint8_t byte)
{
    beat->word |= (uint32_t)byte << shift_of(address);
    beat->lanes |= 0xFFU << shift_of(address);
    if (left == 1 || (address & 3) == 3) {
        store(v, address & ~3U, beat->word, beat->lanes);
        beat->word = 0;
        beat->lanes = 0;
    }
}
