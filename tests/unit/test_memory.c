/*
 * test_memory.c: a partition's TLB entries and images.
 */
#include "harness.h"

#include "memory.h"

/* Every entry as the partition table says, valid, under its VM's PID. */
static void tlb_entries(void **state)
{
    uint32_t i;

    (void)state;
    for (i = 0; i < TLB_ROW_COUNT; i++) {
        assert_hex(fake.tlb_hi[i], tlb_rows[i].hi);
        assert_true((fake.tlb_hi[i] & TLBHI_V) != 0);
        assert_hex(fake.tlb_lo[i], tlb_rows[i].lo);
        assert_hex(fake.tlb_tid[i], tlb_rows[i].tid);
        assert_in_range(fake.tlb_tid[i], 1, VM_COUNT);
    }
    for (; i < TLB_ENTRIES; i++) {
        assert_hex(fake.tlb_hi[i], 0);
    }
}

#ifdef CONFIG_IRFM

/* One of the two around the boundary. */
static bool is_register_page(uint32_t index, uint32_t guest)
{
    uint32_t boundary = vm_config[index].page;

    return boundary != 0 && guest - (boundary - BOARD_PAGE_MIN) < 2 * BOARD_PAGE_MIN;
}

/* The VM's own, of all the pages in their place; the first may be written, none executed. */
static void assert_register_page(const struct tlb_row *row, uint32_t guest, uint32_t size, uint32_t machine)
{
    uint32_t index = row->tid - 1, second = guest == vm_config[index].page;

    assert_int_equal(size, BOARD_PAGE_MIN);
    assert_hex(guest, vm_config[index].page - (second ? 0 : BOARD_PAGE_MIN));
    assert_hex(machine, REGISTERS_BASE + index * REGISTERS_STEP + second * BOARD_PAGE_MIN);
    assert_hex(row->lo & 0x300, second ? 0 : 0x100); /* EX, WR */
    assert_true(machine + BOARD_PAGE_MIN <= FAKE_RAM_FIRST);
}

#else

static bool is_register_page(uint32_t index, uint32_t guest)
{
    (void)index, (void)guest;
    return false;
}

static void assert_register_page(const struct tlb_row *row, uint32_t guest, uint32_t size, uint32_t machine)
{
    (void)row, (void)guest, (void)size, (void)machine;
    fail();
}

#endif

static bool is_window(uint32_t index, uint32_t machine, uint32_t size)
{
    const struct window *window;

    for (window = windows; window->size != 0; window++) {
        if (window->vm == index && machine >= window->base && machine - window->base + size <= window->size) {
            return true;
        }
    }
    return false;
}

/* No entry reaches the hypervisor or another VM's memory. */
static void tlb_entries_stay_inside(void **state)
{
    uint32_t i;

    (void)state;
    for (i = 0; i < TLB_ROW_COUNT; i++) {
        const struct vm_config *config = &vm_config[tlb_rows[i].tid - 1];
        uint32_t size = 1024U << 2 * (tlb_rows[i].hi >> 7 & 7);
        uint32_t guest = tlb_rows[i].hi & ~(size - 1) & 0xFFFFFC00;
        uint32_t machine = tlb_rows[i].lo & 0xFFFFFC00;

        if (is_register_page(tlb_rows[i].tid - 1, guest)) {
            assert_register_page(&tlb_rows[i], guest, size, machine);
            continue;
        }
        if (is_window(tlb_rows[i].tid - 1, machine, size)) {
            assert_hex(guest, machine);
            assert_hex(tlb_rows[i].lo & 0x3FF, 0x105); /* WR, I, G */
            continue;
        }
        assert_true(guest - config->ram_guest < config->ram_size);
        assert_true(size <= config->ram_size - (guest - config->ram_guest));
        assert_hex(machine, guest - config->ram_guest + config->ram_machine);
    }
}

static uint32_t image_word(uint32_t index, uint32_t word)
{
    return fake_images[6 * index + word];
}

