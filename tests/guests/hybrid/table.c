/*
 * table.c: the functions of sites.S, patched or not: which they are is seen by their words, and what they do is the same.
 */
#include "hybridtest.h"

#define SPRG1 0x111
#define SPRG2 0x112

extern uint32_t site_off[], site_on[], site_msr[], site_tsr[], site_dccci[];

#define NOW(name) ((uint32_t)(name))

/* First word as built, words in all, what it needs. */
static const struct {
    uint32_t at, native, words, needs;
} sites[] = {
    {NOW(site_two), 0x38600001, 1, 0},
    {NOW(site_mfspr), MFSPR(3, SPRG2), 1, 0},
    {NOW(site_mtspr), MTSPR(SPRG2, 3), 1, 0},
    {NOW(site_off), 0x7C000146, 3, 0},
    {NOW(site_on), 0x7C008146, 5, 0},
    {NOW(site_msr), 0x7C600124, 10, 0},
    {NOW(site_tsr), MTSPR(TSR, 3), 2, FEATURE_TSR_STORE},
    {NOW(site_dccci), 0x7C001B8C, 1, 0},
};
#define SITES (sizeof(sites) / sizeof(sites[0]))

static uint32_t is_patched(uint32_t n)
{
    return (hybrid_sites >> n & 1) != 0 && has(FEATURE_PREVIRT) && (proteus_page_features() & sites[n].needs) == sites[n].needs;
}

/* The words of the code, and the word `previrt`. */
static void check_words(void)
{
    uint32_t count = 0;

    for (uint32_t n = 0; n < SITES; n++) {
        expect("patched", n, is_patched(n), *(volatile uint32_t *)sites[n].at != sites[n].native);
        count += has(FEATURE_PREVIRT) && (proteus_page_features() & sites[n].needs) == sites[n].needs ? sites[n].words : 0;
    }
    expect("previrt", 0, hybrid_refused ? hybrid_refused : count, proteus_page_previrt());
}

static void wait_pis(void)
{
    mtspr(PIT, 300);
    while (!(mfspr(TSR) & TSR_PIS)) {
    }
}

/* Enter a function, which ends at a trap instruction, with r3 = a. Gives the vector. */
static uint32_t enter(uint32_t function, uint32_t a, uint32_t msr)
{
    static const uint32_t trap = TRAP;
    static struct machine m;

    for (uint32_t i = 0; i < 32; i++) {
        m.gpr[i] = random_word();
    }
    m.gpr[3] = a;
    m.lr = PREY;
    code_at(PREY, &trap, 1);
    return run_code(&m, function, msr);
}

/* Ends at the trap with this MSR. */
static void gives_msr(uint32_t function, uint32_t a, uint32_t from, uint32_t to)
{
    expect("end of a site", function, 0x700, enter(function, a, from));
    expect("address of the end", function, PREY, mfspr(SRR0));
    expect("MSR behind a site", function, to, mfspr(SRR1));
}

/* The same with an interrupt that waits: it comes inside, with the new MSR. */
static void interrupted(uint32_t function, uint32_t words, uint32_t a, uint32_t from, uint32_t to)
{
    expect("vector in a site", function, 0x1000, enter(function, a, from));
    if (mfspr(SRR0) <= function || mfspr(SRR0) > function + 4 * words) {
        fail("interrupt of a site", function, function + 4 * words, mfspr(SRR0));
    }
    expect("MSR of the interrupt", function, to, mfspr(SRR1));
}

