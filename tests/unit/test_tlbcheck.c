/*
 * test_tlbcheck.c: the walk over the machine's TLB finds every entry that no partition gives (option TLB_CHECK).
 *
 * covers: kconfig.TLB_CHECK
 */
#include "harness.h"

#include <string.h>

#include "cpu.h"
#include "partition.h"
#include "tlb.h"

#define SHADOW    (TLB_ENTRIES - 1)                                     /* a row that this test makes */
#define SHADOW_OF(row) (0xC0000000U | ((row)->hi & 7 << 7) | TLBHI_V)     /* TLBHI, as large as what holds it */
#define CONTEXT(v) (VM_COUNT + 1 + ((uint32_t)((v) - vcpu)) * TLB_CONTEXTS) /* PID of its first context */

static const struct tlb_row *row_of(const struct vcpu *v)
{
    uint32_t i = 0;

    while (tlb_rows[i].tid != v->machine_pid) {
        i++;
    }
    return &tlb_rows[i];
}

static void shadow(uint32_t hi, uint32_t lo, uint32_t tid)
{
    shadow_turn = TLB_ROW_COUNT; /* behind it */
    shadow_owner[SHADOW] = (uint16_t)(tid << 8 | 1);
    fake.tlb_hi[SHADOW] = hi;
    fake.tlb_lo[SHADOW] = lo;
    fake.tlb_tid[SHADOW] = tid;
}

static void assert_found(void)
{
    EXPECT_MACHINE_RESET(tlb_check());
    assert_non_null(strstr(fake.output, "panic: TLB entry outside its partition"));
    fake.output_length = 0;
    fake.output[0] = 0;
}

static void nothing_to_find(void **state)
{
    uint32_t pid = fake.spr[SPRN_PID];
    uint32_t context, i;

    (void)state;
    tlb_check();
    assert_hex(fake.spr[SPRN_PID], pid);
    for (i = 0; i < VM_COUNT; i++) {
        for (context = 0; context < TLB_CONTEXTS; context++) {
            shadow(SHADOW_OF(row_of(&vcpu[i])), row_of(&vcpu[i])->lo, CONTEXT(&vcpu[i]) + context);
            tlb_check();
        }
    }
    shadow(0xC0000000 | 7 << 7, 0xFFFFFF00, 0); /* not valid: whatever it says */
    tlb_check();
    assert_hex(fake.spr[SPRN_PID], pid);
}

static void shadows_outside(void **state)
{
    uint32_t i, size;

    (void)state;
    for (i = 0; i < VM_COUNT; i++) {
        const struct vcpu *v = &vcpu[i];
        const struct tlb_row *row = row_of(v);
        uint32_t base = vm_config[i].ram_machine, bytes = vm_config[i].ram_size;
        const uint32_t bad[] = {0, base - 0x1000, base + bytes, 0x80000000, 0xFFFFF000};
        uint32_t b;

        for (b = 0; b < sizeof(bad) / sizeof(bad[0]); b++) {
            bool of_a_window = false;
            uint32_t r;

            for (r = 0; r < TLB_ROW_COUNT; r++) {
                uint32_t mask = ~0U << (10 + 2 * (tlb_rows[r].hi >> 7 & 7));
                of_a_window = of_a_window || (tlb_rows[r].tid == v->machine_pid && ((tlb_rows[r].lo ^ bad[b]) & mask) == 0);
            }
            if (!of_a_window) {
                shadow(0xC0000000 | 1 << 7 | TLBHI_V, bad[b] | (row->lo & 0x300), CONTEXT(v));
                assert_found();
            }
        }
        for (size = (row->hi >> 7 & 7) + 1; size < 8; size++) { /* larger than what holds it */
            shadow(0xC0000000 | size << 7 | TLBHI_V, row->lo, CONTEXT(v));
            assert_found();
        }
        shadow(SHADOW_OF(row), row->lo, v->machine_pid); /* real mode has static ones only */
        assert_found();
        shadow(SHADOW_OF(row), row->lo, 0); /* for everybody */
        assert_found();
        shadow(SHADOW_OF(row), row->lo, CONTEXT(&vcpu[VM_COUNT])); /* for nobody */
        assert_found();
        if (VM_COUNT > 1) {
            shadow(SHADOW_OF(row), row->lo, CONTEXT(&vcpu[(i + 1) % VM_COUNT])); /* for a neighbour */
            assert_found();
        }
        shadow(0, 0, 0);
        tlb_check();
    }
}

