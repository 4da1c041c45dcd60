/*
 * spr.c: special purpose registers whose access has consequences, by the rows of config/spr.def.
 */
#include <stddef.h>

#include "cpu.h"
#include "emulate.h"
#include "timer.h"

/* The hot road's table (asm/emul_spr.S): the word's offset, with the number's three highest bits above it. */
extern const uint16_t spr_table[128];

/* The register's word, or a null pointer: the register is not there. *exists: its encoding is. */
static uint32_t *spr_word(struct vcpu *v, uint32_t number, bool *exists)
{
    uint32_t row = spr_table[(number & 31) << 2 | (number >> 5 & 3)] ^ (number >> 7) << 13;

    *exists = row <= offsetof(struct vcpu, none);
    return row < offsetof(struct vcpu, none) ? (uint32_t *)((uint8_t *)v + row) : 0;
}

static uint32_t spr_read_usprg0(struct vcpu *v)
{
    (void)v;
    return cpu_mfspr(SPRN_USPRG0);
}

static uint32_t spr_read_pvr(struct vcpu *v)
{
    (void)v;
    return cpu_mfspr(SPRN_PVR);
}

/* icread is not passed on: what the cache holds is the hypervisor's and every guest's. */
static uint32_t spr_read_icdbdr(struct vcpu *v)
{
    (void)v;
    return 0;
}

static uint32_t spr_read_tsr(struct vcpu *v)
{
    timer_sync(v, cpu_time());
    return v->tsr;
}

#define spr_read_pit timer_read_pit

static uint32_t spr_read_srr2(struct vcpu *v)
{
    (void)v;
    return cpu_mfspr(SPRN_SRR2);
}

static uint32_t spr_read_srr3(struct vcpu *v)
{
    (void)v;
    return cpu_mfspr(SPRN_SRR3);
}

uint32_t spr_read(struct vcpu *v, uint32_t number, uint32_t *value)
{
    bool exists;
    uint32_t *word = spr_word(v, number, &exists);

    switch (number) {
#define READ_PLAIN(name, number)
#define READ_COLD(name, number)                                                                                   \
    case number:                                                                                                  \
        *value = spr_read_##name(v);                                                                              \
        return STEP;
#define READ_NEVER(name, number)                                                                                  \
    case number:                                                                                                  \
        return vcpu_program(v, ESR_PIL);
#define SPR(name, number, field, read, write, mask, manual) READ_##read(name, number)
#include "spr.def"
#undef SPR
    default:
        break;
    }
    if (!exists) {
        return vcpu_program(v, ESR_PIL);
    }
    *value = word != 0 ? *word : 0;
    return STEP;
}

/* Only QEMU traps here: the chip lets even user mode write it. QEMU reads it back from SPRG0. */
static void spr_write_usprg0(struct vcpu *v, uint32_t value)
{
    (void)v;
    cpu_mtspr(SPRN_SPRG0, value);
}

/* User mode reads these four without a trap, so the machine's own follow. */
#define WRITE_SPRG(n)                                                                                             \
    static void spr_write_sprg##n(struct vcpu *v, uint32_t value)                                                 \
    {                                                                                                             \
        v->sprg##n = value;                                                                                       \
        cpu_mtspr(SPRN_SPRG##n, value);                                                                           \
    }
WRITE_SPRG(4)
WRITE_SPRG(5)
WRITE_SPRG(6)
WRITE_SPRG(7)

/* Every guest reads the machine's time base, so no guest may set it. */
static void spr_write_tbl(struct vcpu *v, uint32_t value)
{
    (void)v, (void)value;
}

#define spr_write_tbu spr_write_tbl
#define spr_write_tcr timer_write_tcr

static void spr_write_srr2(struct vcpu *v, uint32_t value)
{
    (void)v;
    cpu_mtspr(SPRN_SRR2, value);
}

static void spr_write_srr3(struct vcpu *v, uint32_t value)
{
    (void)v;
    cpu_mtspr(SPRN_SRR3, value);
}

static void spr_write_dbsr(struct vcpu *v, uint32_t value)
{
    v->dbsr &= ~value;
}

/* A reset goes through here: the caller sees that pc is no longer the instruction's. */
static void spr_write_dbcr0(struct vcpu *v, uint32_t value)
{
    v->dbcr0 = value & ~DBCR0_RST;
}

/* Hot ones come here in their rare cases. */
#define spr_write_tsr timer_write_tsr
#define spr_write_pit timer_write_pit

static void spr_write_pid(struct vcpu *v, uint32_t value)
{
    v->pid = value;
}

uint32_t spr_write(struct vcpu *v, uint32_t number, uint32_t value)
{
    bool exists;
    uint32_t *word = spr_word(v, number, &exists);

    switch (number) {
#define WRITE_PLAIN(name, number, mask)
#define WRITE_COLD(name, number, mask)                                                                            \
    case number:                                                                                                  \
        spr_write_##name(v, value & mask);                                                                        \
        break;
#define WRITE_HOT WRITE_COLD
#define WRITE_MASKED(name, number, mask)                                                                          \
    case number:                                                                                                  \
        *word = value & mask;                                                                                     \
        break;
#define WRITE_NEVER(name, number, mask)                                                                           \
    case number:                                                                                                  \
        return vcpu_program(v, ESR_PIL);
#define SPR(name, number, field, read, write, mask, manual) WRITE_##write(name, number, mask)
#include "spr.def"
#undef SPR
    default:
        if (!exists) {
            return vcpu_program(v, ESR_PIL);
        }
        if (word != 0) {
            *word = value;
        }
        break;
    }
    if (number == SPRN_DBCR0 && (value & DBCR0_RST) != 0) {
        vcpu_reset_request(v, (value & DBCR0_RST) >> 28);
        return STAY;
    }
    return STEP;
}
