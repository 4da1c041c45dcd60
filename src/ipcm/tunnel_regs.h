/*
 * tunnel_regs.h: tunnels as a device of bus.h (option IPCM_REGS): TUNNEL_REG_* of abi.h, at vm_config.tunnels_at.
 */
#ifndef PROTEUS_TUNNEL_REGS_H
#define PROTEUS_TUNNEL_REGS_H

#include <stdbool.h>
#include <stdint.h>

#include "vcpu.h"

#ifdef CONFIG_IPCM_REGS
bool tunnel_claims(const struct vcpu *v, uint32_t address);
uint32_t tunnel_load(struct vcpu *v, uint32_t address, uint32_t lanes);
void tunnel_store(struct vcpu *v, uint32_t address, uint32_t value, uint32_t lanes);
#else
#define tunnel_claims(v, address)              ((void)(v), (void)(address), false)
#define tunnel_load(v, address, lanes)         0U
#define tunnel_store(v, address, value, lanes) ((void)0)
#endif

#endif
