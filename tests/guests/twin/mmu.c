/*
 * mmu.c: what the TLB holds before a probe, and scans of translated accesses: sizes, TIDs, zones, and random ones.
 *
 * Two things keep bare QEMU 7.2 comparable: word 1 of an entry is written before word 0, and a write to ZPR has a write to
 * PID that changes it behind it. Entries never overlap, which is undefined on the chip. A field of a line, besides those
 * of twin.c:
 *
 *   tN uN iN  entry N: word 0, word 1 without its attributes, TID     at, w  the first word of the data pages that has
 *   pid zpr                                                                  changed, and its value
 */
#include "twin.h"

#define SPR_PID 0x3B1
#define SPR_ZPR 0x3B0
#define MSR_PR  0x4000u
#define MSR_IR  0x20u
#define MSR_DR  0x10u
#define ENTRIES 64u
#define VALID   0x40u
#define EX      0x200u
#define WR      0x100u
#define K4      1u
#define SMALLEST (BOARD_PAGE_MIN == 1024 ? 0u : K4) /* size of page; QEMU 7.2 has none below 4 KiB */
#define INVALID (K4 << 7)
#define LO_KNOWN 0xFFFFFF00u /* of word 1: QEMU 7.2 does not give back the rest */

/* The code's own entry, and the zone of its own that it is in: open to all. */
#define CODE_ENTRY (ENTRIES - 1)
#define CODE_ZONE  15u
#define CODE_OPEN  3u

enum { LOAD, STORE, FETCH, KINDS };

#define mtspr(number, value) __asm__ volatile("mtspr %0, %1" ::"i"(number), "r"(value) : "memory")
#define mfspr(number)                                                                                             \
    ({                                                                                                            \
        uint32_t value_;                                                                                          \
        __asm__ volatile("mfspr %0, %1" : "=r"(value_) : "i"(number));                                            \
        value_;                                                                                                   \
    })

static struct state *const in = (struct state *)PROBE_IN;

/* As it was before the probe. */
static struct {
    uint32_t hi[ENTRIES], lo[ENTRIES], tid[ENTRIES], pid, zpr;
} before;

/* ---- the data pages ---- */

#define FETCH_AT 0x10u /* in each page: li r3, number; sc */
#define STORE_AT 0x20u
#define LAST     0xFFCu /* nop, for going on from page to page */
#define CHECKED  7

static const uint32_t checked_at[CHECKED] = {0, 4, 8, STORE_AT, 0x24, 0xFF8, LAST};

static uint32_t word_of(uint32_t page, uint32_t at)
{
    return at == LAST ? 0x60000000u : 0xDA000000u | page << 16 | at;
}

static volatile uint32_t *place_of(uint32_t page, uint32_t at)
{
    return (volatile uint32_t *)(DATA + 0x1000 * page + at);
}

static void fill_pages(void)
{
    for (uint32_t page = 0; page < DATA_PAGES; page++) {
        for (uint32_t i = 0; i < CHECKED; i++) {
            *place_of(page, checked_at[i]) = word_of(page, checked_at[i]);
        }
        *place_of(page, FETCH_AT) = 0x38600000u | page;
        *place_of(page, FETCH_AT + 4) = 0x44000002;
        flush((const uint32_t *)place_of(page, FETCH_AT), 2);
    }
}

static void put_changed_pages(void)
{
    int found = 0;

    for (uint32_t page = 0; page < DATA_PAGES; page++) {
        for (uint32_t i = 0; i < CHECKED; i++) {
            volatile uint32_t *place = place_of(page, checked_at[i]);

            if (*place != word_of(page, checked_at[i])) {
                if (!found) {
                    put_field("at", (uint32_t)place, 8);
                    put_field("w", *place, 8);
                }
                found = 1;
                *place = word_of(page, checked_at[i]);
            }
        }
    }
}

/* ---- the TLB ---- */

static void write_entry(uint32_t index, uint32_t hi, uint32_t lo, uint32_t tid)
{
    mtspr(SPR_PID, tid);
    __asm__ volatile("tlbwe %1, %2, 1\n tlbwe %0, %2, 0" ::"r"(hi), "r"(lo), "r"(index) : "memory");
}

