/*
 * test_tlb_model.c: the virtual TLB (option TLB_VIRT) against a model of the 405's MMU that was written from the manual alone: 64
 * entries, searched one by one, then the partition. The machine is the fake TLB: an access that misses, or has not the right,
 * goes to tlb_fault(), as from fault.c, and is tried again. What comes out has to be the model's, whatever the guests did before.
 *
 * After each step the whole of the machine's TLB is checked: nothing in it reaches outside the VM whose PID it has, or gives a
 * right that the VM does not have there, and no two entries are for one address.
 */
#include "harness.h"

#include <string.h>

#include "page.h"
#include "tlb.h"

#define STEPS   400000U
#define PAGE    BOARD_PAGE_MIN
#define RIGHTS  (TLBLO_EX | TLBLO_WR)
#define WIMG    0x0FU
#define NOBODY  0xFFU

#define SIZE_FIRST (PAGE == PAGE_4K ? 1U : 0U) /* size field of the smallest page */

/* ---- what a VM has, by its partition ---- */

static struct region {
    uint32_t vm, guest, machine, size, rights, storage;
} regions[16];
static uint32_t region_count;

static void add_region(uint32_t vm, uint32_t guest, uint32_t machine, uint32_t size, uint32_t rights, uint32_t storage)
{
    assert_true(region_count < COUNT(regions));
    regions[region_count++] = (struct region){vm, guest, machine, size, rights, storage};
}

static uint32_t page_of(uint32_t vm)
{
#ifdef CONFIG_IRFM
    return vm_config[vm].page;
#else
    (void)vm;
    return 0;
#endif
}

static uint32_t registers_of(uint32_t vm)
{
#ifdef CONFIG_IRFM
    return REGISTERS_BASE + vm * REGISTERS_STEP;
#else
    (void)vm;
    return 0;
#endif
}

static void make_regions(void)
{
    const struct window *window;
    uint32_t i;

    region_count = 0;
    for (i = 0; i < VM_COUNT; i++) {
        add_region(i, vm_config[i].ram_guest, vm_config[i].ram_machine, vm_config[i].ram_size, RIGHTS, 0);
        if (page_of(i) != 0) {
            add_region(i, page_of(i) - PAGE, registers_of(i), PAGE, TLBLO_WR, 0);
            add_region(i, page_of(i), registers_of(i) + PAGE, PAGE, 0, 0);
        }
    }
    for (window = windows; window->size != 0; window++) {
        add_region(window->vm, window->base, window->base, window->size, TLBLO_WR, TLBLO_I | TLBLO_G);
    }
}

static const struct region *region_at(uint32_t vm, uint32_t guest)
{
    uint32_t i;

    for (i = 0; i < region_count; i++) {
        if (regions[i].vm == vm && guest - regions[i].guest < regions[i].size) {
            return &regions[i];
        }
    }
    return 0;
}

/* The region that all of these machine addresses are in. */
static const struct region *machine_region(uint32_t vm, uint32_t machine, uint32_t size)
{
    uint32_t i;

    for (i = 0; i < region_count; i++) {
        uint32_t offset = machine - regions[i].machine;

        if (regions[i].vm == vm && offset < regions[i].size && size <= regions[i].size - offset) {
            return &regions[i];
        }
    }
    return 0;
}

/* ---- the model: a 405 with its TLB ---- */

static struct model {
    uint32_t hi[TLB_ENTRIES], lo[TLB_ENTRIES], tid[TLB_ENTRIES];
    uint32_t pid, zpr, msr;
} models[VM_COUNT];

enum what { DONE, VECTOR, BUS, STOPPED, UNDEFINED };
static const char *const names[] = {"machine address", "vector", "bus at", "stopped", "undefined"};

struct result {
    enum what what;
    uint32_t value, esr, dear;
    uint32_t rights, storage; /* of the page; not compared with the machine's result */
};

#define ESR_BEFORE  0x13572468U
#define DEAR_BEFORE 0x2468ACE0U

static uint32_t bytes_of(uint32_t hi)
{
    return 1024U << 2 * (hi >> 7 & 7);
}

static bool covers(uint32_t hi, uint32_t address)
{
    return (hi & TLBHI_V) != 0 && (address & ~(bytes_of(hi) - 1)) == (hi & 0xFFFFFC00 & ~(bytes_of(hi) - 1));
}

static uint32_t count_matches(const struct model *m, uint32_t address, uint32_t *index)
{
    uint32_t count = 0;
    uint32_t i;

    for (i = 0; i < TLB_ENTRIES; i++) {
        if (covers(m->hi[i], address) && (m->tid[i] == 0 || m->tid[i] == m->pid)) {
            *index = i;
            count++;
        }
    }
    return count;
}

/* Manual, "Zone Protection": what a field of ZPR means in supervisor and in user state. */
enum access_by { NO_ACCESS, BY_ENTRY, ALL_ACCESS };
static const enum access_by zones[4][2] = {
    {BY_ENTRY, NO_ACCESS},
    {BY_ENTRY, BY_ENTRY},
    {ALL_ACCESS, BY_ENTRY},
    {ALL_ACCESS, ALL_ACCESS},
};

static enum access_by zone_access(const struct model *m, uint32_t lo)
{
    static const uint32_t shift[16] = {30, 28, 26, 24, 22, 20, 18, 16, 14, 12, 10, 8, 6, 4, 2, 0};

