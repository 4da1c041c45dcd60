/*
 * mmio.c: see mmio.h. All fixed-point loads and stores of one datum; multiple and string forms are not for devices.
 */
#include "mmio.h"

#include "bus.h"
#include "emulate.h"
#include "forward.h"
#include "partition.h"
#include "stats.h"

/* The order of D-form opcodes from 32, and of X-form extended opcodes in steps of 32 from 23; odd ones update rA. */
enum { LWZ = 0, LBZ = 2, STW = 4, STB = 6, LHZ = 8, LHA = 10, STH = 12, KINDS = 14 };

static const uint8_t size_of[KINDS / 2] = {4, 1, 4, 1, 2, 2, 2};

/* Kind of access, or KINDS if it is none of them. *reversed: lwbrx and its like. */
static uint32_t decode(uint32_t insn, bool *reversed)
{
    uint32_t op = insn >> 26;
    uint32_t xo = insn >> 1 & 0x3FF;
    uint32_t kind = KINDS;

    *reversed = false;
    if (op != 31) {
        kind = op - 32;
    } else if ((xo & 31) == 23) {
        kind = xo >> 5;
    } else if ((xo & 31) == 22 && (xo >> 5 & 3) == 0) { /* lwbrx 534, stwbrx 662, lhbrx 790, sthbrx 918 */
        kind = (xo >> 5) - 16;
        *reversed = true;
    }
    return kind < KINDS ? kind : KINDS;
}

static bool is_store(uint32_t kind)
{
    return (kind & 4) != 0;
}

/* What an absent device on the board's bus gives: its bridge ends the access, and nobody has driven the lines. */
static bool is_open(const struct vcpu *v, uint32_t address)
{
    const struct vm_config *config = &vm_config[vcpu_index(v)];

    if ((v->msr & MSR_ME) == 0) {
        return true;
    }
    return IS_ENABLED(CONFIG_ABSENT) && (!ABSENT_CHECKS || (config->flags & VM_ABSENT_CHECK) == 0) &&
           ((config->console_base != 0 && MMIO_IS_NEAR(config->console_base, address)) ||
            (UART_SECOND_BASE(config) != 0 && MMIO_IS_NEAR(UART_SECOND_BASE(config), address)) || forward_is_near(v, address));
}

/* Of `size` bytes, the last first. */
static uint32_t turn(uint32_t value, uint32_t size)
{
    return __builtin_bswap32(value) >> (32 - 8 * size);
}

enum mmio mmio_access(struct vcpu *v, uint32_t address, uint32_t insn, uint32_t effective)
{
    bool reversed;
    uint32_t kind = decode(insn, &reversed);
    uint32_t *reg = &v->gpr[INSN_RT(insn)];
    uint32_t value = 0;
    uint32_t size, i;
    struct beat beat = {0, 0};
    bool claimed, forwarded;

    if (kind == KINDS) {
        return MMIO_NONE;
    }
    size = size_of[kind / 2];
    claimed = bus_claims(v, address);
    forwarded = !claimed && forward_claims(v, address, size);
    if (!claimed && !forwarded && !is_open(v, address)) {
        return MMIO_NONE;
    }
    stat_count(v, STAT_mmio);
    if (is_store(kind) && console_is_near(v, address)) { /* so it may read there, too */
        VCPU_UART_NEAR(v, effective - address + vm_config[vcpu_index(v)].console_base);
    }
    if (forwarded && is_store(kind)) {
        forward_store(address, size, reversed ? turn(*reg, size) : *reg);
    } else if (forwarded) {
        value = forward_load(address, size);
        value = reversed ? turn(value, size) : value;
    }
    for (i = 0; i < size && !forwarded; i++) { /* byte by byte, as memory has them */ /* loop: 4 */
        uint32_t shift = 8 * (reversed ? i : size - 1 - i);

        if (is_store(kind)) {
            bus_store(v, &beat, address + i, size - i, (uint8_t)(*reg >> shift));
        } else {
            value |= (uint32_t)bus_load(v, &beat, address + i, size - i) << shift;
        }
    }
    if (!is_store(kind)) {
        *reg = (kind & ~1U) == LHA ? (uint32_t)(int16_t)value : value;
    }
    if ((kind & 1) != 0) {
        v->gpr[INSN_RA(insn)] = effective;
    }
    return claimed || forwarded ? MMIO_DONE : MMIO_OPEN;
}
