/*
 * optimize.c: see optimize.h.
 *
 * One word takes the place of what reads or writes one word of the register pages; what needs more is a branch to a stub, which
 * keeps a register in the word `reserved` of the writable page. Stubs are on the page that the guest can only read. An interrupt
 * that a guest takes within one finds it done, or not begun (optimize_roll): one is under way at most, and one such word does.
 */
#include "optimize.h"

#include <stddef.h>

#include "emulate.h"
#include "memory.h"
#include "page.h"
#include "partition.h"
#include "roads.h"
#include "tlb.h"

#define NOT_AGAIN 0U /* as a site's word: what was there is there again */
#define NEVER     0U /* traps to the next look: as many as there are numbers */

/*
 * Traps to the next look, when the last one was worth it, and when it was in vain. Not a constant number: a guest's loops have
 * one, too, and what they execute would be met always, or never.
 */
#define SOON ((cpu_time() & 7) + 8)
#define LATE ((cpu_time() & 31) + 32)
#define NO_PAGE   1U /* of no instruction */

/* ---- instructions ---- */

#define WITHOUT_RT  0xFC1FFFFFU /* rT or rS */
#define WITHOUT_SPR 0xFC0007FFU /* and the register's number, or rA and rB */
#define WITHOUT_E   0xFFFF7FFFU

#define MFMSR    0x7C0000A6U
#define MTMSR    0x7C000124U
#define MFSPR    0x7C0002A6U
#define MTSPR    0x7C0003A6U
#define WRTEE    0x7C000106U
#define WRTEEI_0 0x7C000146U
#define WRTEEI_1 0x7C008146U
#define DCCCI    0x7C00038CU

/* rS, rA, rB and the like; `address` is one that a signed 16-bit number reaches, or a branch without a base. */
#define LWZ(t, address) (0x80000000U | (t) << 21 | ((address) & 0xFFFF))
#define STW(s, address) (0x90000000U | (s) << 21 | ((address) & 0xFFFF))
#define STB(s, address) (0x98000000U | (s) << 21 | ((address) & 0xFFFF))
#define XOR(a, s, b)    (0x7C000278U | (s) << 21 | (a) << 16 | (b) << 11)
#define AND(a, s, b)    (0x7C000038U | (s) << 21 | (a) << 16 | (b) << 11)
#define ANDC(a, s, b)   (0x7C000078U | (s) << 21 | (a) << 16 | (b) << 11)
#define ORI(a, s, ui)   (0x60000000U | (s) << 21 | (a) << 16 | (ui))
#define ROTATED(sh, mb, me)        ((sh) << 11 | (mb) << 6 | (me) << 1)
#define RLWINM(a, s, sh, mb, me)   (0x54000000U | (s) << 21 | (a) << 16 | ROTATED(sh, mb, me))
#define RLWIMI(a, s, sh, mb, me)   (0x50000000U | (s) << 21 | (a) << 16 | ROTATED(sh, mb, me))
#define TWI_GREATER(a, si)         (0x0C200000U | (a) << 16 | (si))
#define BA(address)                (0x48000002U | ((address) & 0x03FFFFFC))
#define BA_REACHES(address)        ((address) + 0x02000000U < 0x04000000U)

/* Smaller than what must trap, and not PAGE_CHECK or PAGE_MODE (hypercalls/abi.h): these two are C's. */
#define TRAP_CHECK 0x700U
#define TRAP_MODE  0x310U

/* Where the guest sees a word of its register file. */
#define SEEN(v, field) (PAGE_OF(v) + offsetof(struct vcpu, field) - offsetof(struct vcpu, version))

/* The load or store that does the same as mfspr or mtspr; 0: none does. */
static uint32_t spr_access(const struct vcpu *v, uint32_t insn)
{
    uint32_t offset = spr_offset(INSN_SPR(insn));
    uint32_t address = SEEN(v, gpr) + offset;

    if ((insn & WITHOUT_SPR) == MTSPR) {
        if (!IS_ENABLED(CONFIG_TLB_VIRT) && offset == offsetof(struct vcpu, pid)) {
            return STB(INSN_RT(insn), address + 3);
        }
        return offset < offsetof(struct vcpu, plain_end) ? STW(INSN_RT(insn), address) : 0;
    }
    return offset < offsetof(struct vcpu, pit) && offset != offsetof(struct vcpu, tsr) ? LWZ(INSN_RT(insn), address) : 0;
}