/* A right that the static entry does not have. */
static void rights_too_many(void **state)
{
    uint32_t i;
    uint32_t found = 0;

    (void)state;
    for (i = 0; i < TLB_ROW_COUNT; i++) {
        uint32_t missing = ~tlb_rows[i].lo & (TLBLO_EX | TLBLO_WR);

        if (missing != 0) {
            shadow(SHADOW_OF(&tlb_rows[i]), tlb_rows[i].lo, CONTEXT(&vcpu[tlb_rows[i].tid - 1]));
            tlb_check();
            shadow(SHADOW_OF(&tlb_rows[i]), tlb_rows[i].lo | missing, CONTEXT(&vcpu[tlb_rows[i].tid - 1]));
            assert_found();
            found++;
        }
    }
    assert_true(found > 0);
}

static void static_rows_changed(void **state)
{
    uint32_t i;

    (void)state;
    for (i = 0; i < TLB_ROW_COUNT; i++) {
        uint32_t hi = fake.tlb_hi[i], lo = fake.tlb_lo[i], tid = fake.tlb_tid[i];

        fake.tlb_hi[i] = 0;
        assert_found();
        fake.tlb_hi[i] = hi ^ 0x80000000;
        assert_found();
        fake.tlb_hi[i] = hi;
        fake.tlb_lo[i] = lo ^ 0x00100000;
        assert_found();
        fake.tlb_lo[i] = lo ^ TLBLO_WR;
        assert_found();
        fake.tlb_lo[i] = lo;
        fake.tlb_tid[i] = 0;
        assert_found();
        fake.tlb_tid[i] = tid;
        tlb_check();
    }
}

/* A shadow that tlb.c does not know of. */
static void forgotten(void **state)
{
    const struct tlb_row *row = row_of(&vcpu[0]);

    (void)state;
    shadow(SHADOW_OF(row), row->lo, CONTEXT(&vcpu[0]));
    tlb_check();
    shadow_owner[SHADOW] = 0;
    assert_found();
}

/* Two entries of one context for one address, the smaller at either end of the larger; of two contexts, or apart, they may be. */
static void overlaps(void **state)
{
    const struct tlb_row *row = row_of(&vcpu[0]);
    uint32_t size = row->hi >> 7 & 7, large = 0xC0000000, bytes = 1024U << 2 * size, place, first;

    assert_in_range(size, 1, 7);
    for (place = 0; place < 3; place++) {
        uint32_t at = large + (place == 0 ? 0 : place == 1 ? bytes - 1024 : bytes);

        for (first = 0; first < 2; first++) {
            fake.tlb_hi[SHADOW - 1] = first ? at | TLBHI_V : SHADOW_OF(row);
            fake.tlb_lo[SHADOW - 1] = row->lo;
            fake.tlb_tid[SHADOW - 1] = CONTEXT(&vcpu[0]) + 1;
            shadow(first ? SHADOW_OF(row) : at | TLBHI_V, row->lo, CONTEXT(&vcpu[0]));
            assert_ptr_equal(tlb_checked(current), current);
            shadow(fake.tlb_hi[SHADOW], row->lo, CONTEXT(&vcpu[0]) + 1);
            if (place == 2) {
                tlb_check_new();
                continue;
            }
            EXPECT_MACHINE_RESET(tlb_check_new());
            assert_non_null(strstr(fake.output, "panic: TLB entries overlap"));
            machine_boot(state);
        }
    }
}

/* Every bit of W I M G that the static entry has; a machine that reads none of them back cannot be asked. */
static void attributes_too_few(void **state)
{
    uint32_t i, bit, found = 0;

    (void)state;
    for (i = 0; i < TLB_ROW_COUNT; i++) {
        for (bit = 1; bit < 16; bit <<= 1) {
            uint32_t tid = CONTEXT(&vcpu[tlb_rows[i].tid - 1]);

            shadow(SHADOW_OF(&tlb_rows[i]), tlb_rows[i].lo | bit, tid);
            tlb_check();
            if ((tlb_rows[i].lo & bit) != 0 && IS_ENABLED(CONFIG_BOARD_VIRTEX)) {
                shadow(SHADOW_OF(&tlb_rows[i]), tlb_rows[i].lo & ~bit, tid);
                assert_found();
                found++;
            }
            shadow(0, 0, 0);
            fake.tlb_lo[i] ^= bit;
            if (IS_ENABLED(CONFIG_BOARD_VIRTEX)) {
                assert_found();
            } else {
                tlb_check();
            }
            fake.tlb_lo[i] ^= bit;
        }
    }
    assert_true(found > 0 || !IS_ENABLED(CONFIG_BOARD_VIRTEX));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_BOOTED(nothing_to_find),
        TEST_BOOTED(shadows_outside),
        TEST_BOOTED(rights_too_many),
        TEST_BOOTED(static_rows_changed),
        TEST_BOOTED(forgotten),
        TEST_BOOTED(overlaps),
        TEST_BOOTED(attributes_too_few),
    };

    return cmocka_run_group_tests_name("tlbcheck", tests, 0, 0);
}
