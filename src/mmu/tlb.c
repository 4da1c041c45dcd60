/*
 * tlb.c: see tlb.h. No loop is longer than the TLB; the way of a miss that the virtual TLB holds has none but the search in its
 * list.
 */
#include "tlb.h"

#include "board_values.h"
#include "memory.h"
#include "optimize.h"
#include "page.h"
#include "partition.h"
#include "roads.h"

#define NONE 0 /* no entry in a list: lists hold index + 1, and row 0 is always a static one */

#define OTHER TLB_BUCKETS
#define REAL  TLB_ENTRIES /* as an entry: what a mixed or kernel context has of the static ones */

_Static_assert(VM_COUNT * (TLB_CONTEXTS + 1) < 256, "a PID of the machine has eight bits");
_Static_assert(TLB_ROW_COUNT <= TLB_ENTRIES - 16, "too few entries of the machine's TLB are left");

#define TLBHI_SIZE(hi)  ((hi) >> 7 & 7)
#define TLBHI_EXISTING  0xFFFFFFF0U /* EPN SIZE V E U0 */
#define TLBLO_ZSEL(lo)  ((lo) >> 4 & 15)
#define TLBLO_STORAGE   0x0000000FU
#define SIZE_MASK(size) (~0U << (10 + 2 * (size))) /* of the page number */

/* Size field of a page: 0 is 1 KiB, 1 is 4 KiB; and of the smallest that a shadow can have. */
#define SIZE_4K  1U
#define SIZE_MIN ((31U - (uint32_t)__builtin_clz(BOARD_PAGE_MIN) - 10) / 2)

/* Is a page of this size field too small for the machine? Signed: with pages of 1 KiB none is. */
static inline bool is_below(uint32_t size)
{
    return (int32_t)size < (int32_t)SIZE_MIN;
}

/* ---- shadows ---- */

/* Rows of the machine's TLB behind the static ones: PID << 8 | virtual entry + 1, 0: free; and the next to be used. */
uint16_t shadow_owner[TLB_ENTRIES] __attribute__((section(".bss.low")));
uint8_t shadow_turn __attribute__((section(".bss.low")));

/* PID of the VM's first context. */
static uint32_t first_context(const struct vcpu *v)
{
    return VM_COUNT + 1 + vcpu_index(v) * TLB_CONTEXTS;
}

static void drop_row(uint32_t row)
{
    cpu_tlbwe_hi(row, 0);
    shadow_owner[row] = 0;
}

/* Drop the shadows of `count` contexts from `pid` on; of one virtual entry, or of all (TLB_EVERY). */
#define TLB_EVERY 0
static __attribute__((noinline)) void drop_shadows(uint32_t pid, uint32_t count, uint32_t number)
{
    uint32_t row;

    for (row = TLB_ROW_COUNT; row < TLB_ENTRIES; row++) { /* loop: TLB_ENTRIES - TLB_ROW_COUNT */
        uint32_t owner = shadow_owner[row];

        if ((owner >> 8) - pid < count && (number == TLB_EVERY || (owner & 0xFF) == number)) {
            drop_row(row);
        }
    }
}

void tlb_forget(struct vcpu *v)
{
    VCPU_UART_FAR(v);
    drop_shadows(first_context(v), TLB_CONTEXTS, TLB_EVERY);
}

/* Is this row of the machine's TLB a shadow of that entry, in some context? It may have been given away since. */
static bool is_shadow_of(const struct vtlb *t, uint32_t row, uint32_t entry)
{
    return row != NONE && ((shadow_owner[row] - t->first - (entry + 1)) & ~((TLB_CONTEXTS - 1) << 8)) == 0;
}

/* The shadows of a virtual entry: most have one, and the row is known. */
static void drop_entry(struct vcpu *v, uint32_t entry)
{
    struct vtlb *t = &v->vtlb;
    uint32_t row = t->where[entry];

    if (((t->hi[entry] ^ VCPU_UART_AT(v)) & SIZE_MASK(TLBHI_SIZE(t->hi[entry]))) == 0) {
        VCPU_UART_FAR(v);
    }
    if (t->many[entry] != 0) {
        drop_shadows(first_context(v), TLB_CONTEXTS, entry + 1);
    } else if (is_shadow_of(t, row, entry)) {
        drop_row(row);
    }
    t->where[entry] = NONE;
    t->many[entry] = 0;
}