    return zones[m->zpr >> shift[lo >> 4 & 15] & 3][(m->msr & MSR_PR) != 0];
}

static bool is_relocated(const struct model *m, enum tlb_access kind)
{
    return (m->msr & (kind == TLB_FETCH ? MSR_IR : MSR_DR)) != 0;
}

/* With translation the supervisor has its register pages where they are (hypercalls/README.md). */
static bool on_register_page(const struct model *m, uint32_t address)
{
    uint32_t page = page_of((uint32_t)(m - models));

    return page != 0 && (m->msr & MSR_PR) == 0 && address - (page - PAGE) < 2 * PAGE;
}

static bool allowed(enum tlb_access kind, uint32_t rights)
{
    return kind == TLB_LOAD || (rights & (kind == TLB_STORE ? TLBLO_WR : TLBLO_EX)) != 0;
}

static struct result vector(enum tlb_access kind, uint32_t offset, uint32_t esr, uint32_t address)
{
    return (struct result){.what = VECTOR, .value = offset, .esr = offset == 0x1200 ? ESR_BEFORE : esr,
                           .dear = kind == TLB_FETCH ? DEAR_BEFORE : address};
}

static struct result bus(uint32_t vm, enum tlb_access kind, uint32_t physical, uint32_t rights, uint32_t storage)
{
    const struct region *region = region_at(vm, physical);
    struct result result = {.what = BUS, .value = physical, .esr = ESR_BEFORE, .dear = DEAR_BEFORE};

    if (region != 0) {
        result.storage = storage | region->storage;
    }
    if (region != 0 && allowed(kind, region->rights)) {
        result.what = DONE;
        result.value = region->machine + (physical - region->guest);
        result.rights = rights & region->rights;
    }
    return result;
}

static struct result model_access(const struct model *m, enum tlb_access kind, uint32_t address)
{
    uint32_t vm = (uint32_t)(m - models);
    uint32_t store = kind == TLB_STORE ? ESR_DST : 0;
    uint32_t index = 0, count, size;
    enum access_by by;

    if (!is_relocated(m, kind) || ((m->msr & (MSR_IR | MSR_DR)) != 0 && on_register_page(m, address))) {
        return bus(vm, kind, address, RIGHTS, 0);
    }
    count = count_matches(m, address, &index);
    if (count > 1) {
        return (struct result){.what = UNDEFINED};
    }
    if (count == 0) {
        return vector(kind, kind == TLB_FETCH ? 0x1200 : 0x1100, store, address);
    }
    by = zone_access(m, m->lo[index]);
    if (by == NO_ACCESS || (by == BY_ENTRY && !allowed(kind, m->lo[index])) ||
        (kind == TLB_FETCH && (m->lo[index] & TLBLO_G) != 0)) {
        return vector(kind, kind == TLB_FETCH ? 0x0400 : 0x0300, store | (by == NO_ACCESS ? ESR_DIZ : 0), address);
    }
    size = bytes_of(m->hi[index]);
    return bus(vm, kind, (m->lo[index] & 0xFFFFFC00 & ~(size - 1)) | (address & (size - 1)),
               (by == ALL_ACCESS ? RIGHTS : m->lo[index] & RIGHTS) & ~((m->lo[index] & TLBLO_G) != 0 ? TLBLO_EX : 0U),
               m->lo[index] & WIMG);
}

/* ---- the machine ---- */

static struct model *m; /* of the VM that runs */
static bool wild;       /* it has written its register page, and nobody has looked yet */

/*
 * asm/refill.S, for an access that the machine has no entry for: a page of 4 KiB in the partition's RAM, with less asked than
 * tlb_fault() asks. Is there an entry now? Any of its misses may also come to tlb_fault(). It takes the register page's ZPR for
 * what it is: what it makes then, stays in the context.
 */
static bool strayed;

static bool refill(struct vcpu *v, enum tlb_access kind, uint32_t address)
{
    struct vtlb *t = &v->vtlb;
    uint32_t need = kind == TLB_STORE ? TLBLO_WR : kind == TLB_FETCH ? TLBLO_EX : 0;
    uint32_t i, lo, zone, row = shadow_turn;

    if (random_word() % 2 != 0 || (v->msr & (MSR_IR | MSR_DR)) != (MSR_IR | MSR_DR) || !tlb_is_on(v) ||
        (IS_ENABLED(CONFIG_IRFM) && address + 0x8000 < 0x10000) || (PAGE < PAGE_4K && t->careful) ||
        v->mode_pid[tlb_mode(v)] != v->context_pid || v->pid != v->context_of) {
        return false;
    }
    for (i = t->bucket[address / PAGE_4K % TLB_BUCKETS]; i != 0; i = t->next[i - 1]) {
        if (((t->hi[i - 1] ^ address) & 0xFFFFF000) == 0 && (t->tid[i - 1] == 0 || t->tid[i - 1] == v->pid)) {
            break;
        }
    }
    lo = i != 0 ? t->lo[i - 1] : 0;
    zone = v->zpr >> (30 - 2 * (lo >> 4 & 15)) & 3;
    if (i == 0 || (zone != 1 && (zone != 0 || (v->msr & MSR_PR) != 0)) || (need & ~lo) != 0 ||
        (lo & 0xFFFFF000) - t->ram_guest >= t->ram_size) {
        return false;
    }
    strayed = strayed || wild;
    shadow_turn = (uint8_t)(row + 1 == TLB_ENTRIES ? TLB_ROW_COUNT : row + 1);
    shadow_owner[row] = (uint16_t)(v->context_pid << 8 | i);
    if (t->where[i - 1] != 0 && t->where[i - 1] != row &&
        ((shadow_owner[t->where[i - 1]] - t->first - i) & ~((TLB_CONTEXTS - 1) << 8)) == 0) {
        t->many[i - 1] = (uint8_t)row;
    }
    t->where[i - 1] = (uint8_t)row;
    cpu_tlbwe_lo(row, ((lo & 0xFFFFF000) - t->ram_guest + t->ram_machine) |
                          (lo & (RIGHTS | WIMG) & ~((lo & TLBLO_G) != 0 ? TLBLO_EX : 0U)));
    cpu_tlbwe_hi(row, (address & 0xFFFFF000) | 1 << 7 | TLBHI_V);
    return true;
}

