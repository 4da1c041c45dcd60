/*
 * harness.c: see harness.h.
 */
#include "harness.h"

#include <stdlib.h>
#include <string.h>

#include "lifecycle.h"
#include "page.h"

/* ---- what the assembler defines ---- */

/*
 * asm/low.S: with option IRFM the first register file does not stand at the beginning of the pages. The array is only reached
 * by its name.
 */
#ifdef CONFIG_IRFM
#define FRONT (BOARD_PAGE_MIN - offsetof(struct vcpu, version))
#else
#define FRONT 0
#endif
uint32_t register_area[(FRONT + VM_COUNT * sizeof(struct vcpu)) / 4];
__attribute__((used, noinline, noclone)) static void place_register_files(void)
{
    __asm__(".globl vcpu\n.set vcpu, register_area + %c0" : : "i"(FRONT));
}

struct vcpu *current, *bus_error_of;
uint32_t low_r31;
uint32_t idle_pc;
uint32_t idle_r31;
uint32_t slice_end;
uint32_t pit_road;

/* Only its address counts. */
void idle_loop(void)
{
    fail_msg("the idle loop is not to be called");
}

/* asm/cold.S: enter() calls work() in its place. */
void work_loop(void)
{
    fail_msg("the loop of work is not to be called");
}

/* asm/emul_spr.S, spr_table: the same formula. */
#define SPR_COLD 0x1FFC
#define SPR(name, number, field, read, write, mask, manual)                                                       \
    [((number) & 0x1F) << 2 | ((number) >> 5 & 3)] = ((number) >> 7) << 13 | offsetof(struct vcpu, field),
const uint16_t spr_table[128] = {
    [0 ... 127] = SPR_COLD,
#include "spr.def"
};
#undef SPR

/* asm/offsets.def, VCPU_CONTEXT_PID */
uint32_t context_pid(const struct vcpu *v)
{
#ifdef CONFIG_TLB_VIRT
    return v->context_pid;
#else
    return v->machine_pid;
#endif
}

/* asm/live.S, on a machine with QEMU's USPRG0 */
void vcpu_save_live(struct vcpu *v)
{
    v->srr2 = fake.spr[SPRN_SRR2];
    v->srr3 = fake.spr[SPRN_SRR3];
    v->usprg0 = fake.spr[SPRN_SPRG0];
}

void vcpu_load_live(struct vcpu *v)
{
    fake.spr[SPRN_SRR2] = v->srr2;
    fake.spr[SPRN_SRR3] = v->srr3;
    fake.spr[SPRN_SPRG4] = v->sprg4;
    fake.spr[SPRN_SPRG5] = v->sprg5;
    fake.spr[SPRN_SPRG6] = v->sprg6;
    fake.spr[SPRN_SPRG7] = v->sprg7;
    fake.spr[SPRN_SPRG0] = v->usprg0;
}

/* The machine goes on with the guest; here, its C function returns to the test first. */
void vcpu_start(struct vcpu *v)
{
    vcpu_load_live(v);
    fake.spr[SPRN_PID] = context_pid(v);
    fake.spr[SPRN_SRR1] = v->run_msr;
}

/* ---- images, as tools/pack.py would write them ---- */

#define ENTRY_WORD(index) (0x60000000U + (index)) /* nop-like, told apart by VM */
const uint32_t fake_images[] = {
#define IMAGE(index) ENTRY_WORD(index), 0x4E800020, 0xDA7A0000 + (index), 0x11111111, 0x22222222, 0x33333333,
    IMAGE(0) IMAGE(1) IMAGE(2) IMAGE(3)
};
const uint32_t fake_images_size = sizeof(fake_images);

#if VM_COUNT > 4
#error "more VMs than images"
#endif

static struct vm_segment segments[VM_COUNT][2];

/* Filled by prepare_images(): the addresses depend on the partition file. vm_image is const for the sources only. */
struct vm_image vm_image_storage[VM_COUNT];
extern const struct vm_image vm_image[VM_COUNT] __attribute__((alias("vm_image_storage")));

