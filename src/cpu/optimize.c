/*
 * optimize.c: see optimize.h.
 *
 * One word takes the place of what reads or writes one word of the register pages; what needs more is a branch to a stub, which
 * keeps a register in the word `reserved` of the writable page. An interrupt that a guest takes within one finds it done, or not
 * begun (optimize_roll): one is under way at most, and one such word does.
 *
 * Stubs are on the page that the guest can only read. With option TLB_VIRT they are on a page of its memory, which it reaches at
 * one address with translation and at another without, as far from its code both times: branches to and fro are relative. What it
 * writes there is its own loss; where a stub belongs to is in the register file. Its first word may be where its page is not in
 * the guest's TLB: nothing is under way there, and its handler has to see that address. Of the words behind it none can miss.
 */
#include "optimize.h"

#include <stddef.h>

#include "emulate.h"
#include "memory.h"
#include "page.h"
#include "partition.h"
#include "roads.h"
#include "tlb.h"

#define NOT_AGAIN 0U /* as a site's word: what was there is there again; and as the new one, if nothing else ever was: */
#define ONLY_SEEN 0U /* a place that has been looked at once. Most are not met again, and make room; who is, becomes a site */
#define NEVER     0U /* traps to the next look: as many as there are numbers */
#define NOWHERE   1U /* as a site's address: none */

/* Places that are remembered: where one may be is said by its address. What is looked for is found in few steps, or not there. */
#define WAYS  8U
#define SITES (CONFIG_OPTIMIZE_SITES / WAYS * WAYS)
#define UNUSED_WAYS (STUBS_OF_GUEST ? WAYS * 3 / 4 : 0) /* what has translation is large, and only once where it begins */
#define AT_ONCE 64U /* of them, undone without a look at interrupts */

static struct sites {
    struct site {
        uint32_t at, word, new; /* guest-physical; what was there, and what is */
    } site[SITES];
    uint32_t info[STUB_COUNT]; /* of each stub: INFO_* */
} sites[SITES_ROWS];

static struct sites *sites_of(const struct vcpu *v)
{
    return &sites[vm_config[vcpu_index(v)].sites];
}

/*
 * Traps to the next look, when the last one found something, and when it was in vain. Not a constant number: a guest's loops have
 * one, too, and what they execute would be met always, or never.
 */
#define SOON ((cpu_time() & 7) + 8)
#define LATE ((cpu_time() & 31) + 32)

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
#define BRANCH(offset)             (0x48000000U | ((offset) & 0x03FFFFFC))
#define BRANCH_REACHES(offset)     ((offset) + 0x02000000U < 0x04000000U)
#define AA                         2U /* absolute: the offset is the address */

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

/* Of a stub: how far its site is from the first, whether it is done behind six words, or four, and which register it keeps. */
#define INFO_FROM(info) ((info) & ~3U)
#define INFO_DONE(info) (((info) & 1) != 0 ? 6U : 4U)
#define INFO_KEPT(info) (((info) & 2) != 0 ? 3U : 0U)

#define IS_MTMSR(insn) (((insn) & WITHOUT_RT) == MTMSR)
#define IS_WRTEE(insn) (((insn) & WITHOUT_RT) == WRTEE)
#define MTSPR_TSR      (MTSPR | (SPRN_TSR & 31) << 16 | SPRN_TSR >> 5 << 11)
#define IS_TSR(insn)   (!IS_ENABLED(CONFIG_FIT_WATCHDOG) && ((insn) & WITHOUT_RT) == MTSPR_TSR)

static bool has_stub(uint32_t insn)
{
    return IS_MTMSR(insn) || IS_WRTEE(insn) || (insn & WITHOUT_E) == WRTEEI_0 || IS_TSR(insn);
}

/* The address of the first stub, where the guest is, or is to be. */
static uint32_t stubs_base(const struct vcpu *v)
{
    if (!STUBS_OF_GUEST) {
        return SEEN(v, stub);
    }
    return (v->msr & MSR_IR) != 0 ? v->stub_page : v->stub_real;
}