/* The static entry of the VM that holds a guest-physical address; a null pointer: it has no memory there. */
static const struct tlb_row *static_row(const struct vcpu *v, uint32_t physical)
{
    uint32_t i;

    for (i = 0; i < TLB_ROW_COUNT; i++) { /* loop: TLB_ROW_COUNT */
        const struct tlb_row *row = &tlb_rows[i];

        if (row->tid == v->machine_pid && ((row->hi ^ physical) & SIZE_MASK(TLBHI_SIZE(row->hi))) == 0 &&
            memory_has_row(i)) {
            return row;
        }
    }
    return 0;
}

/* ---- contexts ---- */

__attribute__((noinline)) uint32_t tlb_context(struct vcpu *v) /* off the straight way of schedule() */
{
    struct vtlb *t = &v->vtlb;
    uint32_t mode = tlb_mode(v);
    uint32_t key = (v->pid & 0xFF) << 3 | mode; /* the guest can write the word, with register pages */
    uint32_t first = first_context(v);
    uint32_t i;

    if (TLB_REAL(mode)) {
        return v->machine_pid;
    }
    v->pid &= 0xFF;
    if (v->context_of != v->pid) {
        v->context_of = v->pid;
        for (i = 0; i < 8; i++) { /* loop: 8 */
            v->mode_pid[i] = TLB_REAL(i) ? v->machine_pid : 0;
        }
    }
    /* loop: TLB_CONTEXTS */
    for (i = 0; i < TLB_CONTEXTS; i++) { /* all contexts of this PID: the next change of mode needs none of this */
        if (t->key[i] >> 3 == v->pid && t->key[i] != 0) {
            v->mode_pid[t->key[i] & 7] = (uint8_t)(first + i);
        }
    }
    if (v->mode_pid[mode] == 0) {
        i = t->turn;
        t->turn = (i + 1) % TLB_CONTEXTS;
        VCPU_UART_FAR(v);
        drop_shadows(first + i, 1, TLB_EVERY);
        t->key[i] = key;
        for (uint32_t other = 0; other < 8; other++) { /* loop: 8 */
            v->mode_pid[other] = v->mode_pid[other] == first + i ? 0 : v->mode_pid[other];
        }
        v->mode_pid[mode] = (uint8_t)(first + i);
    }
    return v->mode_pid[mode];
}

struct vcpu *tlb_find_context(struct vcpu *v)
{
    if ((v->pending & v->msr) != 0) {
        v->pc &= ~3U; /* by rfi, it is SRR0 as it was (asm/emul_msr.S) */
        return vcpu_deliver(v);
    }
    tlb_enter(v);
    return v;
}

/* On the chip V becomes zero, the rest stays. */
void tlb_invalidate(struct vcpu *v)
{
    struct vtlb *t = &v->vtlb;
    uint32_t i;

    tlb_forget(v);
    for (i = 0; i < TLB_ENTRIES; i++) { /* loop: TLB_ENTRIES */
        t->hi[i] &= ~TLBHI_V;
    }
    for (i = 0; i < TLB_BUCKETS + 1; i++) { /* loop: TLB_BUCKETS + 1 */
        t->bucket[i] = NONE;
    }
    t->split = false;
    t->careful = false;
}

__attribute__((noinline)) void tlb_reset(struct vcpu *v)
{
    const struct vm_config *config = &vm_config[vcpu_index(v)];
    struct vtlb *t = &v->vtlb;
    uint32_t i;

    tlb_forget(v);
    for (i = 0; i < sizeof(*t) / 4; i++) { /* loop: (VCPU_SIZE - VCPU_VTLB) / 4 */
        ((uint32_t *)t)[i] = 0;
    }
    shadow_turn = shadow_turn < TLB_ROW_COUNT ? TLB_ROW_COUNT : shadow_turn; /* from zero, once */
    t->first = first_context(v) << 8;
    t->ram_guest = config->ram_guest;
    t->ram_machine = config->ram_machine;
    t->ram_size = config->ram_size;
    if ((static_row(v, config->ram_guest)->lo & TLBLO_STORAGE) != 0 ||
        (config->ram_guest | config->ram_machine | config->ram_size) % PAGE_4K != 0) {
        t->ram_size = 0;
    }
    for (i = 0; i < 8; i++) { /* loop: 8 */
        v->mode_pid[i] = TLB_REAL(i) ? v->machine_pid : 0;
    }
    v->context_of = 0;
    tlb_enter(v);
}

void tlb_write_zpr(struct vcpu *v, uint32_t value)
{
    v->zpr = value;
    tlb_forget(v);
}