static struct result machine_access(enum tlb_access kind, uint32_t address)
{
    struct vcpu *v = current;
    struct result result = {.what = BUS, .value = address};
    uint32_t tries;

    v->esr = ESR_BEFORE;
    v->dear = DEAR_BEFORE;
    for (tries = 0; tries < 3; tries++) {
        uint32_t row = cpu_tlbsx(address), decision;

        if (row != TLB_ENTRIES && allowed(kind, fake.tlb_lo[row])) {
            result.what = DONE;
            result.value = (fake.tlb_lo[row] & 0xFFFFFC00) + (address & (bytes_of(fake.tlb_hi[row]) - 1));
            break;
        }
        result.value = address;
        if (!tlb_is_on(v)) {
            break;
        }
        if (row == TLB_ENTRIES && refill(v, kind, address)) {
            continue;
        }
        decision = tlb_fault(v, kind, &result.value);
        if (decision != TLB_AGAIN) {
            result.what = decision == TLB_BUS ? BUS : decision == TLB_STOP ? STOPPED : VECTOR;
            result.value = decision == TLB_BUS ? result.value : decision;
            break;
        }
    }
    if (tries == 3) {
        fail_msg("VM %u: no end of the faults at %08x", (uint32_t)(v - vcpu), address);
    }
    result.esr = v->esr;
    result.dear = v->dear;
    return result;
}

/* ---- what has to hold at any time ---- */

static uint8_t owner[256];  /* of a PID of the machine, as far as one has been seen to run under it */
static uint32_t checked_at; /* fake.tlb_writes */

static void assert_row(uint32_t row)
{
    uint32_t hi = fake.tlb_hi[row], lo = fake.tlb_lo[row], tid = fake.tlb_tid[row];
    const struct region *region;

    if (tid <= VM_COUNT || owner[tid] == NOBODY) {
        fail_msg("entry %u of the machine has the PID %u, of nobody's translation", row, tid);
    }
    region = machine_region(owner[tid], lo & 0xFFFFFC00, bytes_of(hi));
    if (region == 0) {
        fail_msg("entry %u of VM %u opens %u bytes at %08x, which are not its own", row, owner[tid], bytes_of(hi),
                 lo & 0xFFFFFC00);
    }
    if ((lo & RIGHTS & ~region->rights) != 0 || (region->storage & ~lo) != 0) {
        fail_msg("entry %u of VM %u has low word %08x; the partition gives %03x", row, owner[tid], lo, region->rights);
    }
    if (bytes_of(hi) < PAGE || (hi & 0x3F) != 0 || (lo & 0xF0) != 0) {
        fail_msg("entry %u is %08x %08x: too small, little-endian or in a zone", row, hi, lo);
    }
    if (((hi | lo) & 0xFFFFFC00 & (bytes_of(hi) - 1)) != 0) {
        fail_msg("entry %u is %08x %08x: not aligned to its size", row, hi, lo);
    }
}

static void assert_machine(void)
{
    uint32_t i, k;

    if (checked_at == fake.tlb_writes) {
        return;
    }
    checked_at = fake.tlb_writes;
    for (i = 0; i < TLB_ROW_COUNT; i++) {
        if (fake.tlb_hi[i] != tlb_rows[i].hi || fake.tlb_lo[i] != tlb_rows[i].lo || fake.tlb_tid[i] != tlb_rows[i].tid) {
            fail_msg("the static entry %u has changed", i);
        }
    }
    for (; i < TLB_ENTRIES; i++) {
        if ((fake.tlb_hi[i] & TLBHI_V) == 0) {
            continue;
        }
        assert_row(i);
        for (k = TLB_ROW_COUNT; k < i; k++) {
            uint32_t size = bytes_of(fake.tlb_hi[i]);

            size = size < bytes_of(fake.tlb_hi[k]) ? bytes_of(fake.tlb_hi[k]) : size;
            if ((fake.tlb_hi[k] & TLBHI_V) != 0 && fake.tlb_tid[k] == fake.tlb_tid[i] &&
                ((fake.tlb_hi[k] ^ fake.tlb_hi[i]) & ~(size - 1) & 0xFFFFFC00) == 0) {
                fail_msg("entries %u and %u of VM %u overlap: %08x, %08x", k, i, owner[fake.tlb_tid[i]], fake.tlb_hi[k],
                         fake.tlb_hi[i]);
            }
        }
    }
}

/*
 * A shadow of the context that runs gives what the guest's own entry gives now, or less; it is never one of the past. Where only
 * one of fetches and data is translated it may be for either, or for both if they come to the same.
 */