/* From the instruction at `from` to `to`. */
static uint32_t branch(uint32_t from, uint32_t to)
{
    return STUBS_OF_GUEST ? BRANCH(to - from) : BRANCH(to) | AA;
}

/* There and back. */
static bool reaches(const struct vcpu *v)
{
    if (STUBS_OF_GUEST) {
        uint32_t away = stubs_base(v) - v->pc;

        return v->stub_page != NO_STUBS && BRANCH_REACHES(away) && BRANCH_REACHES(away + STUB_AREA);
    }
    return BRANCH_REACHES(v->pc + 4);
}

/* The words of the next stub. */
static void put_stub(struct vcpu *v, const uint32_t *word, uint32_t count)
{
    uint32_t stub = v->stub_count, n;

    for (n = 0; n < count; n++) { /* loop: STUB_WORDS */
        if (STUBS_OF_GUEST) {
            uint32_t at = v->stub_real + v->ram_offset + 4 * (stub * STUB_WORDS + n);

            cpu_write32(at, word[n]);
            cpu_dcbf(at);
        } else {
            v->stub[stub][n] = word[n];
            cpu_dcbf((uint32_t)(uintptr_t)&v->stub[stub][n]);
        }
    }
}

/* The next stub, for the instruction at v->pc: the sequences of previrt/README.md, with a register that is kept. Its address. */
static uint32_t add_stub(struct vcpu *v, uint32_t insn)
{
    uint32_t word[STUB_WORDS];
    uint32_t at = stubs_base(v) + v->stub_count * 4 * STUB_WORDS;
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
    word[n] = branch(at + 4 * n, v->pc + 4);
    put_stub(v, word, n + 1);
    sites_of(v)->info[v->stub_count] = (v->pc - stubs_base(v)) | (t != 0 ? 2 : 0) | IS_MTMSR(insn);
    v->stub_count++;
    return at;
}

/* In words, from the first of all stubs; behind the last: pc is not in one. */
static uint32_t stub_word(const struct vcpu *v)
{
    uint32_t word = (v->pc - stubs_base(v)) / 4;

    return v->stub_page != NO_STUBS && word < v->stub_count * STUB_WORDS ? word : ~0U;
}

bool optimize_in_stub(const struct vcpu *v)
{
    if (STUBS_OF_GUEST) {
        return (v->msr & MSR_PR) == 0 && stub_word(v) != ~0U;
    }
    return STUB_COUNT != 0 && (v->pc & ~(STUB_AREA - 1)) == v->stub_page;
}

/* pc is where its instruction was, or behind that; NONE: it came there by itself, or has done nothing of it. */
enum rolled { NONE, BACK, DONE };

static enum rolled roll(struct vcpu *v)
{
    uint32_t word = stub_word(v), next = word % STUB_WORDS, info;
    enum rolled rolled;

    if (!optimize_in_stub(v) || word == ~0U || (STUBS_OF_GUEST && next == 0)) {
        return NONE;
    }
    info = sites_of(v)->info[word / STUB_WORDS];
    if (next != 0) {
        v->gpr[INFO_KEPT(info)] = v->reserved[0];
    }
    rolled = next >= INFO_DONE(info) ? DONE : BACK;
    v->pc = stubs_base(v) + INFO_FROM(info) + (rolled == DONE ? 4 : 0);
    return rolled;
}

/* User state was led to a stub by what is a site: to there. */
static void leave_stub(struct vcpu *v)
{
    uint32_t word = stub_word(v);

    if ((v->msr & MSR_PR) != 0 && word != ~0U && word % STUB_WORDS == 0) {
        v->pc = stubs_base(v) + INFO_FROM(sites_of(v)->info[word / STUB_WORDS]);
    }
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
    uint32_t i;

    for (i = 0; i < SITES && on; i++) { /* loop: CONFIG_OPTIMIZE_SITES */
        sites_of(v)->site[i].at = NOWHERE;
    }
    v->stub_count = 0;
    v->site_limit = on ? SITES : 0;
    v->site_turn = on ? SOON : NEVER;
    v->stub_page = on ? STUBS_AT(&vm_config[vcpu_index(v)]) : NO_STUBS;
    v->stub_real = on ? STUBS_GUEST(&vm_config[vcpu_index(v)]) : NO_STUBS;
    v->stub_near = v->stub_page != NO_STUBS ? v->stub_page & STUB_NEAR : NO_STUBS;
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
    uint32_t left;

    for (left = AT_ONCE; left != 0 && v->site_limit != 0; left--) { /* loop: AT_ONCE */
        struct site *site = &sites_of(v)->site[--v->site_limit];

        if (site->at != NOWHERE) {
            undo(v, site);
        }
    }
    v->site_turn = NEVER;
}

