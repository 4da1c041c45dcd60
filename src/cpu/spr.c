/*
 * spr.c: mfspr and mtspr where the access has consequences, by the rows of config/spr.def.
 */
#include <stddef.h>

#include "cpu.h"
#include "emulate.h"
#include "timer.h"
#include "tlb.h"

/* The hot road's table (asm/emul_spr.S): the word's offset, with the number's three highest bits above it. */
extern const uint16_t spr_table[128];

/* A register without a word reads as zero, and what is written is lost; behind this offset there is no register. */
#define NO_WORD offsetof(struct vcpu, none)

uint32_t spr_offset(uint32_t number)
{
    return spr_table[(number & 31) << 2 | (number >> 5 & 3)] ^ (number >> 7) << 13;
}

static uint32_t *spr_word(struct vcpu *v, uint32_t offset)
{
    return (uint32_t *)((uint8_t *)v + offset);
}

#define spr_read_pvr(v) cpu_mfspr(SPRN_PVR)
#define spr_read_pit(v) ((v)->pit_left)

uint32_t spr_read(struct vcpu *v, uint32_t number, uint32_t *value)
{
    uint32_t offset = spr_offset(number);

    if (offset > NO_WORD) {
        return vcpu_program(v, ESR_PIL);
    }
    vcpu_save_live(v);
    timer_sync_registers(v);
    switch (number) {
#define READ_PLAIN(name, number)
#define READ_LIVE(name, number)
#define READ_COLD(name, number)                                                                                   \
    case number:                                                                                                  \
        *value = spr_read_##name(v);                                                                              \
        break;
#define READ_NEVER(name, number)                                                                                  \
    case number:                                                                                                  \
        return vcpu_program(v, ESR_PIL);
#define SPR(name, number, field, read, write, mask, manual) READ_##read(name, number)
#include "spr.def"
#undef SPR
    default:
        *value = offset < NO_WORD ? *spr_word(v, offset) : 0;
        break;
    }
    return STEP;
}

#define spr_write_tsr(v, value)  timer_write_tsr(v, value)
#define spr_write_tcr(v, value)  timer_write_tcr(v, value)
#define spr_write_pit(v, value)  timer_write_pit(v, value)
#define spr_write_pid(v, value)  ((v)->pid = (value))
#define spr_write_zpr(v, value)  tlb_write_zpr(v, value)
#define spr_write_evpr(v, value) ((v)->evpr = (value))
#define spr_write_dbsr(v, value) ((v)->dbsr &= ~(value))

/* The reset field reads as zero: it has been obeyed. */
#define spr_write_dbcr0(v, value) ((v)->dbcr0 = (value) & ~DBCR0_RST)

uint32_t spr_write(struct vcpu *v, uint32_t number, uint32_t value)
{
    uint32_t offset = spr_offset(number);

    if (offset > NO_WORD) {
        return vcpu_program(v, ESR_PIL);
    }
    switch (number) {
#define WRITE_PLAIN(name, number, mask)
#define WRITE_LIVE(name, number, mask)
#define WRITE_COLD(name, number, mask)                                                                            \
    case number:                                                                                                  \
        spr_write_##name(v, value & mask);                                                                        \
        break;
#define WRITE_HOT WRITE_COLD
#define WRITE_MMU(name, number, mask) WRITE_TLB(name, number, mask)
#define WRITE_NEVER(name, number, mask)                                                                           \
    case number:                                                                                                  \
        return vcpu_program(v, ESR_PIL);
#define SPR(name, number, field, read, write, mask, manual) WRITE_##write(name, number, mask)
#include "spr.def"
#undef SPR
    default:
        if (offset < NO_WORD) {
            vcpu_save_live(v);
            *spr_word(v, offset) = value;
            vcpu_load_live(v);
        }
        break;
    }
    if (number == SPRN_DBCR0 && (value & DBCR0_RST) != 0) {
        vcpu_reset_request(v, (value & DBCR0_RST) >> 28, 0);
        return STAY;
    }
    return STEP;
}
