/*
 * test_layout.c: the types have the same layout on the host as on the 405 (the words that the assembler reaches by
 * offset), and the table of SPRs has a place for every row.
 */
#include "harness.h"

#include "console.h"
#include "stats.h"
#include "tlb.h"

/* asm/offsets.def, written down once more by hand for what the assembler's correctness hangs on. */
static void gpr_is_first_and_words_only(void **state)
{
    (void)state;
    assert_int_equal(offsetof(struct vcpu, gpr), 0);
    assert_int_equal(offsetof(struct vcpu, cr), 32 * 4);
    assert_int_equal(sizeof(struct vcpu) % 4, 0);
    assert_int_equal(_Alignof(struct vcpu), 4);
    assert_true(offsetof(struct vcpu, none) < 0x1FFC); /* no offset looks like spr_table's SPR_COLD */
}

static uint32_t compared;

static void compare(const char *name, size_t host, size_t target)
{
    if (host != target) {
        fail_msg("%s: %zu on the host, %zu on the target", name, host, target);
    }
    compared++;
}

/* Every offset that asm/offsets.def names, against the assembler's own table (target compiler, asm/offsets.def). */
static void host_and_target_agree(void **state)
{
    (void)state;
    compared = 0;
#define CONSTANT(name, value) compare(#name, value, TARGET_##name);
#define OFFSET(name, type, field) CONSTANT(name, offsetof(type, field))
#include "target_offsets.h"
#include "offsets.def"
    assert_true(compared > 60);
}

/* A word before `pit` is mfspr's on the hot road, one before `plain_end` mtspr's too: an access has no consequences. */
enum { PLAIN, LIVE, COLD, HOT, NEVER, MMU = IS_ENABLED(CONFIG_TLB_VIRT) ? COLD : PLAIN };

static const struct {
    const char *name;
    uint32_t number, offset, mask;
    int read, write;
} sprs[] = {
#define SPR(name, number, field, read, write, mask, manual)                                                       \
    {#name, number, offsetof(struct vcpu, field), mask, read, write},
#include "spr.def"
#undef SPR
};

static void order_of_words_decides_the_road(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(sprs); i++) {
        if (sprs[i].offset < offsetof(struct vcpu, pit) && sprs[i].read != PLAIN) {
            fail_msg("%s: mfspr has consequences, but is on the hot road", sprs[i].name);
        }
        if (sprs[i].offset < offsetof(struct vcpu, plain_end) && (sprs[i].write != PLAIN || sprs[i].mask != 0xFFFFFFFF)) {
            fail_msg("%s: mtspr has consequences, but is on the hot road", sprs[i].name);
        }
    }
}

/* Two rows in one place would make one of them somebody else's register. */
static void every_row_has_its_place(void **state)
{
    size_t i, k;

    (void)state;
    for (i = 0; i < COUNT(sprs); i++) {
        uint32_t n = sprs[i].number;

        assert_true(n < 1024);
        for (k = 0; k < i; k++) {
            assert_true((n & 31) != (sprs[k].number & 31) || (n >> 5 & 3) != (sprs[k].number >> 5 & 3));
        }
        assert_hex(spr_table[(n & 31) << 2 | (n >> 5 & 3)], sprs[i].offset | (n >> 7) << 13);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gpr_is_first_and_words_only),
        cmocka_unit_test(host_and_target_agree),
        cmocka_unit_test(order_of_words_decides_the_road),
        cmocka_unit_test(every_row_has_its_place),
    };

    return cmocka_run_group_tests_name("layout", tests, 0, 0);
}