/* ---- the virtual TLB ---- */

/* A little-endian page is among the others, too, which asm/refill.S leaves to C. */
static uint32_t bucket_of(uint32_t hi)
{
    return TLBHI_SIZE(hi) == SIZE_4K && (hi & TLBHI_E) == 0 ? hi / PAGE_4K % TLB_BUCKETS : OTHER;
}

static void unlink(struct vtlb *t, uint32_t index)
{
    uint8_t *at = &t->bucket[bucket_of(t->hi[index])];

    while (*at != index + 1) { /* loop: TLB_ENTRIES */
        at = &t->next[*at - 1];
    }
    *at = t->next[index];
}

static void link(struct vtlb *t, uint32_t index)
{
    uint8_t *first = &t->bucket[bucket_of(t->hi[index])];

    t->next[index] = *first;
    *first = (uint8_t)(index + 1);
}

void tlb_write(struct vcpu *v, uint32_t index, uint32_t word, uint32_t value)
{
    struct vtlb *t = &v->vtlb;

    drop_entry(v, index);
    if (word != 0) {
        t->lo[index] = value;
        return;
    }
    if ((t->hi[index] & TLBHI_V) != 0) {
        unlink(t, index);
    }
    t->hi[index] = value & TLBHI_EXISTING;
    t->tid[index] = (uint8_t)v->pid;
    if ((value & TLBHI_V) != 0) {
        link(t, index);
    }
}

uint32_t tlb_read(struct vcpu *v, uint32_t index, uint32_t word)
{
    struct vtlb *t = &v->vtlb;

    if (word != 0) {
        return t->lo[index];
    }
    v->pid = t->tid[index];
    return t->hi[index];
}

static bool matches(const struct vtlb *t, uint32_t index, uint32_t address, uint32_t pid)
{
    return ((t->hi[index] ^ address) & SIZE_MASK(TLBHI_SIZE(t->hi[index]))) == 0 &&
           (t->tid[index] == 0 || t->tid[index] == pid);
}

static uint32_t search_list(const struct vtlb *t, uint32_t bucket, uint32_t address, uint32_t pid)
{
    uint32_t i;

    for (i = t->bucket[bucket]; i != NONE && !matches(t, i - 1, address, pid); i = t->next[i - 1]) { /* loop: TLB_ENTRIES + 1 */
    }
    return i;
}

__attribute__((noinline)) uint32_t tlb_search(const struct vcpu *v, uint32_t address)
{
    const struct vtlb *t = &v->vtlb;
    uint32_t i = search_list(t, address / PAGE_4K % TLB_BUCKETS, address, v->pid);

    if (i == NONE) {
        i = search_list(t, OTHER, address, v->pid);
    }
    return i == NONE ? TLB_ENTRIES : i - 1;
}

/*
 * The rights that user or supervisor state has by an entry, as TLBLO_EX and TLBLO_WR; minus one: a zone fault. Nothing is fetched
 * from a guarded page, whatever else it says (manual, "Instruction Storage Interrupt"; QEMU does).
 */
static uint32_t rights(const struct vcpu *v, uint32_t lo, bool user)
{
    uint32_t zone = v->zpr >> (30 - 2 * TLBLO_ZSEL(lo)) & 3;

    if (user && zone == 0) {
        return ~0U;
    }
    lo |= zone == 3 || (zone == 2 && !user) ? TLBLO_EX | TLBLO_WR : 0;
    return lo & ((lo & TLBLO_G) != 0 ? TLBLO_WR : TLBLO_EX | TLBLO_WR);
}

static uint32_t needed(enum tlb_access access)
{
    return access == TLB_STORE ? TLBLO_WR : access == TLB_FETCH ? TLBLO_EX : 0;
}

static bool is_translated(const struct vcpu *v, enum tlb_access access)
{
    return (v->msr & (access == TLB_FETCH ? MSR_IR : MSR_DR)) != 0;
}

/* An address and what it comes to; one word, for a fifth argument would be in a register of the guest's (src/README.md). */
struct found {
    uint32_t address; /* effective; then guest-physical */
    uint32_t esr;
    uint32_t entry; /* the virtual one, REAL without it */
    uint32_t right; /* TLBLO_EX, TLBLO_WR */
};

