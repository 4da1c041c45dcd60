/*
 * mac.c: the multiply-accumulates, all 72 with their forms o, s and dot, and the 12 multiplies of halfwords: result,
 * XER[SO, OV] and
 * CR0 for every combination of some operands, against the manual's description. Counted is what is wrong, by form.
 */
#include "bare.h"

#define SO 0x80000000
#define OV 0x40000000

enum halves { CHW, HHW, LHW };      // cross, high, low: low with high half, high with high, low with low
enum form { PLAIN, SATURATE, OVERFLOW = 2, FORMS = 4 };

struct state {
    uint32_t result, xer, cr;
};

struct row {
    struct state (*run)(uint32_t rt, uint32_t ra, uint32_t rb);
    enum halves halves;
    uint8_t form, unsign, negative, multiply, dot;
};

#define RUN(name, dot, opcode)                                                                      \
    static struct state run_##name##_##dot(uint32_t rt, uint32_t ra, uint32_t rb)                   \
    {                                                                                               \
        struct state state = {.result = rt};                                                        \
        __asm__ volatile("li %1,0; mtxer %1; mtcr %1; " opcode " %0,%3,%4; mfxer %1; mfcr %2"       \
                         : "+r"(state.result), "=&r"(state.xer), "=&r"(state.cr)                    \
                         : "r"(ra), "r"(rb) : "cr0", "cr1", "cr2", "cr3", "cr4", "cr5", "cr6", "cr7", "xer"); \
        return state;                                                                               \
    }
#define ROW(name, halves, form, unsign, negative, multiply)                                         \
    {run_##name##_0, halves, form, unsign, negative, multiply, 0}, {run_##name##_1, halves, form, unsign, negative, multiply, 1},
#define BOTH(name, ...) RUN(name, 0, #name) RUN(name, 1, #name ".")

#define FORMS_OF(each, base, halves, unsign, negative)                                              \
    each(base, halves, PLAIN, unsign, negative, 0)                                                  \
    each(base##o, halves, OVERFLOW, unsign, negative, 0)
#define SIGNED_OF(each, base, halves, negative)                                                     \
    FORMS_OF(each, base, halves, 0, negative)                                                       \
    each(base##s, halves, SATURATE, 0, negative, 0)                                                 \
    each(base##so, halves, SATURATE | OVERFLOW, 0, negative, 0)
#define UNSIGNED_OF(each, base, halves)                                                             \
    FORMS_OF(each, base##u, halves, 1, 0)                                                           \
    each(base##su, halves, SATURATE, 1, 0, 0)                                                       \
    each(base##suo, halves, SATURATE | OVERFLOW, 1, 0, 0)
#define ALL(each)                                                                                   \
    SIGNED_OF(each, macchw, CHW, 0) UNSIGNED_OF(each, macchw, CHW) SIGNED_OF(each, nmacchw, CHW, 1) \
    SIGNED_OF(each, machhw, HHW, 0) UNSIGNED_OF(each, machhw, HHW) SIGNED_OF(each, nmachhw, HHW, 1) \
    SIGNED_OF(each, maclhw, LHW, 0) UNSIGNED_OF(each, maclhw, LHW) SIGNED_OF(each, nmaclhw, LHW, 1) \
    each(mulchw, CHW, PLAIN, 0, 0, 1) each(mulchwu, CHW, PLAIN, 1, 0, 1)                            \
    each(mulhhw, HHW, PLAIN, 0, 0, 1) each(mulhhwu, HHW, PLAIN, 1, 0, 1)                            \
    each(mullhw, LHW, PLAIN, 0, 0, 1) each(mullhwu, LHW, PLAIN, 1, 0, 1)

ALL(BOTH)
static const struct row rows[] = {ALL(ROW)};

static const uint32_t operands[] = {0, 1, 0x7FFF, 0x8000, 0xFFFF, 0x00010000, 0x7FFF7FFF, 0x80000000, 0x80008000,
    0x8000FFFF, 0xFFFF0001,
                                    0xFFFFFFFF, 0x12345678};
static const uint32_t targets[] = {0, 1, 0x3FFFFFFF, 0x7FFFFFFF, 0x80000000, 0x80000001, 0xC0000000, 0xFFFFFFFF, 0x11223344};
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int64_t half(uint32_t word, int high, int unsign)
{
    uint16_t bits = (uint16_t)(high ? word >> 16 : word);

    return unsign ? (int64_t)bits : (int64_t)(int16_t)bits;
}

static struct state expected(const struct row *row, uint32_t rt, uint32_t ra, uint32_t rb)
{
    int64_t product = half(ra, row->halves == HHW, row->unsign) * half(rb, row->halves != LHW, row->unsign);
    int64_t sum = (row->unsign ? (int64_t)rt : (int64_t)(int32_t)rt) + (row->negative ? -product : product);
    int64_t least = row->unsign ? 0 : INT32_MIN, most = row->unsign ? UINT32_MAX : INT32_MAX;
    int over = !row->multiply && (sum < least || sum > most);
    struct state state = {.result = (uint32_t)(row->multiply ? product : sum)};

    if (over && row->form & SATURATE) {
        state.result = (uint32_t)(sum < least ? least : most);
    }
    state.xer = over && row->form & OVERFLOW ? SO | OV : 0;
    if (row->dot) {
        state.cr = (int32_t)state.result < 0 ? 0x80000000 : state.result ? 0x40000000 : 0x20000000;
        state.cr |= state.xer & SO ? 0x10000000 : 0;
    }
    return state;
}

int main(void)
{
    uint32_t wrong[FORMS] = {0}, overflows = 0, multiplies = 0, records = 0, tried = 0;

    for (const struct row *row = rows; row < rows + COUNT(rows); row++) {
        for (uint32_t n = 0; n < COUNT(operands) * COUNT(operands) * COUNT(targets); n++) {
            uint32_t ra = operands[n % COUNT(operands)], rb = operands[n / COUNT(operands) % COUNT(operands)];
            uint32_t rt = targets[n / (COUNT(operands) * COUNT(operands))];
            struct state is = row->run(rt, ra, rb), should = expected(row, rt, ra, rb);

            tried++;
            *(row->multiply ? &multiplies : &wrong[row->form]) += is.result != should.result;
            overflows += is.xer != should.xer;
            records += row->dot && is.result == should.result && is.xer == should.xer && is.cr != should.cr;
        }
    }
    show("tried", tried);
    show("plain", wrong[PLAIN]);
    show("o", wrong[OVERFLOW]);
    show("s", wrong[SATURATE]);
    show("so", wrong[SATURATE | OVERFLOW]);
    show("multiply", multiplies);
    show("xer", overflows);
    show("cr", records);
    show("interrupts", interrupt.count);
    return 0;
}
