/*
 * test_previrt.c: the loader of pre-virtualization tables (option PREVIRT) against a simple model: all of a table, or nothing
 * of it.
 *
 * covers: kconfig.PREVIRT
 */
#include "harness.h"

#include <string.h>

#include "console.h"
#include "page.h"

#define ROWS_MAX 48U
#define FUZZED   10000U
#define SEED     0x9E3779B9U

static struct vm_patch rows[VM_COUNT][ROWS_MAX + 1];

static void give_table(uint32_t index, uint32_t count)
{
    vm_image_storage[index].patches = count != 0 ? rows[index] : 0;
    vm_image_storage[index].patch_count = count;
}

/* As machine_boot(), with the tables given before. */
static void boot_with_tables(void)
{
    boot_all();
    run_vm(&vcpu[0]);
}

/* ---- the model ---- */

static uint32_t image_word(uint32_t index, uint32_t offset)
{
    if (offset >= ENTRY && offset < ENTRY + 8) {
        return fake_images[6 * index + (offset - ENTRY) / 4];
    }
    if (offset >= DATA_AT && offset < DATA_AT + 4 * DATA_WORDS) {
        return fake_images[6 * index + 2 + (offset - DATA_AT) / 4];
    }
    return 0;
}

static uint32_t model[FAKE_RAM_SIZE / 4];

static void model_load(uint32_t index)
{
    uint32_t i;

    for (i = 0; i < vm_config[index].ram_size / 4; i++) {
        model[i] = image_word(index, 4 * i);
    }
}

/* What becomes of the table: the word `previrt`. */
static uint32_t model_apply(uint32_t index, uint32_t count)
{
    uint32_t i;

    model_load(index);
    for (i = 0; i < count; i++) {
        const struct vm_patch *row = &rows[index][i];
        uint64_t first = vm_config[index].ram_guest, end = first + vm_config[index].ram_size;
        uint32_t reason = 0;

        if (row->guest % 4 != 0 || row->guest < first || row->guest >= end) {
            reason = PREVIRT_E_RANGE;
        } else if (model[(row->guest - first) / 4] != row->old) {
            reason = PREVIRT_E_WORD;
        }
        if (reason != 0) {
            model_load(index);
            return PREVIRT_REFUSED | reason << 16 | i;
        }
        model[(row->guest - first) / 4] = row->new;
    }
    return count;
}

static uint32_t *ram_of(uint32_t index)
{
    return &fake.ram[(vm_config[index].ram_machine - FAKE_RAM_FIRST) / 4];
}

static bool is_as_model(uint32_t index)
{
    return memcmp(ram_of(index), model, vm_config[index].ram_size) == 0;
}

/* Memory, word, and nothing left in the data cache of what was patched. */
static void assert_applied(uint32_t index, uint32_t count)
{
    uint32_t result = model_apply(index, count), i;

    assert_hex(vcpu[index].previrt, result);
    assert_true(is_as_model(index));
    for (i = 0; i < count && result == count; i++) {
        uint32_t at = rows[index][i].guest + vcpu[index].ram_offset - FAKE_RAM_FIRST;

        assert_false(fake.dirty[at / FAKE_LINE]);
    }
}

/* ---- tables ---- */

static void set_row(uint32_t index, uint32_t i, uint32_t offset, uint32_t old, uint32_t new)
{
    rows[index][i] = (struct vm_patch){vm_config[index].ram_guest + offset, old, new};
}

/* Code, data, .bss, the first word of the RAM and the last: ascending. Returns its length. */
static uint32_t good_table(uint32_t index)
{
    uint32_t n = 0;

    set_row(index, n++, 0, 0, 0x48000000);
    set_row(index, n++, ENTRY, image_word(index, ENTRY), 0x80600000);
    set_row(index, n++, ENTRY + 4, image_word(index, ENTRY + 4), 0x60000000);
    set_row(index, n++, DATA_AT + 8, image_word(index, DATA_AT + 8), 0xFFFFFFFF);
    set_row(index, n++, DATA_AT + 4 * DATA_WORDS, 0, 0x00000001);
    set_row(index, n++, vm_config[index].ram_size - 4, 0, 0x12345678);
    return n;
}