static void assert_shadow_at(uint32_t row, uint32_t address)
{
    uint32_t lo = fake.tlb_lo[row];
    uint32_t machine = (lo & 0xFFFFFC00) + (address & (bytes_of(fake.tlb_hi[row]) - 1));
    struct result data = model_access(m, TLB_LOAD, address), fetch = model_access(m, TLB_FETCH, address);
    uint32_t by_data = data.what == DONE && data.value == machine ? data.rights & TLBLO_WR : 0;
    uint32_t by_fetch = fetch.what == DONE && fetch.value == machine ? fetch.rights & TLBLO_EX : 0;

    if (data.what == UNDEFINED || fetch.what == UNDEFINED) {
        return;
    }
    if ((lo & RIGHTS & ~(by_data | by_fetch)) != 0 || ((data.what != DONE || data.value != machine) && by_fetch == 0)) {
        fail_msg("VM %u, MSR %08x, can reach %08x at %08x with rights %03x by entry %u; the model: data %s %08x, %03x; "
                 "fetch %s %08x, %03x", (uint32_t)(m - models), m->msr, machine, address, lo & RIGHTS, row, names[data.what],
                 data.value, data.rights, names[fetch.what], fetch.value, fetch.rights);
    }
    if ((lo & WIMG) != data.storage || data.what != DONE) {
        assert_hex(lo & WIMG, fetch.storage);
    }
}

static void assert_shadows(void)
{
    uint32_t row;

    if (!tlb_is_on(current)) {
        return;
    }
    for (row = TLB_ROW_COUNT; row < TLB_ENTRIES; row++) {
        if ((fake.tlb_hi[row] & TLBHI_V) != 0 && fake.tlb_tid[row] == fake.spr[SPRN_PID]) {
            uint32_t first = fake.tlb_hi[row] & 0xFFFFFC00, size = bytes_of(fake.tlb_hi[row]);

            assert_shadow_at(row, first);
            assert_shadow_at(row, first + size - 1);
            assert_shadow_at(row, first + random_word() % size);
        }
    }
}

/* The virtual TLB's own lists (mmu/vtlb.h): every valid entry once, in the list that is searched for it, and no end is missed. */
static void assert_lists(const struct vcpu *v)
{
    bool seen[TLB_ENTRIES] = {false};
    uint32_t bucket, i, count = 0;

    for (bucket = 0; bucket <= TLB_BUCKETS; bucket++) {
        for (i = v->vtlb.bucket[bucket]; i != 0; i = v->vtlb.next[i - 1]) {
            uint32_t hi = v->vtlb.hi[i - 1];

            assert_in_range(i, 1, TLB_ENTRIES);
            assert_false(seen[i - 1]);
            seen[i - 1] = true;
            count++;
            assert_true((hi & TLBHI_V) != 0);
            assert_int_equal(bucket, bytes_of(hi) == PAGE_4K && (hi & TLBHI_E) == 0 ? hi / PAGE_4K % TLB_BUCKETS : TLB_BUCKETS);
        }
    }
    for (i = 0; i < TLB_ENTRIES; i++) {
        count -= (v->vtlb.hi[i] & TLBHI_V) != 0;
    }
    assert_int_equal(count, 0);
}

static void observe(void)
{
    uint32_t pid = fake.spr[SPRN_PID];

    assert_ptr_equal(m, &models[current - vcpu]);
    assert_false(is_idle());
    assert_int_equal(pid, context_pid(current));
    if (tlb_is_on(current)) {
        if (owner[pid] != NOBODY && owner[pid] != current - vcpu) {
            fail_msg("PID %u of the machine is VM %u's, and VM %u runs with it", pid, owner[pid], (uint32_t)(current - vcpu));
        }
        owner[pid] = (uint8_t)(current - vcpu);
    } else {
        assert_int_equal(pid, current - vcpu + 1);
    }
    assert_machine();
    assert_lists(current);
}

/* ---- steps of a guest, on the machine and in the model ---- */

static void look_again(void)
{
    enter(schedule(current));
    m = &models[current - vcpu];
    observe();
}

static void set_msr(uint32_t value)
{
    m->msr = value;
    vcpu_set_msr(current, value);
    look_again();
}

static void set_pid(uint32_t value)
{
    m->pid = value & 0xFF;
    assert_int_equal(spr_write(current, 0x3B1, value), STEP);
    look_again();
}

static void set_zpr(uint32_t value)
{
    m->zpr = value;
    assert_int_equal(spr_write(current, 0x3B0, value), STEP);
    look_again();
}

static void write_hi(uint32_t index, uint32_t value)
{
    m->hi[index] = value;
    m->tid[index] = m->pid;
    tlb_write(current, index, 0, value);
    look_again();
}

static void write_lo(uint32_t index, uint32_t value)
{
    m->lo[index] = value;
    tlb_write(current, index, 1, value);
    look_again();
}

static void write_entry(uint32_t index, uint32_t hi, uint32_t lo, uint32_t tid)
{
    uint32_t pid = m->pid;

    set_pid(tid);
    write_lo(index, lo);
    write_hi(index, hi);
    set_pid(pid);
}

static void invalidate(void)
{
    uint32_t i;

    tlb_invalidate(current);
    for (i = 0; i < TLB_ENTRIES; i++) {
        m->hi[i] &= ~(uint32_t)TLBHI_V;
    }
    look_again();
}

/* What the TLB of a chip holds after a reset is not said; here it is zero, as at the first start. */
static void reset(void)
{
    memset(m, 0, sizeof(*m));
    vcpu_reset_request(current, 1, 0);
    look_again();
}