static void prepare_images(void)
{
    uint32_t i;

    for (i = 0; i < VM_COUNT; i++) {
        uint32_t base = vm_config[i].ram_guest;

        segments[i][0] = (struct vm_segment){base + ENTRY, 8, 8, &fake_images[6 * i]};
        segments[i][1] = (struct vm_segment){base + DATA_AT, 4 * DATA_WORDS, 4 * DATA_WORDS + DATA_BSS,
                                             &fake_images[6 * i + 2]};
        vm_image_storage[i] = (struct vm_image){
            .entry = base + ENTRY, .r3_to_r7 = {R3(i), 4, 5, 6, 7}, .segment_count = 2, .segments = segments[i]};
    }
}

/* The table of the partition file, as the sources see it. */
extern const struct tlb_row generated_rows[TLB_ROW_COUNT];
struct tlb_row partition_rows[TLB_ROW_COUNT + 1];
extern const struct tlb_row tlb_rows[TLB_ROW_COUNT] __attribute__((alias("partition_rows")));

/* config/<variant>/partitions.toml, once more by hand */
const struct window windows[] = {
#if defined(CONFIG_TLB_VIRT) && defined(CONFIG_BOARD_VIRTEX)
    {1, BOARD_TIMER_BASE, BOARD_PAGE_MIN},
    {1, BOARD_ETHERNET_BASE, BOARD_ETHERNET_SIZE},
    {2, BOARD_UARTLITE_BASE, BOARD_PAGE_MIN},
#elif defined(CONFIG_TLB_VIRT) && VM_COUNT > 1
    {1, BOARD_NVRAM_BASE, BOARD_NVRAM_SIZE},
    {1, BOARD_SRAM_BASE, BOARD_SRAM_SIZE},
#endif
    {0, 0, 0},
};

/* ---- machine ---- */

/* The data of the sources under test: the Makefile gives it a section of its own. */
extern char __start_proteus_data[], __stop_proteus_data[];

int machine_setup(void **state)
{
    (void)state;
    memset(__start_proteus_data, 0, (size_t)(__stop_proteus_data - __start_proteus_data));
    memset(&fake, 0, sizeof(fake));
    memset(file_of(&vcpu[0]), 0, VM_COUNT * sizeof(struct vcpu));
    current = bus_error_of = 0;
    low_r31 = 0;
    idle_pc = 0;
    slice_end = 0;
    pit_road = 0;
    fake.room = FAKE_ROOM;
    fake.input = "";
    fake.time = 0x1000;
    fake.spr[SPRN_PVR] = 0x51510950;
    memset(fake.ram, 0xEE, sizeof(fake.ram)); /* power-on garbage */
    prepare_images();
    memcpy(partition_rows, generated_rows, sizeof(generated_rows));
    partition_rows[TLB_ROW_COUNT] = (struct tlb_row){0};
    return 0;
}

void machine_boot_at(uint32_t time)
{
    machine_setup(0);
    fake.time = time;
    boot_all();
    run_vm(&vcpu[0]);
}

int machine_boot(void **state)
{
    (void)state;
    machine_boot_at(0x1000);
    return 0;
}

void run_vm(const struct vcpu *v)
{
    uint32_t i;

    for (i = 0; i < VM_COUNT && current != v; i++) {
        fake.time += SCHED_QUANTUM_TICKS;
        enter(schedule(current));
    }
    assert_ptr_equal(current, v);
}

void machine_boot_alone_at(uint32_t time)
{
    uint32_t i;

    machine_boot_at(time);
    for (i = 0; i < VM_COUNT; i++) {
        vcpu[i].msr = &vcpu[i] == current ? vcpu[i].msr : MSR_WE;
    }
}

int machine_boot_alone(void **state)
{
    (void)state;
    machine_boot_alone_at(0x1000);
    return 0;
}

bool is_at_work(const struct vcpu *v)
{
    return v->pc == (uint32_t)(uintptr_t)work_loop;
}

/* The machine has the registers of who runs now: switch.S. */
static void switch_to(struct vcpu *next)
{
    if (next == current) {
        return;
    }
    if (current != 0) {
        vcpu_save_live(current);
    }
    vcpu_load_live(next);
    fake.spr[SPRN_PID] = context_pid(next);
    fake.spr[SPRN_SRR1] = next->run_msr;
    current = next;
}

uint32_t pieces;

/* All of the work of who runs next, and of who runs then: no time passes. */
static struct vcpu *all_work(struct vcpu *next)
{
    while (is_at_work(next)) {
        switch_to(next);
        assert_int_equal(fake.spr[SPRN_SRR1], MSR_WORK);
        assert_true(pieces++ < 100000);
        next = work(next);
    }
    return next;
}