/* Where the instruction at v->pc is in the VM's RAM; false: it is not, or nowhere. */
static bool place_of_pc(struct vcpu *v, uint32_t *at)
{
    uint32_t esr;

    *at = v->pc;
    return tlb_translate(v, TLB_FETCH, at, &esr) == 0 && memory_contains(v, *at);
}

/* The places that may be where this one would: WAYS of them. */
static struct site *set_of(const struct vcpu *v, uint32_t at)
{
    return &sites_of(v)->site[at / 4 % (SITES / WAYS) * WAYS];
}

/* The site there, or a null pointer. */
static struct site *find(const struct vcpu *v, uint32_t at)
{
    struct site *site = set_of(v, at);
    uint32_t way;

    for (way = 0; way < WAYS; way++, site++) { /* loop: WAYS */
        if (site->at == at) {
            return site;
        }
    }
    return 0;
}

static bool is_seen(const struct site *site)
{
    return site->at != NOWHERE && site->word == NOT_AGAIN && site->new == ONLY_SEEN;
}

/*
 * For one more place: a free way, and until there are few of them as if it had been seen before; or that of a place that is seen
 * only. A null pointer: it has to come again, or all are sites.
 */
static struct site *note(const struct vcpu *v, uint32_t at)
{
    struct site *set = set_of(v, at), *found = 0;
    uint32_t way, any = cpu_time(), free = 0;

    for (way = 0; way < WAYS; way++) { /* loop: WAYS */
        struct site *site = &set[(way + any) % WAYS];

        if (site->at == NOWHERE) {
            free++;
            found = site;
        } else if (found == 0 && is_seen(site)) {
            found = site;
        }
    }
    if (found != 0) {
        *found = (struct site){ at, NOT_AGAIN, ONLY_SEEN };
    }
    return free > UNUSED_WAYS ? found : 0;
}

bool optimize_shows(const struct vcpu *v, uint32_t address)
{
    return optimize_is_on(v) && (v->msr & MSR_PR) != 0 && VCPU_PAGE_AT(v, address);
}

bool optimize_undo(struct vcpu *v)
{
    struct site *site;
    uint32_t at;

    if (!optimize_is_on(v)) {
        return false;
    }
    leave_stub(v);
    site = place_of_pc(v, &at) ? find(v, at) : 0;
    if (site == 0 || site->word == NOT_AGAIN) {
        return false;
    }
    undo(v, site);
    return true;
}

/* What is to stand at v->pc in place of `insn`; 0: that. */
static uint32_t replacement(struct vcpu *v, uint32_t insn)
{
    uint32_t word = one_word(v, insn);

    if (word == 0 && has_stub(insn) && (int)v->stub_count < STUB_COUNT && reaches(v)) {
        word = branch(v->pc, add_stub(v, insn));
    }
    return word;
}

struct vcpu *optimize(struct vcpu *v)
{
    uint32_t insn = memory_fetch(v), at, word;
    struct site *site;

    v->site_turn = LATE;
    if (!place_of_pc(v, &at) || !tlb_is_private(v, v->pc)) {
        return v;
    }
    site = find(v, at);
    if (site == 0) {
        site = note(v, at);
        v->site_turn = SOON;
    }
    if (site != 0 && (site->word != NOT_AGAIN || is_seen(site)) && (word = replacement(v, insn)) != 0) {
        site->word = insn;
        site->new = word;
        v->site_turn = SOON;
        rewrite(v, at, word);
    }
    return v;
}

bool optimize_fetched(struct vcpu *v)
{
    return !STUBS_OF_GUEST && optimize_undo(v);
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