/* The one word that does the same as `insn`; 0: there is none. */
static uint32_t one_word(const struct vcpu *v, uint32_t insn)
{
    if ((insn & WITHOUT_RT) == MFMSR) {
        return LWZ(INSN_RT(insn), SEEN(v, msr));
    }
    if ((insn & WITHOUT_SPR) == MFSPR || (insn & WITHOUT_SPR) == MTSPR) {
        return spr_access(v, insn);
    }
    return (insn & WITHOUT_SPR) == DCCCI ? STW(0U, SEEN(v, reserved)) : 0; /* nothing; but it is seen in user state */
}

/* ---- stubs ---- */

/* The last word of a stub: the address of its site, and whether it is done behind six words, or four. */
#define STUB_INFO       (STUB_WORDS - 1)
#define INFO_FROM(info) ((info) & ~3U)
#define INFO_DONE(info) (((info) & 1) != 0 ? 6U : 4U)

#define IS_MTMSR(insn) (((insn) & WITHOUT_RT) == MTMSR)
#define IS_WRTEE(insn) (((insn) & WITHOUT_RT) == WRTEE)
#define MTSPR_TSR      (MTSPR | (SPRN_TSR & 31) << 16 | SPRN_TSR >> 5 << 11)
#define IS_TSR(insn)   (!IS_ENABLED(CONFIG_FIT_WATCHDOG) && ((insn) & WITHOUT_RT) == MTSPR_TSR)

static bool has_stub(uint32_t insn)
{
    return IS_MTMSR(insn) || IS_WRTEE(insn) || (insn & WITHOUT_E) == WRTEEI_0 || IS_TSR(insn);
}

/* The sequences of previrt/README.md, with a register that is kept: 0, or 3 where `insn` names 0. */
static void write_stub(const struct vcpu *v, uint32_t *word, uint32_t from, uint32_t insn)
{
    uint32_t s = INSN_RT(insn);
    uint32_t t = s == 0 ? 3 : 0;
    uint32_t n = 0;

    word[n++] = STW(t, SEEN(v, reserved));
    word[n++] = LWZ(t, IS_TSR(insn) ? SEEN(v, tsr) : SEEN(v, msr));
    if (IS_MTMSR(insn)) {
        word[n++] = XOR(t, t, s);
        word[n++] = RLWINM(t, t, 6U, 11U, 9U);
        word[n++] = TWI_GREATER(t, TRAP_MODE);
    } else {
        word[n++] = IS_TSR(insn)        ? ANDC(t, t, s)
                    : insn == WRTEEI_0 ? RLWINM(t, t, 0U, 17U, 15U)
                    : insn == WRTEEI_1 ? ORI(t, t, MSR_EE)
                                       : RLWIMI(t, s, 0U, 16U, 16U);
    }
    word[n++] = IS_TSR(insn) ? STW(t, SEEN(v, tsr)) : STW(IS_MTMSR(insn) ? s : t, SEEN(v, msr));
    if (insn != WRTEEI_0 && !IS_TSR(insn)) {
        word[n++] = LWZ(t, SEEN(v, pending));
        if (insn != WRTEEI_1) {
            word[n++] = AND(t, t, s);
        }
        word[n++] = TWI_GREATER(t, TRAP_CHECK);
    }
    word[n++] = LWZ(t, SEEN(v, reserved));
    word[n++] = BA(from + 4);
    word[STUB_INFO] = from | IS_MTMSR(insn);
    for (n = 0; n < STUB_WORDS; n++) {
        cpu_dcbf((uint32_t)(uintptr_t)&word[n]);
    }
}

bool optimize_in_stub(const struct vcpu *v)
{
    return STUB_COUNT != 0 && (v->pc & ~(BOARD_PAGE_MIN - 1U)) == v->stub_page;
}

/* pc is where its instruction was, or behind that; NONE: it came there by itself. */
enum rolled { NONE, BACK, DONE };

static enum rolled roll(struct vcpu *v)
{
    uint32_t offset = v->pc - SEEN(v, stub);
    const uint32_t *stub = v->stub[0] + offset / (4 * STUB_WORDS) * STUB_WORDS;
    uint32_t next = offset / 4 % STUB_WORDS;
    enum rolled rolled;

    if (!optimize_in_stub(v) || offset >= v->stub_count * 4 * STUB_WORDS) {
        return NONE;
    }
    if (next != 0) {
        v->gpr[INSN_RT(stub[0])] = v->reserved[0];
    }
    rolled = next >= INFO_DONE(stub[STUB_INFO]) ? DONE : BACK;
    v->pc = INFO_FROM(stub[STUB_INFO]) + (rolled == DONE ? 4 : 0);
    return rolled;
}