static void no_table(void **state)
{
    uint32_t i;

    (void)state;
    boot_with_tables();
    for (i = 0; i < VM_COUNT; i++) {
        assert_applied(i, 0);
        assert_hex(vcpu[i].previrt, 0);
    }
    assert_string_equal(fake.output, "");
}

static void good_tables(void **state)
{
    uint32_t i, count;

    (void)state;
    for (i = 0; i < VM_COUNT; i++) {
        give_table(i, good_table(i));
    }
    boot_with_tables();
    for (i = 0; i < VM_COUNT; i++) {
        count = vm_image_storage[i].patch_count;
        assert_applied(i, count);
        assert_hex(vcpu[i].previrt, count);
        assert_hex(vcpu[i].pc, vm_config[i].ram_guest + ENTRY);
        assert_hex(vcpu[i].gpr[3], R3(i));
    }
    assert_string_equal(fake.output, "");
}

/* One VM's table is no other's matter. */
static void one_table(void **state)
{
    uint32_t i, k;

    for (i = 0; i < VM_COUNT; i++) {
        machine_setup(state);
        give_table(i, good_table(i));
        boot_with_tables();
        for (k = 0; k < VM_COUNT; k++) {
            assert_applied(k, k == i ? good_table(i) : 0);
        }
    }
}

/* The message about VM `index`, if this configuration has any. */
static const char *expected_message(uint32_t index, uint32_t row, uint32_t reason)
{
    static char text[128];

    snprintf(text, sizeof(text), "[proteus] table %.8s word %u refused, runs unpatched: %s\n", vm_config[index].name,
             row, reason == PREVIRT_E_RANGE ? "outside the VM's memory" : "the code is another one");
    return IS_ENABLED(CONFIG_MESSAGES) ? text : "";
}

/* A bad row, anywhere in the table: which, why, one message, and the guest starts with the image as it is. */
static void bad_row(uint32_t index, uint32_t row, uint32_t offset, uint32_t old, uint32_t reason)
{
    uint32_t count, i;

    machine_setup(0);
    count = good_table(index);
    set_row(index, row, offset, old, 0xBAD0BAD0);
    give_table(index, count);
    boot_with_tables();
    assert_hex(vcpu[index].previrt, PREVIRT_REFUSED | reason << 16 | row);
    console_flush();
    assert_string_equal(fake.output, expected_message(index, row, reason));
    assert_applied(index, count);
    assert_hex(vcpu[index].pc, vm_config[index].ram_guest + ENTRY);
    assert_hex(vcpu[index].gpr[3], R3(index));
    for (i = 0; i < VM_COUNT; i++) {
        if (i != index) {
            assert_applied(i, 0);
        }
    }
}

static void bad_rows(void **state)
{
    uint32_t i, row, base, size;

    (void)state;
    for (i = 0; i < VM_COUNT; i++) {
        base = vm_config[i].ram_guest;
        size = vm_config[i].ram_size;
        for (row = 0; row < good_table(i); row++) {
            bad_row(i, row, size, 0, PREVIRT_E_RANGE);
            bad_row(i, row, size + 4, 0, PREVIRT_E_RANGE);
            bad_row(i, row, 0U - 4, 0, PREVIRT_E_RANGE);
            bad_row(i, row, 0xFFFFFFFC - base, 0, PREVIRT_E_RANGE);
            bad_row(i, row, 0x80000000, 0, PREVIRT_E_RANGE);
            bad_row(i, row, 1, 0, PREVIRT_E_RANGE);
            bad_row(i, row, 2, 0, PREVIRT_E_RANGE);
            bad_row(i, row, size - 1, 0, PREVIRT_E_RANGE);
            bad_row(i, row, 0x4000, 1, PREVIRT_E_WORD);
            bad_row(i, row, 0x4000, 0x80000000, PREVIRT_E_WORD);
            bad_row(i, row, ENTRY, image_word(i, ENTRY) ^ 1, PREVIRT_E_WORD);
        }
    }
}