static void read_entry(uint32_t index, uint32_t *hi, uint32_t *lo, uint32_t *tid)
{
    __asm__ volatile("tlbre %0, %2, 0\n tlbre %1, %2, 1" : "=&r"(*hi), "=r"(*lo) : "r"(index));
    *lo &= LO_KNOWN;
    *tid = mfspr(SPR_PID);
}

/* A change of PID for every change of ZPR; rfi takes note of it. */
static void set_zpr(uint32_t zpr, uint32_t pid)
{
    mtspr(SPR_ZPR, zpr);
    mtspr(SPR_PID, pid ^ 1);
    mtspr(SPR_PID, pid);
}

void mmu_clear(void)
{
    for (uint32_t i = 0; i < ENTRIES; i++) {
        write_entry(i, INVALID, 0, 0);
        before.hi[i] = INVALID;
        before.lo[i] = before.tid[i] = 0;
    }
    set_zpr(0, 0);
    fill_pages();
}

void mmu_set_up(const struct setup *setup)
{
    for (uint32_t i = 0; i < setup->count; i++) {
        uint32_t index = setup->entry[i].index;

        before.hi[index] = setup->entry[i].hi;
        before.lo[index] = setup->entry[i].lo & LO_KNOWN;
        before.tid[index] = setup->entry[i].tid;
        write_entry(index, setup->entry[i].hi, setup->entry[i].lo, setup->entry[i].tid);
    }
    before.zpr = setup->zpr;
    before.pid = setup->pid;
    set_zpr(setup->zpr, setup->pid);
}

static void put_indexed(const char *name, uint32_t index, uint32_t old, uint32_t now, int digits)
{
    if (old != now) {
        put_text(" ");
        put_text(name);
        put_hex(index, 2);
        put_text("=");
        put_hex(now, digits);
    }
}

/* Prints what has changed, and takes it back. */
void mmu_put_changes(const struct setup *setup)
{
    (void)setup;
    put_if_changed("pid", before.pid, mfspr(SPR_PID));
    put_if_changed("zpr", before.zpr, mfspr(SPR_ZPR));
    put_changed_pages();
    for (uint32_t i = 0; i < ENTRIES; i++) {
        uint32_t hi, lo, tid;

        read_entry(i, &hi, &lo, &tid);
        put_indexed("t", i, before.hi[i], hi, 8);
        put_indexed("u", i, before.lo[i], lo, 8);
        put_indexed("i", i, before.tid[i], tid, 2);
        if (hi != INVALID || lo != 0 || tid != 0) {
            write_entry(i, INVALID, 0, 0);
        }
        before.hi[i] = INVALID;
        before.lo[i] = before.tid[i] = 0;
    }
}

/* ---- one access ---- */

#define LOADS  6u
#define STORES 6u

/* rT = 4, rA = 3, rB = 6 (STORE_AT) or what D says; all reach a word that is checked. */
static const uint32_t loads[LOADS] = {0x80830000, 0x88830001, 0xA0830002, 0x84830004, 0x7C83302E, 0x7C83342C};
static const uint32_t stores[STORES] = {0x90A30020, 0x98A30021, 0xB0A30022, 0x94A30024, 0x7CA3312E, 0x7CA3352C};

static uint32_t code_lo(void)
{
    return SNIPPET | EX | WR | CODE_ZONE << 4;
}

static void access(uint32_t kind, uint32_t number, uint32_t address, uint32_t msr)
{
    uint32_t code[2] = {kind == LOAD ? loads[number % LOADS] : stores[number % STORES], 0x44000002};

    seed(msr);
    in->gpr[3] = address;
    in->gpr[6] = STORE_AT;
    in->lr = in->ctr = SNIPPET;
    if (kind == FETCH) {
        in->srr0 = address + FETCH_AT;
    } else {
        load_code(code, 2);
    }
    probe_run();
    probe_count++;
    put_state(1);
    put_changed_pages();
    put_text("\n");
}

static void put_name(const char *group, uint32_t a, uint32_t b, uint32_t c, uint32_t msr, uint32_t kind)
{
    put_text(group);
    put_hex(a, 2);
    put_text(".");
    put_hex(b, 2);
    put_text(".");
    put_hex(c, 2);
    put_text((msr & MSR_PR) ? ".u" : ".s");
    put_text((msr & MSR_IR) ? "i" : "");
    put_text((msr & MSR_DR) ? "d" : "");
    put_text(kind == LOAD ? ".load" : kind == STORE ? ".store" : ".fetch");
}