/* Segments where they belong, everything else zero: .bss, and what was there before. */
static void assert_loaded(uint32_t index)
{
    const struct vm_config *config = &vm_config[index];
    uint32_t i;

    for (i = 0; i < config->ram_size; i += 4) {
        uint32_t expected = 0;
        uint32_t word = fake.ram[(config->ram_machine + i - FAKE_RAM_FIRST) / 4];

        if (i >= ENTRY && i < ENTRY + 8) {
            expected = image_word(index, (i - ENTRY) / 4);
        } else if (i >= DATA_AT && i < DATA_AT + 4 * DATA_WORDS) {
            expected = image_word(index, 2 + (i - DATA_AT) / 4);
        }
        if (word != expected) {
            fail_msg("VM %u: %08x at %08x, not %08x", index, word, i, expected);
        }
    }
}

static void loaded_at_boot(void **state)
{
    uint32_t i;

    (void)state;
    for (i = 0; i < VM_COUNT; i++) {
        assert_loaded(i);
    }
}

/* Loaded again: nothing of the last life is left, and no neighbour's word changes. */
static void residue_cleared(void **state)
{
    uint32_t before[FAKE_RAM_SIZE / 4];
    uint32_t i, k;

    (void)state;
    for (i = 0; i < VM_COUNT; i++) {
        uint32_t first = (vm_config[i].ram_machine - FAKE_RAM_FIRST) / 4;
        uint32_t last = first + vm_config[i].ram_size / 4;

        for (k = 0; k < FAKE_RAM_SIZE / 4; k++) {
            before[k] = fake.ram[k] = random_word() | 1;
        }
        memory_load(i);
        assert_loaded(i);
        for (k = 0; k < FAKE_RAM_SIZE / 4; k++) {
            if ((k < first || k >= last) && fake.ram[k] != before[k]) {
                fail_msg("VM %u wrote outside its memory", i);
            }
        }
    }
}

/* The code is in memory, not in the data cache alone, and the instruction cache holds nothing older. */
static void visible_to_fetch(void **state)
{
    uint32_t i, k;

    (void)state;
    for (i = 0; i < VM_COUNT; i++) {
        uint32_t code = vm_config[i].ram_machine + ENTRY - FAKE_RAM_FIRST;

        fake.fetch_stale = true;
        memory_load(i);
        assert_false(fake.fetch_stale);
        for (k = 0; k < 8; k += 4) {
            assert_false(fake.dirty[(code + k) / FAKE_LINE]);
        }
    }
}

static void contains(void **state)
{
    uint32_t i;

    (void)state;
    for (i = 0; i < VM_COUNT; i++) {
        uint32_t first = vm_config[i].ram_guest, size = vm_config[i].ram_size;

        assert_true(memory_contains(&vcpu[i], first));
        assert_true(memory_contains(&vcpu[i], first + size - 1));
        assert_false(memory_contains(&vcpu[i], first + size));
        assert_false(memory_contains(&vcpu[i], first - 1));
        assert_false(memory_contains(&vcpu[i], 0xFFFFFFFF));
        assert_false(memory_contains(&vcpu[i], 0xEF600300));
    }
}

static void fetches_its_own(void **state)
{
    uint32_t i;

    (void)state;
    for (i = 0; i < VM_COUNT; i++) {
        if ((vm_config[i].flags & VM_AUTOSTART) == 0) {
            continue;
        }
        run_vm(&vcpu[i]);
        vcpu[i].pc = vm_config[i].ram_guest + ENTRY;
        assert_hex(memory_fetch(&vcpu[i]), image_word(i, 0));
        vcpu[i].pc += 4;
        assert_hex(memory_fetch(&vcpu[i]), image_word(i, 1));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_BOOTED(tlb_entries),
        TEST_BOOTED(tlb_entries_stay_inside),
        TEST_BOOTED(loaded_at_boot),
        TEST_BOOTED(residue_cleared),
        TEST_BOOTED(visible_to_fetch),
        TEST_BOOTED(contains),
        TEST_BOOTED(fetches_its_own),
    };

    return cmocka_run_group_tests_name("memory", tests, 0, 0);
}