static void switch_to(uint32_t index)
{
    run_vm(&vcpu[index]);
    m = &models[index];
    observe();
}

static void start(void)
{
    machine_boot(0);
    memset(models, 0, sizeof(models));
    memset(owner, NOBODY, sizeof(owner));
    checked_at = 0;
    make_regions();
    m = &models[current - vcpu];
    wild = false;
    observe();
}

/* ---- one access, compared ---- */

static struct {
    uint32_t compared, what[UNDEFINED + 1], vectors[4], unknown, mixed;
} counts;

/*
 * In a context where one of both kinds is translated, the machine has one entry for a page nevertheless: a load from a page that
 * was made for fetches goes there, even if data is elsewhere (src/mmu/tlb.c). A guest does not do that; it is not compared.
 */
static bool uses_both(enum tlb_access kind, uint32_t address)
{
    bool mixed = ((m->msr & MSR_IR) == 0) != ((m->msr & MSR_DR) == 0);
    uint32_t row = mixed && kind == TLB_LOAD ? cpu_tlbsx(address) : TLB_ENTRIES;
    struct result data = model_access(m, TLB_LOAD, address), fetch = model_access(m, TLB_FETCH, address);

    return row != TLB_ENTRIES && (fake.tlb_lo[row] & TLBLO_EX) != 0 && (data.what != DONE || data.value != fetch.value);
}

static struct result compare(enum tlb_access kind, uint32_t address)
{
    bool both = uses_both(kind, address);
    struct result expected = model_access(m, kind, address);
    struct result result = machine_access(kind, address);

    observe();
    counts.compared++;
    counts.what[expected.what]++;
    counts.mixed += both;
    counts.unknown += wild;
    if (expected.what == UNDEFINED || both || wild) {
        return expected;
    }
    if (result.what != expected.what || result.value != expected.value || result.esr != expected.esr ||
        result.dear != expected.dear) {
        fail_msg("VM %u, MSR %08x, PID %02x, ZPR %08x, access %u at %08x: %s %08x, ESR %08x, DEAR %08x; "
                 "the model: %s %08x, ESR %08x, DEAR %08x", (uint32_t)(m - models), m->msr, m->pid, m->zpr, kind, address,
                 names[result.what], result.value, result.esr, result.dear, names[expected.what], expected.value, expected.esr,
                 expected.dear);
    }
    if (expected.what == VECTOR) {
        counts.vectors[expected.value == 0x0300 ? 0 : expected.value == 0x0400 ? 1 : expected.value == 0x1100 ? 2 : 3]++;
    }
    return expected;
}

static void compare_all(uint32_t address)
{
    compare(TLB_LOAD, address);
    compare(TLB_STORE, address);
    compare(TLB_FETCH, address);
}

/* ---- exhaustive: rights ---- */

#define ANYWHERE 0x40000000U
#define SIZE(n)  ((uint32_t)(n) << 7)

/* Every zone, value of its field, EX, WR, state and access; the other fields of ZPR have another value. */
static void every_right(void **state)
{
    uint32_t zone, field, bits, user, other;

    (void)state;
    start();
    for (zone = 0; zone < 16; zone++) {
        for (field = 0; field < 4; field++) {
            for (bits = 0; bits < 4; bits++) {
                for (user = 0; user < 2; user++) {
                    write_entry(zone, ANYWHERE | SIZE(1) | TLBHI_V,
                                vm_config[0].ram_guest | bits << 8 | zone << 4, 7);
                    for (other = 0; other < 4; other++) {
                        uint32_t filler = other * 0x55555555U;

                        set_msr(MSR_IR | MSR_DR | (user ? MSR_PR : 0));
                        set_pid(7);
                        set_zpr((filler & ~(0xC0000000U >> 2 * zone)) | field << (30 - 2 * zone));
                        compare_all(ANYWHERE + 4 * zone);
                        assert_shadows();
                    }
                    write_entry(zone, 0, 0, 7);
                }
            }
        }
    }
    assert_int_equal(counts.compared, 16 * 4 * 4 * 2 * 4 * 3);
    assert_true(counts.vectors[0] > 500 && counts.vectors[1] > 500 && counts.what[DONE] > 2000);
}

/* With the same entry and both states in turn: rights of one are not left for the other. */
static void states_in_turn(void **state)
{
    uint32_t round, field;

    (void)state;
    start();
    write_entry(5, ANYWHERE | SIZE(2) | TLBHI_V, (vm_config[0].ram_guest & ~0x3FFFU) + 0x4000, 0);
    for (field = 0; field < 4; field++) {
        set_zpr(field << 30);
        for (round = 0; round < 8; round++) {
            set_msr(MSR_IR | MSR_DR | (round & 1 ? MSR_PR : 0));
            compare_all(ANYWHERE + 0x1000 * (round / 2));
            assert_shadows();
        }
    }
}

/* ---- exhaustive: where a partition ends ---- */