void optimize_roll(struct vcpu *v)
{
    roll(v);
}

/* ---- sites ---- */

/* What is fetched is what is there. */
static void rewrite(const struct vcpu *v, uint32_t at, uint32_t word)
{
    cpu_write32(at + v->ram_offset, word);
    cpu_dcbf(at + v->ram_offset);
    cpu_sync();
    cpu_iccci();
    cpu_isync();
}

void optimize_reset(struct vcpu *v)
{
    bool on = (vm_config[vcpu_index(v)].flags & FEATURE_OPTIMIZE) != 0;

    v->site_count = 0;
    v->stub_count = 0;
    v->site_limit = on ? CONFIG_OPTIMIZE_SITES : 0;
    v->site_turn = on ? SOON : NEVER;
    v->stub_page = on ? PAGE_OF(v) : NO_PAGE;
}

/* The guest may have written something else since. */
static void undo(const struct vcpu *v, struct site *site)
{
    if (site->word != NOT_AGAIN && cpu_read32(site->at + v->ram_offset) == site->new) {
        rewrite(v, site->at, site->word);
    }
    site->word = NOT_AGAIN;
}

void optimize_end(struct vcpu *v)
{
    uint32_t i;

    for (i = 0; i < v->site_count; i++) {
        undo(v, &v->site[i]);
    }
    v->site_count = 0;
    v->site_limit = 0;
    v->site_turn = NEVER;
}

/* The site at v->pc, or the next free one; a null pointer if its instruction is not in the VM's RAM, or there are too many. */
static struct site *site_of_pc(struct vcpu *v)
{
    uint32_t at = v->pc, i = 0, esr;

    if (tlb_translate(v, TLB_FETCH, &at, &esr) != 0 || !memory_contains(v, at)) {
        return 0;
    }
    while (i < v->site_count && v->site[i].at != at) {
        i++;
    }
    if (i == v->site_limit) {
        return 0;
    }
    v->site[i].at = at;
    return &v->site[i];
}

static bool is_new(const struct vcpu *v, const struct site *site)
{
    return site == &v->site[v->site_count];
}

bool optimize_shows(const struct vcpu *v, uint32_t address)
{
    return optimize_is_on(v) && (v->msr & MSR_PR) != 0 && VCPU_PAGE_AT(v, address);
}

bool optimize_undo(struct vcpu *v)
{
    struct site *site = site_of_pc(v);

    if (site == 0 || is_new(v, site) || site->word == NOT_AGAIN) {
        return false;
    }
    undo(v, site);
    return true;
}

/* What is to stand at v->pc in place of `insn`; 0: that. */
static uint32_t replacement(struct vcpu *v, uint32_t insn)
{
    uint32_t word = one_word(v, insn);

    if (word == 0 && has_stub(insn) && (int)v->stub_count < STUB_COUNT && BA_REACHES(v->pc + 4)) {
        word = BA(SEEN(v, stub) + v->stub_count * 4 * STUB_WORDS);
        write_stub(v, v->stub[v->stub_count], v->pc, insn);
        v->stub_count++;
    }
    return word;
}

struct vcpu *optimize(struct vcpu *v)
{
    uint32_t insn = memory_fetch(v);
    struct site *site = site_of_pc(v);

    v->site_turn = v->site_count < v->site_limit ? LATE : NEVER;
    if (site == 0 || (!is_new(v, site) && site->word == NOT_AGAIN) || !tlb_is_private(v, v->pc)) {
        return v;
    }
    site->new = replacement(v, insn);
    if (site->new != 0) {
        v->site_count += is_new(v, site);
        site->word = insn;
        v->site_turn = SOON;
        rewrite(v, site->at, site->new);
    }
    return v;
}

bool optimize_fetched(struct vcpu *v)
{
    return optimize_in_stub(v) && (v->pc - SEEN(v, stub)) % (4 * STUB_WORDS) == 0 && roll(v) == BACK && optimize_undo(v);
}

uint32_t optimize_trapped(struct vcpu *v)
{
    enum rolled rolled = roll(v);

    if (rolled == NONE) {
        return vcpu_program(v, ESR_PIL);
    }
    if (rolled == BACK) { /* more than EE changes by this mtmsr, and so it may each time: it traps, from now on */
        optimize_undo(v);
    }
    return STAY;
}