/* ---- restart ---- */

static struct vcpu *guest_that_restarts(void)
{
    uint32_t i;

    for (i = 0; i < VM_COUNT && (vm_config[i].flags & VM_RESTART) == 0; i++) {
    }
    assert_true(i < VM_COUNT);
    return &vcpu[i];
}

static void restart(struct vcpu *v)
{
    run_vm(v);
    v->gpr[5] = 0x30000000;
    v->pc = vm_config[v - vcpu].ram_guest + ENTRY;
    v->msr = 0;
    run_insn(v, INSN("mtspr 0x3F2, 5"), ESR_PPR);
    run_vm(v);
}

/* The guest has changed its code, and its patched words; then it starts again: patched, as the first time. */
static void applied_again(void **state)
{
    struct vcpu *v = guest_that_restarts();
    uint32_t index = (uint32_t)(v - vcpu), count = good_table(index), round, i;

    (void)state;
    give_table(index, count);
    boot_with_tables();
    for (round = 0; round < 3; round++) {
        for (i = 0; i < vm_config[index].ram_size / 4; i++) {
            ram_of(index)[i] = random_word();
        }
        restart(v);
        assert_applied(index, count);
        assert_hex(v->previrt, count);
    }
    assert_string_equal(fake.output, "");
}

static void refused_again(void **state)
{
    struct vcpu *v = guest_that_restarts();
    uint32_t index = (uint32_t)(v - vcpu), count = good_table(index);

    (void)state;
    rows[index][count - 1].old ^= 0x10000;
    give_table(index, count);
    boot_with_tables();
    for (ram_of(index)[0] = 0xDEADDEAD; ram_of(index)[0] != 0;) {
        restart(v);
    }
    assert_applied(index, count);
    assert_hex(v->previrt, PREVIRT_REFUSED | PREVIRT_E_WORD << 16 | (count - 1));
}

/* A guest cannot make the hypervisor print (and wait for the UART) as often as it likes, by starting again. */
static void defect_one_message(void **state)
{
    struct vcpu *v = guest_that_restarts();
    uint32_t index = (uint32_t)(v - vcpu), count = good_table(index), round;

    (void)state;
    rows[index][count - 1].old ^= 0x10000;
    give_table(index, count);
    boot_with_tables();
    for (round = 0; round < 5; round++) {
        restart(v);
    }
    console_flush();
    assert_string_equal(fake.output, expected_message(index, count - 1, PREVIRT_E_WORD));
}

/* What was patched is in memory before the guest fetches it: dcbst alone does not wait (manual, "Cache Coherency"). */
static void defect_patches_are_in_memory(void **state)
{
    uint32_t i;

    (void)state;
    for (i = 0; i < VM_COUNT; i++) {
        give_table(i, good_table(i));
    }
    boot_with_tables();
    assert_false(fake.unsynced);
}

/* ---- fuzz ---- */

static uint32_t seed;

static uint32_t some_word(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 17;
    seed ^= seed << 5;
    return seed;
}

static uint32_t some_offset(uint32_t index)
{
    static const uint32_t places[] = {0, ENTRY - 4, ENTRY, ENTRY + 4, ENTRY + 8, DATA_AT, DATA_AT + 12, DATA_AT + 16};
    uint32_t word = some_word();

    return word % 2 != 0 ? places[word / 2 % COUNT(places)] : word / 2 % vm_config[index].ram_size & ~3U;
}

/* A table that is good, row by row. */
static uint32_t make_table(uint32_t index)
{
    uint32_t count = some_word() % ROWS_MAX, i;

    model_load(index);
    for (i = 0; i < count; i++) {
        uint32_t offset = some_offset(index);

        set_row(index, i, offset, model[offset / 4], some_word());
        model[offset / 4] = rows[index][i].new;
    }
    return count;
}