/* All pages of an entry of this size that begins at guest-physical `from`. */
static void walk(uint32_t size, uint32_t from)
{
    uint32_t bytes = 1024U << 2 * size;
    uint32_t offset;

    write_entry(size, (0xC0000000U & ~(bytes - 1)) | SIZE(size) | TLBHI_V, (from & ~(bytes - 1)) | RIGHTS, 0);
    for (offset = 0; offset < bytes; offset += PAGE) {
        uint32_t address = 0xC0000000U + offset;

        if (bytes > 0x100000 && offset / PAGE % 37 != 0 &&
            region_at((uint32_t)(m - models), (from & ~(bytes - 1)) + offset) == 0) {
            continue; /* far outside: some are enough */
        }
        compare(TLB_LOAD, address);
        compare(TLB_STORE, address + PAGE - 1);
        compare(TLB_FETCH, address + PAGE - 4);
    }
    assert_shadows();
    write_entry(size, 0, 0, 0);
}

static void every_end(void **state)
{
    uint32_t vm, i, size;

    (void)state;
    start();
    for (vm = 0; vm < VM_COUNT; vm++) {
        switch_to(vm);
        set_msr(MSR_IR | MSR_DR);
        for (i = 0; i < region_count; i++) {
            for (size = SIZE_FIRST; size < 8; size++) {
                walk(size, regions[i].guest);
                walk(size, regions[i].guest + regions[i].size - 1);
                walk(size, regions[i].guest + regions[i].size);
                walk(size, regions[i].guest - 1);
            }
        }
        for (i = 0; i < TLB_ROW_COUNT; i++) { /* its own or another's: as guest-physical address, as machine address */
            walk(3, tlb_rows[i].hi);
            walk(4, tlb_rows[i].lo);
        }
    }
    assert_true(counts.what[DONE] > 1000 && counts.what[BUS] > 1000);
}

/* As large as both pages allow: a guest's page of 16 MiB does not cost an entry for each 4 KiB. */
static void large_shadows(void **state)
{
    uint32_t i;

    (void)state;
    start();
    set_msr(MSR_IR | MSR_DR);
    write_entry(0, ANYWHERE | SIZE(7) | TLBHI_V, RIGHTS, 0);
    for (i = 0; i < TLB_ROW_COUNT; i++) {
        if (tlb_rows[i].tid == 1 && (tlb_rows[i].lo & TLBLO_EX) != 0) {
            uint32_t address = ANYWHERE + (tlb_rows[i].hi & 0xFFFFFC00);
            uint32_t writes = fake.tlb_writes, row;

            assert_int_equal(compare(TLB_LOAD, address).what, DONE);
            row = cpu_tlbsx(address);
            assert_int_equal(bytes_of(fake.tlb_hi[row]), bytes_of(tlb_rows[i].hi));
            compare_all(address + bytes_of(tlb_rows[i].hi) - 4);
            assert_true(fake.tlb_writes - writes <= 4);
        }
    }
}

/*
 * MSR written by a store to the register page: between two faults the same context has been in another mode. Small pages of the
 * one and large pages of the other must not meet.
 */
static void msr_by_store(void **state)
{
    static const uint32_t other[] = {0, MSR_IR, MSR_DR, MSR_PR | MSR_IR | MSR_DR};
    const struct region *ram = &regions[0];
    uint32_t i, k, base;

    (void)state;
    start();
    if (page_of(0) == 0) {
        skip();
    }
    base = (ram->guest + 0x3FFF) & ~0x3FFFU;
    for (i = 0; i < COUNT(other); i++) {
        for (k = 0; k < 4; k++) {
            uint32_t first = MSR_IR | MSR_DR, second = other[i];

            if (k % 2 != 0) {
                first = other[i];
                second = MSR_IR | MSR_DR;
            }
            start();
            set_zpr(0x55555555);
            set_msr(MSR_IR | MSR_DR);
            write_entry(1, (base + 0x4000) | SIZE(2) | TLBHI_V, base | RIGHTS, 0);
            write_entry(2, ((page_of(0) - PAGE) & ~0x3FFFU) | SIZE(2) | TLBHI_V, base | RIGHTS, 0);
            wild = true;
            current->msr = first;
            compare(TLB_LOAD, k < 2 ? base + 0x5000 : page_of(0) - PAGE);
            current->msr = second;
            compare(TLB_LOAD, k < 2 ? base + 0x4000 : (page_of(0) - PAGE) & ~0x3FFFU);
            wild = false;
            set_msr(MSR_IR | MSR_DR);
            assert_shadows();
            compare_all(base + 0x4000);
            compare_all(base + 0x5000);
            compare_all(page_of(0));
        }
    }
}

/* A page of the guest's own, of any size, where its register pages are, or one of the two: they are as they were. */
static void around_register_pages(void **state)
{
    uint32_t size, side, down, i;

    (void)state;
    start();
    if (page_of(0) == 0) {
        skip();
    }
    for (size = SIZE_FIRST; size < 8; size++) {
        for (side = 0; side < 2; side++) {
            for (down = 0; down < 2; down++) {
                uint32_t mask = ~((1024U << 2 * size) - 1);

                start();
                set_msr(MSR_IR | MSR_DR);
                write_entry(1, ((page_of(0) - side) & mask) | SIZE(size) | TLBHI_V,
                            ((regions[0].guest + 0x4000) & mask) | RIGHTS, 0);
                for (i = 0; i < 16; i++) {
                    compare_all(page_of(0) + PAGE * (down ? 7 - i : i - 8));
                    assert_shadows();
                }
            }
        }
    }
}