static void check_msr(uint32_t off, uint32_t on, uint32_t msr)
{
    const uint32_t ee = MSR_ME | MSR_EE;

    gives_msr(off, random_word(), ee, MSR_ME);
    gives_msr(off, random_word(), MSR_ME, MSR_ME);
    gives_msr(on, random_word(), MSR_ME, ee);
    gives_msr(on, random_word(), ee, ee);
    gives_msr(msr, MSR_ME, ee, MSR_ME);
    gives_msr(msr, ee, MSR_ME, ee);
    gives_msr(msr, MSR_ME | MSR_CE | MSR_DE, MSR_ME, MSR_ME | MSR_CE | MSR_DE);
    mtspr(TCR, TCR_PIE);
    wait_pis();
    gives_msr(off, random_word(), MSR_ME, MSR_ME);
    gives_msr(msr, MSR_ME | MSR_CE, MSR_ME, MSR_ME | MSR_CE);
    interrupted(on, 5, random_word(), MSR_ME, ee);
    interrupted(msr, 10, ee, MSR_ME, ee);
    interrupted(msr, 10, ee | MSR_CE, MSR_ME, ee | MSR_CE);
    mtspr(TCR, 0);
    mtspr(TSR, TSR_PIS);
}

static void check_effects(void)
{
    uint32_t value = random_word();

    expect("site_two", 0, is_patched(0) ? 2 : 1, site_two());
    site_mtspr(value);
    expect("site_mtspr", 0, value, mfspr(SPRG2));
    expect("site_mtspr by page", 0, value, proteus_mfsprg2());
    expect("site_mfspr", 0, value, site_mfspr());
    check_msr((uint32_t)site_off, (uint32_t)site_on, (uint32_t)site_msr);
    wait_pis();
    gives_msr((uint32_t)site_tsr, TSR_PIS, MSR_ME, MSR_ME);
    expect("site_tsr", 0, 0, mfspr(TSR) & TSR_PIS);
    gives_msr((uint32_t)site_dccci, BUFFER, MSR_ME, MSR_ME);
}

/* What traps is counted (option STATS); what is patched does not. */
static void check_count(void)
{
    uint32_t before, after;

    if (proteus_vm_stat(HCALL_STAT_MFSPR, &before) == 0) {
        for (uint32_t i = 0; i < 50; i++) {
            site_mfspr();
        }
        (void)proteus_vm_stat(HCALL_STAT_MFSPR, &after);
        expect("traps", 0, is_patched(1) ? 0 : 50, after - before);
    }
}

/* The guest changes patched code, moves it, and puts the original back. */
static void change(void)
{
    static const uint32_t off[] = {0x7C000146, NOP, NOP}, on[] = {0x7C008146, NOP, NOP, NOP, NOP};
    const uint32_t mfsprg1 = MFSPR(3, SPRG1), two = 0x38600007, was = *(volatile uint32_t *)site_two;
    uint32_t moved[3][16];

    code_at((uint32_t)site_mfspr, &mfsprg1, 1);
    mtspr(SPRG1, 0x12345678);
    expect("site_mfspr, changed", 0, 0x12345678, site_mfspr());
    code_at((uint32_t)site_two, &two, 1);
    expect("site_two, changed", 0, 7, site_two());
    code_at((uint32_t)site_two, &was, 1);
    expect("site_two, as it was", 0, is_patched(0) ? 2 : 1, site_two());
    for (uint32_t i = 0; i < 16; i++) {
        moved[0][i] = site_off[i];
        moved[1][i] = site_on[i];
        moved[2][i] = site_msr[i];
    }
    code_at(BUFFER + 0x100, moved[0], 16);
    code_at(BUFFER + 0x200, moved[1], 16);
    code_at(BUFFER + 0x300, moved[2], 16);
    check_msr(BUFFER + 0x100, BUFFER + 0x200, BUFFER + 0x300);
    code_at((uint32_t)site_off, off, 3); /* partly patched */
    check_msr((uint32_t)site_off, (uint32_t)site_on, (uint32_t)site_msr);
    code_at((uint32_t)site_on, on, 5);
    check_msr((uint32_t)site_off, (uint32_t)site_on, (uint32_t)site_msr);
}

void table(void)
{
    check_words();
    check_effects();
    check_count();
    change();
}
