/*
 * tunnel_regs.c: see tunnel_regs.h. An access does a piece of the work at most: clearing a tunnel goes on with each look at its
 * state, until the state is what was wanted.
 */
#include "tunnel_regs.h"

#include "partition.h"
#include "tunnel.h"

#define WORD 0xFFFFFFFF /* all lanes: a part of a register is not written, and reads as what it is part of */

static uint32_t offset_of(const struct vcpu *v, uint32_t address)
{
    return address - vm_config[vcpu_index(v)].tunnels_at;
}

bool tunnel_claims(const struct vcpu *v, uint32_t address)
{
    return vm_config[vcpu_index(v)].tunnels_at != 0 && tunnel_of(v, offset_of(v, address) / TUNNEL_REGS_SIZE) != TUNNEL_NONE;
}

uint32_t tunnel_load(struct vcpu *v, uint32_t address, uint32_t lanes)
{
    uint32_t end = tunnel_of(v, offset_of(v, address) / TUNNEL_REGS_SIZE);

    (void)lanes;
    switch (address % TUNNEL_REGS_SIZE) {
    case TUNNEL_REG_STATE:
        return tunnel_look(end);
    case TUNNEL_REG_ADDRESS:
        return tlb_rows[tunnel_end[end].row].hi & TUNNEL_SIZE;
    default:
        return 0;
    }
}

void tunnel_store(struct vcpu *v, uint32_t address, uint32_t value, uint32_t lanes)
{
    uint32_t n = offset_of(v, address) / TUNNEL_REGS_SIZE, reg = offset_of(v, address) % TUNNEL_REGS_SIZE;

    if (lanes != WORD) {
        return;
    }
    if (reg == TUNNEL_REG_NOTIFY) {
        tunnel_control(v, n, TUNNEL_NOTIFY);
    } else if (reg == TUNNEL_REG_CONTROL && value - TUNNEL_CONTROL_CONNECT < TUNNEL_CONTROL_CLOSE) {
        tunnel_control(v, n, value);
    }
}