/* Two entries for the same 4 KiB: one where the partition has less than that, one in its RAM. Undefined, but not dangerous. */
static void overlap_in_small(void **state)
{
    const struct window *window;
    uint32_t round, offset;

    (void)state;
    for (window = windows; window->size != 0; window++) {
        for (round = 0; round < 32; round++) { /* refill() or tlb_fault() */
            start();
            switch_to(window->vm);
            set_msr(MSR_IR | MSR_DR);
            write_entry(1, ANYWHERE | SIZE(1) | TLBHI_V, (window->base & ~0xFFFU) | TLBLO_WR, 0);
            assert_int_equal(compare(TLB_STORE, ANYWHERE + (window->base & 0xFFF)).what, DONE);
            write_entry(2, ANYWHERE | SIZE(1) | TLBHI_V, ((vm_config[window->vm].ram_guest + 0xFFF) & ~0xFFFU) | RIGHTS, 0);
            for (offset = 0; offset < PAGE_4K; offset += PAGE) {
                compare(TLB_LOAD, ANYWHERE + offset);
            }
        }
    }
}

/* ---- random programs ---- */

static uint32_t some_address(void)
{
    static const uint32_t bases[] = {0, 0x00100000, 0x10000000, 0xC0000000, 0xFFFE0000, 0xFFFF0000};

    return bases[random_word() % COUNT(bases)] + random_word() % 0x40000;
}

/* In an entry, mostly: at the beginning or end of one of its pages. */
static uint32_t likely_address(void)
{
    uint32_t index = random_word() % TLB_ENTRIES;
    uint32_t i;

    if (random_word() % 8 == 0) {
        return some_address();
    }
    for (i = 0; i < TLB_ENTRIES; i++, index = (index + 1) % TLB_ENTRIES) {
        if ((m->hi[index] & TLBHI_V) != 0 && (m->tid[index] == 0 || m->tid[index] == m->pid || random_word() % 8 == 0)) {
            uint32_t base = m->hi[index] & ~(bytes_of(m->hi[index]) - 1);
            uint32_t address = base + random_word() % bytes_of(m->hi[index]);
            uint32_t k = random_word() % region_count;

            if (random_word() % 2 != 0 && regions[k].guest - (m->lo[index] & 0xFFFFFC00) < bytes_of(m->hi[index])) {
                address = base + (regions[k].guest - (m->lo[index] & 0xFFFFFC00)) % bytes_of(m->hi[index]) +
                          random_word() % regions[k].size;
            }
            return random_word() % 2 ? address : (address & ~(PAGE - 1)) + (random_word() % 2 ? 0 : PAGE - 4);
        }
    }
    return some_address();
}

static uint32_t some_page(uint32_t size)
{
    uint32_t mask = ~((1024U << 2 * size) - 1);
    const struct region *region = &regions[random_word() % region_count]; /* another's, too */

    switch (random_word() % 16) {
    case 0:
        return random_word() & mask;
    case 1:
        return (region->guest + region->size) & mask;
    case 2:
        return region->machine & mask;
    default:
        while (region->vm != (uint32_t)(m - models)) {
            region = region == &regions[region_count - 1] ? &regions[0] : region + 1;
        }
        return (region->guest + random_word() % region->size) & mask;
    }
}

static bool overlaps_another(uint32_t index, uint32_t hi, uint32_t tid)
{
    uint32_t i;

    for (i = 0; i < TLB_ENTRIES; i++) {
        if (i != index && (m->hi[i] & TLBHI_V) != 0 && (tid == 0 || m->tid[i] == 0 || m->tid[i] == tid) &&
            (covers(m->hi[i], hi & 0xFFFFFC00) || covers(hi, m->hi[i] & 0xFFFFFC00))) {
            return true;
        }
    }
    return false;
}

static const uint32_t pids[] = {0, 1, 2, 3, 0x80, 0xFF};

static uint32_t some_pid(void)
{
    return pids[random_word() % COUNT(pids)];
}

static void write_some_entry(void)
{
    static const uint32_t sizes[] = {1, 1, 1, 1, 1, 1, 2, 2, 2, 3, 3, 4, 4, 5, 6, 7};
    uint32_t index = random_word() % (random_word() % 2 ? TLB_ENTRIES : 12), tid = some_pid(), tries, hi = 0;
    uint32_t size = random_word() % 8 ? sizes[random_word() % COUNT(sizes)] : SIZE_FIRST;
    uint32_t lo = some_page(size) | (random_word() & 0xF0) | (random_word() % 4 ? TLBLO_EX : 0) |
                  (random_word() % 4 ? TLBLO_WR : 0) | (random_word() % 8 ? 0 : random_word() & WIMG);

    for (tries = 0; tries < 8; tries++) {
        hi = (some_address() & ~((1024U << 2 * size) - 1)) | SIZE(size) | TLBHI_V;
        if (!overlaps_another(index, hi, tid) || random_word() % 64 == 0) {
            break;
        }
    }
    hi ^= tries == 8 ? TLBHI_V : 0;
    if (random_word() % 2) {
        write_entry(index, hi, lo, tid);
    } else { /* as Linux: the high word first, under the PID of the entry */
        set_pid(tid);
        write_hi(index, hi);
        write_lo(index, lo);
    }
}

static void change_some_entry(void)
{
    uint32_t index = random_word() % TLB_ENTRIES;

    switch (random_word() % 4) {
    case 0:
        write_hi(index, m->hi[index] & ~(uint32_t)TLBHI_V);
        break;
    case 1:
        write_lo(index, m->lo[index] ^ TLBLO_WR);
        break;
    case 2:
        write_lo(index, some_page(7) | (m->lo[index] & 0x3FF)); /* aligned to any size */
        break;
    default:
        write_lo(index, m->lo[index] ^ (random_word() & 0xF0) ^ (random_word() % 2 ? TLBLO_EX : 0));
        break;
    }
}