/* As tlb_translate() */
static uint32_t look(const struct vcpu *v, enum tlb_access access, struct found *found)
{
    const struct vtlb *t = &v->vtlb;
    uint32_t mask, index;

    found->entry = REAL;
    found->right = TLBLO_EX | TLBLO_WR;
    found->esr = access == TLB_STORE ? ESR_DST : 0;
    if (!is_translated(v, access) || VCPU_PAGE_HIT(v, found->address)) {
        return 0;
    }
    index = tlb_search(v, found->address);
    if (index == TLB_ENTRIES) {
        return access == TLB_FETCH ? 0x1200 : 0x1100;
    }
    found->right = rights(v, t->lo[index], (v->msr & MSR_PR) != 0);
    if (found->right == ~0U) {
        found->esr |= ESR_DIZ;
    }
    if (found->right == ~0U || (needed(access) & ~found->right) != 0) {
        return access == TLB_FETCH ? 0x0400 : 0x0300;
    }
    mask = SIZE_MASK(TLBHI_SIZE(t->hi[index]));
    found->address = (t->lo[index] & mask) | (found->address & ~mask);
    found->entry = index;
    return 0;
}

uint32_t tlb_translate(const struct vcpu *v, enum tlb_access access, uint32_t *address, uint32_t *esr)
{
    struct found found = {.address = *address};
    uint32_t vector = look(v, access, &found);

    *address = found.address;
    *esr = found.esr;
    return vector;
}

bool tlb_is_private(const struct vcpu *v, uint32_t virtual)
{
    uint32_t index = is_translated(v, TLB_FETCH) ? tlb_search(v, virtual) : TLB_ENTRIES;
    uint32_t right = index == TLB_ENTRIES ? 0 : rights(v, v->vtlb.lo[index], true);

    return right == ~0U || (right & TLBLO_EX) == 0;
}

/* ---- from one to the other ---- */

/* Does something else that this guest can have a shadow of lie in the page of `mask` at `address`? */
static bool shares(const struct vcpu *v, uint32_t entry, uint32_t address, uint32_t mask)
{
    const struct vtlb *t = &v->vtlb;
    uint32_t i;

    if (VCPU_PAGE_SHARES(v, address, mask)) {
        return true;
    }
    for (i = 0; i < TLB_ENTRIES; i++) { /* loop: TLB_ENTRIES */
        uint32_t hi = t->hi[i];

        if (((hi ^ address) & SIZE_MASK(7)) == 0 && i != entry && (hi & TLBHI_V) != 0 && /* the first, of 16 MiB, for most */
            ((hi ^ address) & mask & SIZE_MASK(TLBHI_SIZE(hi))) == 0) {
            return true;
        }
    }
    return false;
}

/*
 * The size of a shadow: the smaller of both pages. Such pages are apart or the same, as long as the guest's own entries do not
 * overlap; when they do (on the chip that is undefined, here it must stay harmless), all shadows become as small as can be.
 */
static uint32_t shadow_size(struct vcpu *v, uint32_t entry, uint32_t address, uint32_t size)
{
    struct vtlb *t = &v->vtlb;

    if (entry == REAL || t->split || TLB_MIXED(tlb_mode(v))) {
        return SIZE_MIN;
    }
    if (size > SIZE_MIN && shares(v, entry, address, SIZE_MASK(size))) {
        tlb_forget(v);
        t->split = true;
        size = SIZE_MIN;
    }
    if (SIZE_MIN < SIZE_4K && size < SIZE_4K) {
        t->careful = true;
    }
    return size;
}

static void install(struct vcpu *v, uint32_t entry, uint32_t hi, uint32_t lo)
{
    struct vtlb *t = &v->vtlb;
    uint32_t row = shadow_turn;

    shadow_turn = (uint8_t)(row + 1 == TLB_ENTRIES ? TLB_ROW_COUNT : row + 1);
    if (t->where[entry] != row && is_shadow_of(t, t->where[entry], entry)) {
        t->many[entry] = (uint8_t)row; /* not zero, as asm/refill.S has it */
    }
    shadow_owner[row] = (uint16_t)(v->context_pid << 8 | (entry + 1));
    t->where[entry] = (uint8_t)row;
    cpu_tlbwe_lo(row, lo); /* TID is PID, which is the context's as long as the guest runs */
    cpu_tlbwe_hi(row, hi);
    tlb_check_new();
}

/*
 * Storage attributes of a shadow: the guest's and those of its static entry. But of a tunnel's memory only the latter: the other
 * end has it in the cache, and the same memory with and without is a programming error (manual, "Storage attributes"); a kernel
 * that maps what is not its RAM as a device (Linux' UIO) would read what is not there yet.
 */