void finish_work(struct vcpu *v)
{
    struct vcpu *running = current;

    while (v->work != 0) {
        if (!is_at_work(v)) {
            vcpu_has_work(v);
        }
        switch_to(v);
        work(v);
    }
    if (running != 0) {
        switch_to(running);
    }
}

void vcpu_reset(struct vcpu *v, uint32_t cause)
{
    lifecycle_restart(v, cause, 0);
    finish_work(v);
}

struct vcpu *boot_all(void)
{
    struct vcpu *first = enter(boot());
    uint32_t i;

    for (i = 0; i < VM_COUNT; i++) {
        finish_work(&vcpu[i]);
    }
    return first;
}

struct vcpu *enter(struct vcpu *next)
{
    assert_non_null(next);
    next = all_work(next);
    assert_in_range(next - vcpu, 0, VM_COUNT - 1);
    switch_to(next);
    fake.spr[SPRN_SRR0] = next->pc;
    assert_int_equal(fake.spr[SPRN_PID], context_pid(next));
    assert_int_equal(fake.spr[SPRN_SRR1], is_idle() ? MSR_ME : MSR_GUEST);
    if (!is_idle()) { /* the promise of enter.S */
        assert_true(vcpu_can_run(next));
        assert_hex(next->pending & next->msr & (MSR_EE | MSR_CE), 0);
    }
    return next;
}

void waits(struct vcpu *v)
{
    v->msr = MSR_WE | MSR_EE;
    v->tcr = TCR_PIE;
    v->tsr = 0;
    v->pit_left = 0;
    v->pending = 0;
}

void computes(struct vcpu *v)
{
    waits(v);
    v->msr = MSR_EE;
}

bool is_idle(void)
{
    return current != 0 && current->pc == (uint32_t)(uintptr_t)idle_loop;
}

void irq_software(struct vcpu *v, uint32_t enabled, uint32_t active)
{
#ifdef CONFIG_BOARD_VIRTEX
    irq_write(v, INTC_MER, MER_ME);
    irq_write(v, INTC_ISR, active);
    irq_write(v, INTC_IER, enabled);
#else
    irq_write(v, UIC_SR, 0xFFFFFFFF);
    irq_write(v, UIC_ER, enabled);
    irq_write(v, UIC_SRS, active);
#endif
}

uint32_t machine_address(const struct vcpu *v, uint32_t address)
{
    return address + v->ram_offset;
}

uint32_t guest_word(const struct vcpu *v, uint32_t address)
{
    return cpu_read32(machine_address(v, address));
}

void set_guest_word(const struct vcpu *v, uint32_t address, uint32_t word)
{
    fake.ram[(machine_address(v, address) - FAKE_RAM_FIRST) / 4] = word;
}

struct vcpu *run_insn(struct vcpu *v, uint32_t insn, uint32_t esr)
{
    assert_ptr_equal(v, current);
    set_guest_word(v, v->pc, insn);
    fake.spr[SPRN_ESR] = esr;
    fake.spr[SPRN_SRR0] = v->pc;
    return enter(emulate(v));
}

/* ---- what was, and what may not change ---- */

static struct {
    uint32_t files[VM_COUNT * sizeof(struct vcpu) / 4];
    struct fake fake;
} before;

/* noinline: for the compiler the page in front of vcpu[] is no part of it. */
__attribute__((noinline)) uint32_t *file_of(const struct vcpu *v)
{
    return page_first_word(&vcpu[v - vcpu]);
}

struct vcpu *was(const struct vcpu *v)
{
    return (struct vcpu *)((uintptr_t)before.files + ((uintptr_t)v - (uintptr_t)file_of(&vcpu[0])));
}

struct fake *fake_was(void)
{
    return &before.fake;
}

void remember(void)
{
    if (current != 0) {
        vcpu_save_live(current);
    }
    memcpy(before.files, file_of(&vcpu[0]), sizeof(before.files));
    before.fake = fake;
}

void recall(void)
{
    memcpy(file_of(&vcpu[0]), before.files, sizeof(before.files));
    fake = before.fake;
    vcpu_load_live(current);
}

