/*
 * again.c: a VM that starts several times: by a core reset, by a chip reset, and by the watchdog while it sleeps and while it
 * waits. Each time it changes all that it can reach before, and looks for a trace of that first of all.
 */
#include "hybridtest.h"

#define FREE_END  0xFE000 /* stack from here */
#define ROUNDS    1000    /* traps of each life, for the counters */
#define PAGE_SIZE 1024

#define TCR_WRC_SHIFT 28
#define TCR_ARE_FIE   0x00C00000u
#define TSR_WRS(tsr)  ((tsr) >> 28 & 3)
#define DBSR_MRR(dbsr) ((dbsr) >> 8 & 3)
#define WRTEEI_0      0x7C000146u
#define MTMSR_R4      0x7C800124u

extern uint32_t _start[];
extern const char data_end[];

static const uint16_t plain_sprs[] = {0x01A, 0x01B, 0x100, 0x110, 0x111, 0x112, 0x113, 0x114, 0x115, 0x116, 0x117,
                                      0x3B0, 0x3B1, 0x3B3, 0x3B4, 0x3B5, 0x3B6, 0x3B7, 0x3B9, 0x3BA, 0x3BB, 0x3BC, 0x3BD,
                                      0x3D4, 0x3D5, 0x3D6, 0x3DA, 0x3DB, 0x3DE, 0x3DF, 0x3F2, 0x3F4, 0x3F5, 0x3F6, 0x3F7,
                                      0x3FA, 0x3FB};
#define SPRS (sizeof(plain_sprs) / 2)

static struct machine m;

static uint32_t reset_value(uint32_t number)
{
    return number == 0x3B3 ? 0x00700000 : number == 0x3B9 ? 0xFFFFFFFF : 0; /* CCR0, SGR */
}

/* One instruction mfspr or mtspr of a number that is known only now, in a function of its own. */
static uint32_t access_spr(uint32_t insn, uint32_t value)
{
    const uint32_t words[] = {insn, 0x4E800020}; /* blr */

    code_at(BUFFER, words, 2);
    return ((uint32_t(*)(uint32_t))BUFFER)(value);
}

/* ---- first of all ---- */

static void expect_zero(uint32_t from, uint32_t to)
{
    for (; from < to; from += 4) {
        expect("memory", from, 0, *(volatile uint32_t *)from);
    }
}

static void clean_memory(void)
{
    expect_zero(0x2200, ENTRY);
    expect_zero(ENTRY + sizeof(struct machine), 0x3000);
    expect_zero(BUFFER, FREE_END);
    expect_zero(STACK_TOP, RAM_SIZE);
}

static void clean_registers(void)
{
    for (uint32_t i = 0; i < 32; i++) {
        uint32_t given[] = {role, my_index, my_count, my_quantum_us};

        expect("register", i, i >= 3 && i < 7 ? given[i - 3] : 0, entry->gpr[i]);
    }
    expect("cr", 0, 0, entry->cr);
    expect("xer", 0, 0, entry->xer);
    expect("lr", 0, 0, entry->lr);
    expect("ctr", 0, 0, entry->ctr);
}

static uint32_t word(int32_t offset)
{
    return *(volatile uint32_t *)(PROTEUS_PAGE + (uint32_t)offset);
}

/* What stands before the words of page.def holds nothing between traps but what the hypervisor has put there in this life. */
static void clean_pages(void)
{
    for (int32_t offset = -PAGE_SIZE; offset < -320; offset += 4) {
        expect("page", (uint32_t)offset, 0, word(offset));
    }
    for (int32_t offset = -124; offset < 0; offset += 4) {
        uint32_t value = offset == PROTEUS_WORD_MSR ? MSR_ME : offset == PROTEUS_WORD_CCR0 ? 0x00700000 :
                         offset == PROTEUS_WORD_SGR ? 0xFFFFFFFF : 0;

        expect("page", (uint32_t)offset, value, word(offset));
    }
    for (int32_t offset = PROTEUS_WORD_PENDING; offset < PROTEUS_WORD_PREVIRT; offset += 4) {
        if (offset != PROTEUS_WORD_DBSR) {
            expect("page", (uint32_t)offset, 0, word(offset));
        }
    }
}

static void clean_devices(void)
{
    uint32_t value;

    controller_clean();
    expect("registers of the UART", 0, 0, board_uart_unclean());
    if (has(FEATURE_SERVICES)) {
        expect("sched_get", 0, 0, (uint32_t)proteus_sched_get(HCALL_SCHED_QUANTUM, &value));
        expect("quantum", 0, my_quantum, value);
    }
}

static void clean_sprs(void)
{
    for (uint32_t i = 0; i < SPRS; i++) {
        expect("register after a restart", plain_sprs[i], reset_value(plain_sprs[i]), access_spr(MFSPR(3, plain_sprs[i]), 0));
    }
}