static void read_some_entry(void)
{
    uint32_t index = random_word() % TLB_ENTRIES;

    assert_hex(tlb_read(current, index, 1), m->lo[index]);
    look_again();
    assert_hex(tlb_read(current, index, 0), m->hi[index]);
    m->pid = m->tid[index];
    assert_hex(current->pid, m->pid);
    look_again();
}

static void search(void)
{
    uint32_t address = likely_address(), index = TLB_ENTRIES;
    uint32_t count = count_matches(m, address, &index);
    uint32_t found = tlb_search(current, address);

    if (count <= 1) {
        assert_int_equal(found, index);
    } else {
        assert_true(found < TLB_ENTRIES && covers(m->hi[found], address) && (m->tid[found] == 0 || m->tid[found] == m->pid));
    }
}

static uint32_t some_msr(void)
{
    static const uint32_t often[] = {0, MSR_IR | MSR_DR, MSR_IR | MSR_DR | MSR_PR, MSR_IR | MSR_DR, MSR_IR | MSR_DR | MSR_PR};

    return MSR_ME | (random_word() % 4 ? often[random_word() % COUNT(often)] : random_word() & (MSR_IR | MSR_DR | MSR_PR));
}

static uint32_t some_zpr(void)
{
    return random_word() % 2 ? random_word() : (random_word() % 4) * 0x55555555U;
}

/*
 * Words of its writable register page: MSR, PID and ZPR as it likes, and nobody looks before the next fault. What that means to
 * the guest is its own affair; the machine's TLB has to stay in order.
 */
static void scribble(void)
{
    uint32_t msr = m->msr, pid = m->pid, zpr = m->zpr, i;
    uint32_t page = page_of((uint32_t)(m - models));

    if (page == 0) {
        return;
    }
    wild = true;
    for (i = random_word() % 16; i != 0; i--) {
        switch (random_word() % 4) {
        case 0:
            current->msr = (current->msr & ~(MSR_IR | MSR_DR | MSR_PR)) | (random_word() & (MSR_IR | MSR_DR | MSR_PR));
            break;
        case 1:
            current->pid = random_word() % 2 ? some_pid() : random_word();
            break;
        case 2:
            current->zpr = some_zpr();
            break;
        default:
            break;
        }
        compare(random_word() % 3, random_word() % 4 ? likely_address() : page - PAGE * (random_word() % 16));
    }
    set_msr(msr);
    set_pid(pid);
    set_zpr(zpr);
    wild = false;
    if (strayed) {
        strayed = false;
        invalidate();
    }
}

static void step(uint32_t number)
{
    uint32_t kind = random_word() % 100;

    if (kind < 50) {
        compare(random_word() % 3, likely_address());
    } else if (kind < 66) {
        write_some_entry();
    } else if (kind < 71) {
        change_some_entry();
    } else if (kind < 74) {
        read_some_entry();
    } else if (kind < 80) {
        search();
    } else if (kind < 84) {
        set_pid(some_pid());
    } else if (kind < 87) {
        set_zpr(some_zpr());
    } else if (kind < 93) {
        set_msr(some_msr());
    } else if (kind < 97) {
        switch_to(random_word() % VM_COUNT);
    } else if (kind < 98) {
        scribble();
    } else if (number % 16 == 0) {
        invalidate();
    } else if (number % 256 == 1 && (vm_config[current - vcpu].flags & VM_RESTART) != 0) {
        reset();
    }
    if (number % 8 == 0) {
        assert_shadows();
    }
}

static void random_programs(void **state)
{
    uint32_t i;

    (void)state;
    start();
    memset(&counts, 0, sizeof(counts));
    for (i = 0; i < STEPS; i++) {
        step(i);
    }
    print_message("%u accesses: %u done, %u vectors (%u %u %u %u), %u bus, %u undefined, %u mixed, %u wild\n", counts.compared,
                  counts.what[DONE], counts.what[VECTOR], counts.vectors[0], counts.vectors[1], counts.vectors[2],
                  counts.vectors[3], counts.what[BUS], counts.what[UNDEFINED], counts.mixed, counts.unknown);
    assert_true(counts.compared > STEPS / 3); /* and they are not all of one kind */
    assert_true(counts.what[DONE] > 5000);
    assert_true(counts.what[BUS] > 1000);
    assert_true(counts.what[UNDEFINED] < counts.compared / 8);
    assert_int_equal(counts.what[STOPPED], 0);
    for (i = 0; i < COUNT(counts.vectors); i++) {
        assert_true(counts.vectors[i] > 500);
    }
}

static int clear_counts(void **state)
{
    (void)state;
    memset(&counts, 0, sizeof(counts));
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(every_right, clear_counts),
        cmocka_unit_test_setup(states_in_turn, clear_counts),
        cmocka_unit_test_setup(every_end, clear_counts),
        cmocka_unit_test_setup(large_shadows, clear_counts),
        cmocka_unit_test_setup(msr_by_store, clear_counts),
        cmocka_unit_test_setup(around_register_pages, clear_counts),
        cmocka_unit_test_setup(overlap_in_small, clear_counts),
        cmocka_unit_test_setup(random_programs, clear_counts),
    };

    return cmocka_run_group_tests_name("tlb_model", tests, 0, 0);
}