static void assert_same_words(const uint32_t *now, const uint32_t *then, size_t bytes, const char *what)
{
    size_t i;

    if (memcmp(now, then, bytes) == 0) {
        return;
    }
    for (i = 0; now[i] == then[i]; i++) {
    }
    fail_msg("%s: the word at 0x%zx is 0x%08X, not 0x%08X", what, 4 * i, now[i], then[i]);
}

static void assert_rows_as_before(uint32_t count)
{
    assert_same_words(fake.tlb_hi, before.fake.tlb_hi, 4 * count, "TLBHI");
    assert_same_words(fake.tlb_lo, before.fake.tlb_lo, 4 * count, "TLBLO");
    assert_same_words(fake.tlb_tid, before.fake.tlb_tid, 4 * count, "TID");
}

/* `what` is the VM's name; places count from its page, or its file where it has none. */
static void assert_file_as_before(uint32_t index)
{
    assert_same_words(file_of(&vcpu[index]), before.files + index * (sizeof(struct vcpu) / 4), sizeof(struct vcpu),
                      vm_config[index].name);
}

void assert_others_as_before(const struct vcpu *v)
{
    uint32_t first = (vm_config[v - vcpu].ram_machine - FAKE_RAM_FIRST) / 4;
    uint32_t last = first + vm_config[v - vcpu].ram_size / 4;
    uint32_t i;

    for (i = 0; i < VM_COUNT; i++) {
        if (&vcpu[i] != v) {
            assert_file_as_before(i);
        }
    }
    assert_same_words(fake.ram, before.fake.ram, 4 * first, "memory below the VM's");
    assert_same_words(fake.ram + last, before.fake.ram + last, sizeof(fake.ram) - 4 * last, "memory above the VM's");
    assert_rows_as_before(IS_ENABLED(CONFIG_TLB_VIRT) ? TLB_ROW_COUNT : TLB_ENTRIES); /* the others are anybody's */
}

void assert_as_before(void)
{
    uint32_t i;

    vcpu_save_live(current);
    for (i = 0; i < VM_COUNT; i++) {
        assert_file_as_before(i);
    }
    assert_same_words(fake.ram, before.fake.ram, sizeof(fake.ram), "memory");
    assert_same_words(fake.spr, before.fake.spr, sizeof(fake.spr), "the machine's SPRs");
    assert_same_words(fake.dcr, before.fake.dcr, sizeof(fake.dcr), "the machine's DCRs");
    assert_rows_as_before(TLB_ENTRIES);
    assert_string_equal(fake.output, before.fake.output);
    assert_ptr_equal(fake.input, before.fake.input);
    assert_int_equal(fake.uart_ier, before.fake.uart_ier);
}

/* ---- encodings ---- */

uint32_t with_rt(uint32_t insn, uint32_t reg)
{
    return (insn & ~(31U << 21)) | reg << 21;
}

uint32_t with_ra(uint32_t insn, uint32_t reg)
{
    return (insn & ~(31U << 16)) | reg << 16;
}

static const struct {
    const char *text;
    uint32_t word;
} encodings[] = {
#include "encodings.h"
};

uint32_t insn_word(const char *text)
{
    uint32_t i;

    for (i = 0; i < COUNT(encodings); i++) {
        if (strcmp(encodings[i].text, text) == 0) {
            return encodings[i].word;
        }
    }
    fail_msg("encode.py has not seen INSN(\"%s\")", text);
    return 0;
}

const uint32_t mfspr_r5[1024] = {
#include "mfspr.h"
};
const uint32_t mtspr_r5[1024] = {
#include "mtspr.h"
};

/* ---- the rest ---- */

void covered(const char *format, ...)
{
    const char *path = getenv("PROTEUS_COVERAGE");
    char name[64];
    va_list arguments;
    FILE *file;

    va_start(arguments, format);
    vsnprintf(name, sizeof(name), format, arguments);
    va_end(arguments);
    if (path == 0) {
        return;
    }
    file = fopen(path, "a");
    if (file == 0) {
        fail_msg("cannot write %s", path);
    }
    fprintf(file, "%s\n", name);
    fclose(file);
}

uint32_t random_word(void)
{
    static uint32_t state = 0x2545F491;

    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state;
}

void assert_hex_at(uint32_t actual, uint32_t expected, const char *what, const char *file, int line)
{
    if (actual != expected) {
        print_error("%s is 0x%08X, not 0x%08X\n", what, actual, expected);
        _fail(file, line);
    }
}
