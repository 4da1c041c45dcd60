/*
 * test_memory.c: a partition's TLB entries and images.
 */
#include "harness.h"

#include <string.h>

#include "console.h"
#include "console.h"
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
        if ((vm_config[i].flags & VM_AUTOSTART) != 0) {
            assert_loaded(i);
        }
    }
}

/* Since remember(). */
static void assert_same_outside(uint32_t index)
{
    uint32_t first = (vm_config[index].ram_machine - FAKE_RAM_FIRST) / 4;
    uint32_t last = first + vm_config[index].ram_size / 4;
    uint32_t i;

    for (i = 0; i < FAKE_RAM_SIZE / 4; i++) {
        if ((i < first || i >= last) && fake.ram[i] != fake_was()->ram[i]) {
            fail_msg("VM %u wrote outside its memory", index);
        }
    }
}

/* Loaded again: nothing of the last life is left, and no neighbour's word changes. */
static void residue_cleared(void **state)
{
    uint32_t i, k;

    (void)state;
    for (i = 0; i < VM_COUNT; i++) {
        for (k = 0; k < FAKE_RAM_SIZE / 4; k++) {
            fake.ram[k] = random_word() | 1;
        }
        remember();
        vcpu_reset(&vcpu[i], 3);
        assert_loaded(i);
        assert_same_outside(i);
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
        vcpu_reset(&vcpu[i], 3);
        assert_false(fake.fetch_stale);
        for (k = 0; k < 8; k += 4) {
            assert_false(fake.dirty[(code + k) / FAKE_LINE]);
        }
    }
}

/* A guest believes its data cache empty: no line of its memory is there, dirty or clean. */
static void not_in_the_data_cache(void **state)
{
    uint32_t i, k;

    (void)state;
    for (i = 0; i < VM_COUNT; i++) {
        uint32_t first = (vm_config[i].ram_machine - FAKE_RAM_FIRST) / FAKE_LINE;

        vcpu_reset(&vcpu[i], 3);
        for (k = first; k < first + vm_config[i].ram_size / FAKE_LINE; k++) {
            assert_false(fake.dirty[k]);
            assert_false(fake.cached[k]);
        }
    }
}

/* Load VM `index` with these segments over random memory; what each byte is then. Everybody else's is as it was. */
static uint8_t loaded[FAKE_RAM_SIZE];
static void load_segments(uint32_t index, const struct vm_segment *segments, uint32_t count)
{
    uint32_t i;

    for (i = 0; i < FAKE_RAM_SIZE / 4; i++) {
        fake.ram[i] = random_word();
    }
    vm_image_storage[index].segments = segments;
    vm_image_storage[index].segment_count = count;
    remember();
    vcpu_reset(&vcpu[index], 3);
    assert_same_outside(index);
    for (i = 0; i < FAKE_RAM_SIZE; i++) {
        loaded[i] = fake.ram[i / 4] >> (24 - i % 4 * 8) & 0xFF;
    }
}

/* Byte `i` of the first VM's image. */
static uint8_t image_byte(uint32_t i)
{
    return fake_images[i / 4] >> (24 - i % 4 * 8) & 0xFF;
}

/* Bytes are copied, not words: at the end of the memory, and where two segments meet inside a word, whichever comes first. */
static void exact_bytes(void **state)
{
    uint32_t i, k, order;

    (void)state;
    for (i = 0; i < VM_COUNT; i++) {
        uint32_t guest = vm_config[i].ram_guest, size = vm_config[i].ram_size;
        const struct vm_segment segments[2][4] = {
            {{guest + 0x101, 5, 5, fake_images}, {guest + 0x106, 9, 9, fake_images}, {guest + size - 1, 1, 1, fake_images},
             {guest + 0x10F, 2, 8, fake_images}},
            {{guest + 0x10F, 2, 8, fake_images}, {guest + 0x106, 9, 9, fake_images}, {guest + size - 1, 1, 1, fake_images},
             {guest + 0x101, 5, 5, fake_images}}};

        for (order = 0; order < 2; order++) {
            load_segments(i, segments[order], 4);
            assert_true(vcpu_can_run(&vcpu[i]) || (vm_config[i].flags & VM_AUTOSTART) == 0);
            for (k = 0; k < size; k++) {
                uint8_t want = k >= 0x101 && k < 0x106   ? image_byte(k - 0x101)
                               : k >= 0x106 && k < 0x10F ? image_byte(k - 0x106)
                               : k >= 0x10F && k < 0x111 ? image_byte(k - 0x10F)
                               : k == size - 1           ? image_byte(0)
                                                         : 0;

                assert_int_equal(loaded[vm_config[i].ram_machine - FAKE_RAM_FIRST + k], want);
            }
        }
    }
}

/* What tools/pack.py never writes: the VM is stopped, with a reason, before a byte of the segment is anywhere. */
static void segments_outside(void **state)
{
    volatile uint32_t i, k; /* survive the longjmp of a reset */

    (void)state;
    for (i = 0; i < VM_COUNT; i++) {
        uint32_t guest = vm_config[i].ram_guest, size = vm_config[i].ram_size;
        const struct vm_segment bad[] = {
            {guest + size - 1, 2, 2, fake_images}, {guest - 1, 4, 4, fake_images},      {guest + size, 1, 1, fake_images},
            {guest, size + 1, size + 1, fake_images}, {guest + 4, 0xFFFFFFFC, 0xFFFFFFFC, fake_images}, {~0U, 1, 1, fake_images},
            {guest + size / 2, 0x80000000, 0x80000000, fake_images}};

        for (k = 0; k < COUNT(bad); k++) {
            machine_boot(state);
            if (VM_COUNT == 1) {
                EXPECT_MACHINE_RESET(load_segments(i, &bad[k], 1));
                continue;
            }
            load_segments(i, &bad[k], 1);
            assert_false(vcpu_can_run(&vcpu[i]));
            console_flush();
            assert_true(!IS_ENABLED(CONFIG_MESSAGES) || strstr(fake.output, ": image outside its memory\n") != 0);
        }
    }
}

/* From the start: the other VMs run. */
static void boots_without(void **state)
{
    struct vm_segment bad = {vm_config[0].ram_guest - 4, 8, 8, fake_images};

    machine_setup(state);
    vm_image_storage[0].segments = &bad;
    vm_image_storage[0].segment_count = 1;
    if (VM_COUNT == 1) {
        EXPECT_MACHINE_RESET(enter(boot()));
        return;
    }
    boot_all();
    assert_false(vcpu_can_run(&vcpu[0]));
    run_vm(&vcpu[1]);
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
        TEST_BOOTED(not_in_the_data_cache),
        TEST_BOOTED(exact_bytes),
        TEST_BOOTED(segments_outside),
        TEST_BOOTED(boots_without),
        TEST_BOOTED(contains),
        TEST_BOOTED(fetches_its_own),
    };

    return cmocka_run_group_tests_name("memory", tests, 0, 0);
}