/* Counters are the VM's, not of one life: they go on. */
static void check_counters(uint32_t life)
{
    uint32_t value;

    if (proteus_vm_stat(HCALL_STAT_WRTEEI, &value) == 0 && value / ROUNDS != life - 1) { /* table() makes some, too */
        fail("counter", life, (life - 1) * ROUNDS, value);
    }
}

/* ---- the end of a life ---- */

static void dirty_memory(void)
{
    static const uint32_t trap = TRAP;
    volatile uint32_t *at;

    for (at = (volatile uint32_t *)BUFFER; (uint32_t)at < FREE_END; at++) {
        *at = random_word() | 1;
    }
    for (at = (volatile uint32_t *)STACK_TOP; (uint32_t)at < RAM_SIZE; at++) {
        *at = random_word() | 1;
    }
    for (uint32_t address = ENTRY; address < 0x3000; address += 4) {
        *(volatile uint32_t *)address = random_word() | 1;
    }
    for (uint32_t i = 0; i < 16; i++) { /* without its code it does not start again */
        code_at((uint32_t)(_start + i), &trap, 1);
    }
    hybrid_seed ^= 0xFFFFFFFF;
}

static void dirty_devices(void)
{
    controller_dirty();
    board_uart_dirty();
    if (has(FEATURE_SERVICES)) {
        (void)proteus_sched_set(HCALL_SCHED_QUANTUM, 60000);
    }
}

static void dirty_sprs(void)
{
    for (uint32_t i = 0; i < SPRS; i++) {
        uint32_t number = plain_sprs[i];

        if (number != DBCR0 && number != TCR && number != PIT) {
            access_spr(MTSPR(number, 3), random_word() | 1);
        }
    }
    mtspr(DBCR0, random_word() & ~0x30000000u);
    mtspr(TCR, TCR_PIE | TCR_ARE_FIE);
    mtspr(PIT, 5000);
}

static void dirty_pages(void)
{
    for (int32_t offset = -PAGE_SIZE; offset < 0; offset += 4) {
        if (offset != PROTEUS_WORD_MSR) {
            *(volatile uint32_t *)(PROTEUS_PAGE + (uint32_t)offset) = random_word() | 1;
        }
    }
}

/* All registers random but those of the instruction: it resets, or waits for ever. */
static void last_words(uint32_t first, uint32_t r0, uint32_t r3, uint32_t r4)
{
    const uint32_t words[] = {first, TRAP};

    for (uint32_t i = 0; i < 32; i++) {
        m.gpr[i] = random_word() | 1;
    }
    m.gpr[0] = r0;
    m.gpr[3] = r3;
    m.gpr[4] = r4;
    m.cr = m.xer = 0xE0000001;
    m.lr = m.ctr = random_word() | 1;
    code_at(BUFFER, words, 2);
    dirty_pages();
    (void)run_code(&m, BUFFER, MSR_ME | MSR_DE);
    fail("no restart", first, 0, frame->vector);
}

static void end_life(uint32_t life)
{
    uint32_t reset = life & 1 ? 1 : 2; /* core, chip */

    for (uint32_t i = 0; i < ROUNDS; i++) {
        __asm__ volatile("wrteei 0");
    }
    dirty_memory();
    dirty_devices();
    dirty_sprs();
    if (life < 3) {
        last_words(MTSPR(DBCR0, 4), random_word(), random_word(), reset << 28);
    }
    mtspr(TCR, TCR_PIE | TCR_ARE_FIE | reset << TCR_WRC_SHIFT);
    if (life == 3 && has(FEATURE_SERVICES)) { /* asleep */
        last_words(SC, HCALL_TAG << 16 | HCALL_NR_SLEEP_UNTIL, time_low() + 0x7FFF0000, random_word());
    }
    last_words(MTMSR_R4, random_word(), random_word(), MSR_WE | MSR_DE);
}

/* Which life is it? By the cause of the last reset: 3 at boot, then what end_life() asked for. */
static uint32_t count_lives(void)
{
    uint32_t mrr = DBSR_MRR(mfspr(DBSR)), wrs = TSR_WRS(mfspr(TSR));

    if (wrs != 0) {
        expect("cause of the watchdog's reset", 0, mrr, wrs);
        return mrr == 1 ? 4 : 5;
    }
    return mrr == 3 ? 1 : mrr + 1;
}

static uint32_t sum_of_image(void)
{
    uint32_t sum = 0;

    for (uint32_t address = 0; address < (uint32_t)data_end; address += address == 0x21FC ? 0xE04 : 4) {
        sum = (sum << 1 | sum >> 31) ^ *(volatile uint32_t *)address;
    }
    return sum;
}

void start_again(void)
{
    uint32_t sum = sum_of_image(), life;

    clean_memory();
    clean_registers();
    clean_pages();
    clean_sprs();
    clean_devices();
    life = count_lives();
    check_counters(life);
    put_text("again: life ");
    put_decimal(life);
    put_text(" image ");
    put_hex(sum);
    put_text("\n");
    table();
    if (life < (has(FEATURE_TSR_STORE) ? 3 : 5)) { /* that feature: there is no watchdog */
        end_life(life);
    }
}