static void set_one(uint32_t hi, uint32_t lo, uint32_t tid, uint32_t zpr, uint32_t pid)
{
    write_entry(CODE_ENTRY, SNIPPET | K4 << 7 | VALID, code_lo(), 0);
    write_entry(11, hi, lo, tid);
    set_zpr(zpr, pid);
}

/* Every zone with each value of its field and both rights, for each mode and kind of access. */
static void scan_zones(void)
{
    static const uint32_t msrs[] = {0x1030, 0x5030, 0x1010, 0x5020};

    for (uint32_t n = 0; n < 16 * 4 * 4; n++) {
        uint32_t zone = n >> 4, field = n >> 2 & 3, rights = n & 3;
        uint32_t shift = 30 - 2 * zone;
        uint32_t zpr = zone == CODE_ZONE ? field : (0x66666664u & ~(3u << shift)) | field << shift | CODE_OPEN;

        for (uint32_t m = 0; m < 4 * KINDS; m++) {
            uint32_t msr = msrs[m / KINDS], kind = m % KINDS;

            if ((kind == FETCH ? !(msr & MSR_IR) : !(msr & MSR_DR)) || (zone == CODE_ZONE && kind != FETCH && (msr & MSR_IR))) {
                continue;
            }
            if ((msr & (MSR_IR | MSR_DR)) != (MSR_IR | MSR_DR) && zone != 3 && zone != CODE_ZONE) {
                continue;
            }
            put_name("mmu.zone.", zone, field, rights, msr, kind);
            set_one(0x12340000 | K4 << 7 | VALID, (DATA + 0x5000) | rights << 8 | zone << 4, 0, zpr, 7);
            access(kind, 0, 0x12340000, msr);
        }
    }
}

/* Every size: the first page and the last that has data, the page before and the one behind. */
static void scan_sizes(void)
{
    for (uint32_t size = SMALLEST; size < 8; size++) {
        uint32_t bytes = 0x400u << 2 * size, step = size ? 0x1000 : bytes, real = size < 5 ? DATA : 0;
        uint32_t base = 0x7F000000, last = bytes < 0x40000 ? base + bytes - step : base + DATA - real + 0x3F000;
        const uint32_t places[] = {base + DATA - real, last, base - step, base + bytes, base + 0x80000000u};

        for (uint32_t n = 0; n < sizeof(places) / sizeof(places[0]); n++) {
            for (uint32_t m = 0; m < 2 * KINDS; m++) {
                uint32_t address = size < 5 && n == 0 ? base : places[n];
                uint32_t msr = m < KINDS ? 0x1030 : 0x5030;

                put_name("mmu.size.", size, n, 0, msr, m % KINDS);
                set_one(base | size << 7 | VALID, real | EX | WR, 0, CODE_OPEN | 0x55555554, 7);
                access(m % KINDS, n, address, msr);
            }
        }
    }
}

/* TID against PID. */
static void scan_tids(void)
{
    static const uint8_t ids[] = {0, 1, 2, 0x7F, 0x80, 0xFF};

    for (uint32_t n = 0; n < 36; n++) {
        for (uint32_t m = 0; m < 2 * KINDS; m++) {
            uint32_t msr = m < KINDS ? 0x1030 : 0x5030;

            put_name("mmu.tid.", ids[n / 6], ids[n % 6], 0, msr, m % KINDS);
            set_one(0xC0000000 | K4 << 7 | VALID, (DATA + 0x7000) | EX | WR, ids[n / 6], CODE_OPEN | 0x55555554, ids[n % 6]);
            access(m % KINDS, n, 0xC0000000, msr);
        }
    }
}

/* ---- random ---- */

#define ROUNDS   24u
#define STEPS    48u
#define BASE     0x40000000u /* of the regions: 16 MiB each, of pages of one size each */
#define REGIONS  8u
#define SLOTS    8u

static uint32_t random_state;

static uint32_t random_below(uint32_t limit)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return (uint32_t)((uint64_t)(random_state * 0x9E3779B1u) * limit >> 32);
}

static uint32_t random_id(void)
{
    static const uint8_t ids[] = {0, 1, 2, 0xFF};

    return ids[random_below(4)];
}

