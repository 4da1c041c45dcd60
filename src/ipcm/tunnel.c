/*
 * tunnel.c: see tunnel.h. Both ends of one are on one processor, and this is done with interrupts off: each step is as a whole.
 */
#include "tunnel.h"

#include "irq.h"
#include "memory.h"
#include "partition.h"

static uint8_t state[2 * TUNNEL_COUNT];   /* TUNNEL_STATES of each end */
static uint32_t cleared[TUNNEL_COUNT];    /* so many bytes of the memory are zero, of one that nobody has */

static bool is_open(uint32_t end)
{
    return (state[end] & TUNNEL_OPEN) != 0;
}

static void ring(uint32_t end)
{
    const struct tunnel_end *e = &tunnel_end[end];

    if (e->line != VM_NO_LINE) {
        irq_raise(&vcpu[e->vm], e->line);
    }
}

uint32_t tunnel_of(const struct vcpu *v, uint32_t n)
{
    const uint8_t *first = &tunnel_first[vcpu_index(v)];

    return n < (uint32_t)first[1] - first[0] ? first[0] + n : TUNNEL_NONE;
}

uint32_t tunnel_state(uint32_t end)
{
    return (tunnel_end[end].word & ~TUNNEL_BOOT) | state[end];
}

/* The memory is zero, or what the other end has written, which is there alone. */
static void open(uint32_t end)
{
    const struct tunnel_end *e = &tunnel_end[end];

    state[end] = TUNNEL_OPEN;
    if (is_open(e->other)) {
        state[end] = TUNNEL_OPEN | TUNNEL_PEER;
        state[e->other] = TUNNEL_OPEN | TUNNEL_PEER;
    }
    rows_map(e->row, e->rows);
    ring(e->other);
}

/* The last one who leaves finds the memory full. */
static void leave(uint32_t end)
{
    const struct tunnel_end *e = &tunnel_end[end];

    if (is_open(end)) {
        rows_unmap(&vcpu[e->vm], e->row, e->rows);
        if (is_open(e->other)) {
            state[e->other] = TUNNEL_OPEN | TUNNEL_LOST;
            ring(e->other);
        } else {
            cleared[e->tunnel] = 0;
        }
    }
    state[end] = 0;
}

/* Whoever is at it goes on where the last one was; and who waited for it is there at its end. */
enum tunnel tunnel_clear(uint32_t end)
{
    const struct tunnel_end *e = &tunnel_end[end];
    uint32_t *done = &cleared[e->tunnel];
    uint32_t left = (e->word & TUNNEL_SIZE) - *done;

    if (is_open(end)) { /* a life begins when all is clear */
        return TUNNEL_DONE;
    }
    if (left != 0) {
        left = left < MEMORY_PIECE ? left : MEMORY_PIECE;
        memory_zero((tlb_rows[e->row].lo & TUNNEL_SIZE) + *done, left);
        *done += left;
        return TUNNEL_AGAIN;
    }
    if ((state[e->other] & TUNNEL_WAITING) != 0) {
        open(e->other);
        ring(e->other);
    }
    return TUNNEL_DONE;
}

enum tunnel tunnel_connect(uint32_t end, bool accept)
{
    uint32_t other = tunnel_end[end].other;

    if (state[end] != 0 || (accept && state[other] == 0)) {
        return TUNNEL_NOT_NOW;
    }
    if ((state[other] & TUNNEL_LOST) != 0) {
        state[end] = TUNNEL_WAITING;
        return TUNNEL_DONE;
    }
    if (tunnel_clear(end) == TUNNEL_AGAIN) {
        return TUNNEL_AGAIN;
    }
    open(end);
    return TUNNEL_DONE;
}

enum tunnel tunnel_close(uint32_t end)
{
    leave(end);
    return tunnel_clear(end);
}

bool tunnel_notify(uint32_t end)
{
    uint32_t other = tunnel_end[end].other;

    if ((state[end] & TUNNEL_PEER) == 0 || tunnel_end[other].line == VM_NO_LINE) {
        return false;
    }
    ring(other);
    return true;
}

bool tunnel_leave_all(struct vcpu *v)
{
    uint32_t end = tunnel_of(v, v->work_row);

    if (end != TUNNEL_NONE && tunnel_close(end) == TUNNEL_DONE) {
        v->work_row++;
    }
    return end != TUNNEL_NONE;
}

bool tunnel_boot_all(struct vcpu *v)
{
    uint32_t end = tunnel_of(v, v->work_row);

    if (end != TUNNEL_NONE && ((tunnel_end[end].word & TUNNEL_BOOT) == 0 || tunnel_connect(end, false) != TUNNEL_AGAIN)) {
        v->work_row++;
    }
    return end != TUNNEL_NONE;
}