static uint32_t storage_of(const struct vcpu *v, uint32_t entry, const struct tlb_row *row)
{
    bool shared = TLB_ROW_COUNT != TLB_FIXED_ROWS && row >= &tlb_rows[TLB_FIXED_ROWS];

    return (row->lo | (entry == REAL || shared ? 0 : v->vtlb.lo[entry])) & TLBLO_STORAGE;
}

static bool is_guarded(const struct vcpu *v, uint32_t entry)
{
    return entry != REAL && (v->vtlb.lo[entry] & TLBLO_G) != 0;
}

/*
 * In a mixed context a page has two meanings, one for fetches and one for data. If both are the same place, the shadow serves
 * both, as the virtual entry's; otherwise it serves this kind of access, until the other kind faults. Loads do not fault, the
 * machine has no right to take away: they must not be of a page of code that means two places, nor stores by that code itself.
 * Nor does a guarded page serve both: the machine fetches nothing from it, but the guest does, in real mode.
 */
static uint32_t mixed_rights(const struct vcpu *v, enum tlb_access access, uint32_t virtual, uint32_t place, uint32_t right,
                             uint32_t *entry)
{
    uint32_t mine = access == TLB_FETCH ? TLBLO_EX : TLBLO_WR;
    struct found other = {.address = virtual};

    right &= mine;
    if (look(v, access == TLB_FETCH ? TLB_LOAD : TLB_FETCH, &other) == 0 && other.address == place && !is_guarded(v, *entry) &&
        !is_guarded(v, other.entry)) {
        right |= other.right & ~mine;
        *entry = *entry == REAL ? other.entry : *entry;
    }
    return right;
}

/*
 * The register pages hold MSR and PID: a guest may have stored another mode there, without a look of ours. A context has only
 * what its own mode can reach, or small shadows of one mode and large ones of another overlapped.
 */
static bool is_in_context(const struct vcpu *v)
{
    uint32_t mode = tlb_mode(v);

    return !IS_ENABLED(CONFIG_IRFM) ||
           (v->mode_pid[mode] == v->context_pid && (v->pid == v->context_of || TLB_REAL(mode)));
}

__attribute__((noinline)) uint32_t tlb_fault(struct vcpu *v, enum tlb_access access, uint32_t *address)
{
    uint32_t virtual = *address;
    uint32_t entry, right, size, mask, stale, vector;
    struct found found = {.address = virtual};
    const struct tlb_row *row;

    if (!is_in_context(v)) {
        tlb_enter(v);
        return TLB_AGAIN;
    }
    vector = look(v, access, &found);
    *address = found.address;
    entry = found.entry;
    right = found.right;
    if (vector == 0 && optimize_shows(v, virtual)) {
        optimize_end(v);
        return TLB_AGAIN;
    }
    if (vector != 0) {
        if (vector != 0x1200) {
            v->esr = found.esr;
        }
        if (access != TLB_FETCH) {
            v->dear = virtual;
        }
        return vector;
    }
    row = static_row(v, *address);
    if (row == 0 || (needed(access) & ~row->lo) != 0) {
        return TLB_BUS;
    }
    if (TLB_MIXED(tlb_mode(v))) {
        right = mixed_rights(v, access, virtual, *address, right, &entry);
    }
    size = entry == REAL ? SIZE_MIN : TLBHI_SIZE(v->vtlb.hi[entry]);
    if (is_below(size)) {
        vcpu_stop(v, STOP(PAGE));
        return TLB_STOP;
    }
    if (entry != REAL && (v->vtlb.hi[entry] & TLBHI_E) != 0) {
        vcpu_stop(v, STOP(LITTLE));
        return TLB_STOP;
    }
    /* A storage fault in spite of the right: a page of a mixed context that was made for the other kind of access. */
    stale = cpu_tlbsx(virtual);
    if (stale < TLB_ENTRIES) {
        drop_row(stale);
    }
    size = shadow_size(v, entry, virtual, size < TLBHI_SIZE(row->hi) ? size : TLBHI_SIZE(row->hi));
    mask = SIZE_MASK(size);
    install(v, entry, (virtual & mask) | size << 7 | TLBHI_V,
            (((row->lo & SIZE_MASK(TLBHI_SIZE(row->hi))) | (*address & ~SIZE_MASK(TLBHI_SIZE(row->hi)))) & mask) |
                (right & row->lo & (TLBLO_EX | TLBLO_WR)) | storage_of(v, entry, row));
    return TLB_AGAIN;
}
