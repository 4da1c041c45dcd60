/*
 * tunnel.c: see tunnel.h. Both ends of one are on one processor, and this is done with interrupts off: each step is as a whole.
 */
#include "tunnel.h"

#include "cpu.h"
#include "irq.h"
#include "memory.h"
#include "partition.h"
#include "tlb.h"

#define ERROR(name) HCALL_E_##name

/* Of each end, TUNNEL_STATES; of each tunnel that nobody has open, how many pieces of its memory are zero: all, while one has. */
uint8_t tunnel_states[2 * TUNNEL_COUNT]; /* asm/ipcm.S */
static uint16_t cleared[TUNNEL_COUNT];

/* What becomes of both ends: digits of an end and the other one's. */
#define CLOSED  0
#define OPEN    TUNNEL_OPEN
#define PEER    (TUNNEL_OPEN | TUNNEL_PEER)
#define LOST    (TUNNEL_OPEN | TUNNEL_LOST)
#define WAITING TUNNEL_WAITING
#define BOTH(mine, its) ((mine) << 4 | (its))
#define ANY_OPEN        BOTH(TUNNEL_OPEN, TUNNEL_OPEN)

static const uint8_t steps[][2] = {
    /* connects */
    {BOTH(CLOSED, CLOSED), BOTH(OPEN, CLOSED)},
    {BOTH(CLOSED, OPEN), BOTH(PEER, PEER)},
    {BOTH(CLOSED, LOST), BOTH(WAITING, LOST)},
    /* has cleared it */
    {BOTH(CLOSED, WAITING), BOTH(CLOSED, OPEN)},
    /* leaves */
    {BOTH(OPEN, CLOSED), BOTH(CLOSED, CLOSED)},
    {BOTH(PEER, PEER), BOTH(CLOSED, LOST)},
    {BOTH(LOST, CLOSED), BOTH(CLOSED, CLOSED)},
    {BOTH(LOST, WAITING), BOTH(CLOSED, WAITING)},
    {BOTH(WAITING, LOST), BOTH(CLOSED, LOST)},
    {BOTH(WAITING, CLOSED), BOTH(CLOSED, CLOSED)},
};

bool memory_has_row(uint32_t row)
{
    return row < TLB_FIXED_ROWS || (tunnel_states[tunnel_row[row - TLB_FIXED_ROWS]] & TUNNEL_OPEN) != 0;
}

/* Its rows come or go; with them goes what was made of them for other contexts. Whose rows stay, notices nothing. */
static void become(uint32_t end, uint32_t next)
{
    const struct tunnel_end *e = &tunnel_end[end];
    bool changes = ((tunnel_states[end] ^ next) & TUNNEL_OPEN) != 0, opens = (next & TUNNEL_OPEN) != 0;
    uint32_t i;

    for (i = 0; changes && i < e->rows; i++) { /* loop: TLB_ROW_COUNT - TLB_FIXED_ROWS */
        memory_map(e->row + i, opens);
    }
    if (changes && !opens) {
        tlb_forget(&vcpu[e->vm]);
    }
    tunnel_states[end] = (uint8_t)next;
}

static __attribute__((noinline)) void ring(uint32_t end)
{
    const struct tunnel_end *e = &tunnel_end[end];

    if (e->line != VM_NO_LINE) {
        irq_raise(&vcpu[e->vm], e->line);
    }
}

/*
 * The end does what it can do. The last one who leaves leaves the memory full. Who connects rings, and who makes something of the
 * other.
 */
static __attribute__((noinline)) void step(uint32_t end)
{
    uint32_t now = BOTH(tunnel_states[end], tunnel_states[end ^ 1]), pid = cpu_mfspr(SPRN_PID), then, i;

    for (i = 0; steps[i][0] != now; i++) { /* loop: bytes.steps / 2 */
    }
    then = steps[i][1];
    become(end, then >> 4);
    become(end ^ 1, then & 15);
    cpu_mtspr(SPRN_PID, pid);
    if ((now & ANY_OPEN) != 0 && (then & ANY_OPEN) == 0) {
        cleared[end / 2] = 0;
    }
    if (((now ^ then) & 15) != 0 || then >> 4 != CLOSED) {
        ring(end ^ 1);
    }
}

__attribute__((noinline)) uint32_t tunnel_of(const struct vcpu *v, uint32_t n)
{
    const uint8_t *first = &tunnel_first[vcpu_index(v)];

    return n < (uint32_t)first[1] - first[0] ? tunnel_mine[first[0] + n] : TUNNEL_NONE;
}

uint32_t tunnel_state(uint32_t end)
{
    return (tunnel_end[end].word & ~TUNNEL_BOOT) | tunnel_states[end];
}

/* Whoever is at it goes on where the last one was; and who waited for it is there at its end. */
__attribute__((noinline)) bool tunnel_clear(uint32_t end)
{
    const struct tunnel_end *e = &tunnel_end[end];
    uint32_t at = MEMORY_PIECE * cleared[end / 2], left = (e->word & TUNNEL_SIZE) - at;

    if ((int32_t)left > 0) {
        memory_zero((tlb_rows[e->row].lo & TUNNEL_SIZE) + at, left < MEMORY_PIECE ? left : MEMORY_PIECE);
        cleared[end / 2]++;
        return true;
    }
    if ((tunnel_states[end] | tunnel_states[end ^ 1]) == WAITING) {
        step(tunnel_states[end] == WAITING ? end ^ 1 : end);
    }
    return false;
}

uint32_t tunnel_look(uint32_t end)
{
    tunnel_clear(end);
    return tunnel_state(end);
}

__attribute__((noinline)) int32_t tunnel_control(const struct vcpu *v, uint32_t n, uint32_t what)
{
    uint32_t end = tunnel_of(v, n), mine, its;

    if (end == TUNNEL_NONE) {
        return ERROR(ARGUMENT);
    }
    mine = tunnel_states[end];
    its = tunnel_states[end ^ 1];
    if (what == TUNNEL_NOTIFY) {
        if (mine != PEER || tunnel_end[end ^ 1].line == VM_NO_LINE) {
            return ERROR(STATE);
        }
        ring(end ^ 1);
        return 0;
    }
    if (what != TUNNEL_CONTROL_CLOSE) {
        if (mine != CLOSED || (what == TUNNEL_CONTROL_ACCEPT && its == CLOSED)) {
            return ERROR(STATE);
        }
        if (tunnel_clear(end)) {
            return TUNNEL_AGAIN;
        }
        step(end);
        return 0;
    }
    if (mine != CLOSED) {
        step(end);
    }
    return tunnel_clear(end) ? TUNNEL_AGAIN : 0;
}

/* On to the next one unless there is more to do for this; true as long as there is one. */
static bool next(struct vcpu *v, int32_t done)
{
    v->work_row += done != TUNNEL_AGAIN;
    return done != ERROR(ARGUMENT);
}

bool tunnel_leave_all(struct vcpu *v)
{
    return next(v, tunnel_control(v, v->work_row, TUNNEL_CONTROL_CLOSE));
}

bool tunnel_boot_all(struct vcpu *v)
{
    uint32_t end = tunnel_of(v, v->work_row);

    return next(v, end != TUNNEL_NONE && (tunnel_end[end].word & TUNNEL_BOOT) == 0
                       ? 0
                       : tunnel_control(v, v->work_row, TUNNEL_CONTROL_CONNECT));
}