static uint32_t extreme(uint32_t index)
{
    const uint32_t words[] = {
        0, 1, 3, 4, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFC, 0xFFFFFFFF, vm_config[index].ram_guest - 4,
        vm_config[index].ram_guest + vm_config[index].ram_size, vm_config[index].ram_guest + vm_config[index].ram_size - 1,
        vm_config[index].ram_machine, 0xFFFFF000, 0xEF600300, 0x00008000, 0x00000700,
    };

    return words[some_word() % COUNT(words)];
}

static uint32_t mutate(uint32_t index, uint32_t count)
{
    struct vm_patch *row = &rows[index][some_word() % (count != 0 ? count : 1)];
    struct vm_patch other = rows[index][some_word() % (count != 0 ? count : 1)];
    uint32_t *word[] = {&row->guest, &row->old, &row->new};
    uint32_t which = some_word() % 3;

    switch (some_word() % 6) {
    case 0:
        *word[which] ^= 1U << some_word() % 32;
        break;
    case 1:
        *word[which] = some_word();
        break;
    case 2:
        *word[which] = extreme(index);
        break;
    case 3: /* twice, in the place of another one */
        *row = other;
        break;
    case 4: /* the end is missing */
        return count != 0 ? some_word() % count : 0;
    default: /* one more, of garbage */
        rows[index][count] = (struct vm_patch){some_word() & ~3U, some_word(), some_word()};
        return count < ROWS_MAX ? count + 1 : count;
    }
    return count;
}

static struct fake before;

static void fuzz_one(uint32_t round, uint32_t *refused)
{
    uint32_t index = round % VM_COUNT, count, mutations, result, first, last, words;
    struct vcpu *v = &vcpu[index];

    seed = SEED + round;
    count = make_table(index);
    for (mutations = some_word() % 4; mutations != 0; mutations--) {
        count = mutate(index, count);
    }
    give_table(index, count);
    result = model_apply(index, count);
    fake.output_length = 0;
    fake.writes = 0;
    vcpu_reset(v, 3);
    first = (vm_config[index].ram_machine - FAKE_RAM_FIRST) / 4;
    words = vm_config[index].ram_size / 4;
    last = first + words;
    if (!is_as_model(index) || v->previrt != result) {
        fail_msg("seed 0x%08X: previrt 0x%08X, not 0x%08X, or memory is not as it should be", SEED + round, v->previrt,
                 result);
    }
    if (memcmp(before.ram, fake.ram, 4 * first) != 0 ||
        memcmp(before.ram + last, fake.ram + last, sizeof(fake.ram) - 4 * last) != 0) {
        fail_msg("seed 0x%08X: a word outside the VM's memory changed", SEED + round);
    }
    if (fake.writes > 2 * (2 + DATA_WORDS) + count) { /* image, patches, and the image again */
        fail_msg("seed 0x%08X: %u words written for %u rows", SEED + round, fake.writes, count);
    }
    memcpy(&before.ram[first], &fake.ram[first], 4 * words);
    *refused += (result & PREVIRT_REFUSED) != 0;
}

static void fuzzed(void **state)
{
    uint32_t round, refused = 0;

    (void)state;
    boot_with_tables();
    before = fake;
    for (round = 0; round < FUZZED; round++) {
        fuzz_one(round, &refused);
    }
    assert_in_range(refused, FUZZED / 5, FUZZED * 4 / 5); /* of either kind enough */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(no_table, machine_setup),
        cmocka_unit_test_setup(good_tables, machine_setup),
        cmocka_unit_test(one_table),
        cmocka_unit_test(bad_rows),
        cmocka_unit_test_setup(applied_again, machine_setup),
        cmocka_unit_test_setup(refused_again, machine_setup),
        cmocka_unit_test_setup(defect_one_message, machine_setup),
        cmocka_unit_test_setup(defect_patches_are_in_memory, machine_setup),
        cmocka_unit_test_setup(fuzzed, machine_setup),
    };

    return cmocka_run_group_tests_name("previrt", tests, 0, 0);
}