/* What the guest itself thinks of its TLB. valid: hi has V */
static struct {
    uint32_t hi, lo, tid;
} model[ENTRIES];

static uint32_t size_in(uint32_t region)
{
    return region < 7 ? region + 1 : SMALLEST;
}

static uint32_t slots_in(uint32_t region)
{
    uint32_t slots = 0x1000000u >> (10 + 2 * size_in(region));

    return slots < SLOTS ? slots : SLOTS;
}

static uint32_t random_page_address(void)
{
    uint32_t region = random_below(REGIONS);

    return BASE + (region << 24) + (random_below(slots_in(region)) << (10 + 2 * size_in(region)));
}

/* Would an entry for this page and TID be a second one for some address and PID? */
static int collides(uint32_t index, uint32_t address, uint32_t tid)
{
    for (uint32_t i = 0; i < ENTRIES; i++) {
        if (i != index && (model[i].hi & VALID) && (model[i].hi & 0xFFFFFC00u) == address &&
            (tid == 0 || model[i].tid == 0 || model[i].tid == tid)) {
            return 1;
        }
    }
    return 0;
}

static void random_entry(uint32_t index)
{
    uint32_t address = random_page_address(), size = size_in(((address - BASE) >> 24) % REGIONS), tid = random_id();
    uint32_t bytes = 0x400u << 2 * size, step = size ? bytes : 0x1000; /* a page of data has 4 KiB */
    uint32_t real = size < 5 ? DATA + random_below(0x40000u / step) * step : 0;

    model[index].hi = address | size << 7 | (collides(index, address, tid) ? 0 : VALID);
    model[index].lo = real | random_below(4) << 8 | random_below(CODE_ZONE) << 4;
    model[index].tid = tid;
    write_entry(index, model[index].hi, model[index].lo, tid);
}

/* An address in one of the pages, at a place of one that has data; seldom in no page. */
static uint32_t random_data_address(void)
{
    uint32_t index = random_below(ENTRIES - 1);
    uint32_t size = model[index].hi >> 7 & 7, bytes = 0x400u << 2 * size;
    uint32_t address = model[index].hi & 0xFFFFFC00u;

    if (random_below(12) == 0) {
        address = random_page_address();
        return address + (size_in((address - BASE) >> 24) >= 5 ? DATA : 0);
    }
    if (size >= 5) {
        return address + DATA + 0x1000 * random_below(DATA_PAGES);
    }
    return address + 0x1000 * random_below(bytes >> 12);
}

static void random_step(uint32_t *pid)
{
    switch (random_below(8)) {
    case 0:
    case 1:
        random_entry(random_below(ENTRIES - 1));
        break;
    case 2:
        *pid = random_id();
        set_zpr(random_below(0xFFFFFFFFu) | CODE_OPEN, *pid);
        break;
    case 3:
        *pid = random_id();
        break;
    default:
        break;
    }
    mtspr(SPR_PID, *pid);
}

static void random_round(uint32_t round)
{
    static const uint32_t msrs[] = {0x1030, 0x5030, 0x1030, 0x5030, 0x1010, 0x5010, 0x1020, 0x5020};
    uint32_t pid = random_id();

    for (uint32_t i = 0; i < CODE_ENTRY; i++) {
        random_entry(i);
    }
    write_entry(CODE_ENTRY, SNIPPET | K4 << 7 | VALID, code_lo(), 0);
    set_zpr(random_below(0xFFFFFFFFu) | CODE_OPEN, pid);
    for (uint32_t step = 0; step < STEPS; step++) {
        uint32_t msr = msrs[random_below(8)];
        int both = (msr & MSR_IR) && (msr & MSR_DR);
        uint32_t kind = both ? random_below(KINDS) : (msr & MSR_IR) ? FETCH : random_below(2);

        random_step(&pid);
        put_name("mmu.random.", round, step, pid, msr, kind);
        access(kind, random_below(LOADS), random_data_address(), msr);
    }
}

void mmu_scans(void)
{
    mmu_clear();
    scan_zones();
    scan_sizes();
    scan_tids();
    mmu_clear();
}

void mmu_random(void)
{
    random_state = twin_seed * 0x9E3779B1u | 1;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        mmu_clear();
        for (uint32_t i = 0; i < ENTRIES; i++) {
            model[i].hi = 0;
        }
        random_round(round);
    }
    mmu_clear();
}
