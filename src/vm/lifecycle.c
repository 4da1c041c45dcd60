/*
 * lifecycle.c: a VM's start, restart and stop.
 *
 * All of it is work that the hypervisor does for the VM in the VM's own slices, so that nobody else pays for it: while `work` is
 * not zero the VM runs no instruction of its guest, but work_loop (asm/cold.S), which calls work() for one bounded piece after
 * the other, and lets interrupts in between them. To the scheduler it is a guest that computes.
 *
 * A report (vcpu.h) only says what is to be done, and that the guest does not run: MSR[WE] with nothing enabled. The next
 * decision that comes by finds the work, and from there on it has slices like any other.
 */
#include "lifecycle.h"

#include "board.h"
#include "console.h"
#include "cpu.h"
#include "health.h"
#include "irq.h"
#include "loader.h"
#include "memory.h"
#include "message.h"
#include "optimize.h"
#include "page.h"
#include "partition.h"
#include "roads.h"
#include "services.h"
#include "stats.h"
#include "timer.h"
#include "tlb.h"
#include "trace.h"
#include "tunnel.h"

/* The lowest byte of `work`: the next step. A start goes through all from WORK_LEAVE on; a stop is WORK_QUIT, WORK_STOP. */
#define WITH_TUNNELS IS_ENABLED(CONFIG_IPCM)
enum {
    WORK_NONE,
    WORK_QUIT,
    WORK_STOP = WORK_QUIT + WITH_TUNNELS,
    WORK_LEAVE,
    WORK_CLEAR = WORK_LEAVE + WITH_TUNNELS,
    WORK_LOAD,
    WORK_PATCH,
    WORK_TLB,
    WORK_CONNECT,
    WORK_START = WORK_CONNECT + WITH_TUNNELS
};
#define WORK_STEP(v)    ((v)->work & 0xFF)
#define WORK_CAUSE      0x00000300U /* as DBSR[MRR] */
#define WORK_TSR        TSR_WRS     /* what TSR tells after it */

/* Guests that are not stopped. */
static uint32_t vm_live;

static void report(struct vcpu *v, uint32_t work)
{
    v->msr = MSR_WE;
    v->pit_left = 0;
    v->tcr = 0;
    VCPU_AWAKE(v);
    v->work = work;
    v->work_at = 0;
    v->work_row = 0;
    vcpu_set_previrt(v, 0);
    services_reset(v);
    optimize_reset(v);
}

void lifecycle_restart(struct vcpu *v, uint32_t cause, uint32_t tsr)
{
    health_prepared(v);
    trace_now(v, restart, cause);
    report(v, tsr | cause << 8 | WORK_LEAVE);
}

void lifecycle_start(struct vcpu *v)
{
    vm_live |= 1U << vcpu_index(v);
    lifecycle_restart(v, 3, 0);
}

void vcpu_stop(struct vcpu *v, uint32_t cause, const char *text)
{
    message_stop(v, text);
    trace_now(v, stop, cause);
    if (health_ended(v, cause)) {
        lifecycle_restart(v, 3, 0);
    } else {
        report(v, WORK_QUIT);
    }
}

__attribute__((cold, noinline)) void vcpu_reset_request(struct vcpu *v, uint32_t cause, uint32_t tsr)
{
    if ((vm_config[vcpu_index(v)].flags & VM_RESTART) == 0) {
        vcpu_stop(v, STOP(RESET));
    } else {
        lifecycle_restart(v, cause, tsr);
    }
}

void lifecycle_init(struct vcpu *v)
{
    uint32_t flags = vm_config[vcpu_index(v)].flags;

    v->run_msr = MSR_GUEST;
    v->msr = MSR_WE;
    console_reset(v);
    if ((flags & VM_AUTOSTART) != 0) { /* at least one, says tools/partition.py */
        lifecycle_start(v);
    }
}

void lifecycle_stop(struct vcpu *v)
{
    health_ended(v, STOP_SUPERVISOR);
    trace_now(v, stop, STOP_SUPERVISOR);
    report(v, WORK_QUIT);
}

void lifecycle_end(void)
{
    console_flush();
    message_last();
    stat_report();
    console_flush();
    board_reset();
}

/* It is a guest again, which waits for ever. */
static struct vcpu *stop(struct vcpu *v)
{
    v->msr = MSR_WE;
    v->run_msr = MSR_GUEST;
    v->pc = 0;
    v->work = WORK_NONE;
    console_rest(v);
    vm_live &= ~(1U << vcpu_index(v));
    if (vm_live == 0) {
        lifecycle_end();
    }
    return schedule(v);
}

/* All registers, with the page that the guest may write in front of them, and then those that do not reset to zero. */
static void start(struct vcpu *v)
{
    const struct vm_image *image = &vm_image[vcpu_index(v)];
    uint32_t previrt = vcpu_previrt(v);
    uint32_t *word = page_first_word(v);
    uint32_t i;

    while (word < &v->machine_pid) { /* loop: VCPU_MACHINE_PID / 4 */
        *word++ = 0;
    }
    page_init(v, vm_config[vcpu_index(v)].flags);
    vcpu_set_previrt(v, previrt);
    v->pc = image->entry;
    for (i = 0; i < 5; i++) { /* loop: 5 */
        v->gpr[3 + i] = image->r3_to_r7[i];
    }
    v->dbsr = v->work & WORK_CAUSE;
    v->tsr = v->work & WORK_TSR;
    v->sgr = 0xFFFFFFFF;
    v->ccr0 = 0x00700000;
    v->work = WORK_NONE;
    v->run_msr = MSR_GUEST;
    services_reset(v);
    timer_reset(v);
    irq_reset(v);
    console_reset(v);
    stat_count(v, STAT_starts);
    health_started(v);
    trace_now(v, start, 0);
    vcpu_start(v);
}

/* A table that is refused, and perhaps applied in part: the image once more, then nothing of the table. */
static bool patch(struct vcpu *v)
{
    enum piece done = previrt_apply(v);

    if (done == PIECE_AGAIN) {
        v->work -= WORK_PATCH - WORK_CLEAR + 1; /* the one before that step */
    }
    return done == PIECE_MORE;
}

/* One piece of the step that it is at; true: there are more. */
static bool piece(struct vcpu *v)
{
    if (WITH_TUNNELS && (WORK_STEP(v) == WORK_QUIT || WORK_STEP(v) == WORK_LEAVE)) {
        return tunnel_leave_all(v);
    }
    if (WITH_TUNNELS && WORK_STEP(v) == WORK_CONNECT) {
        return tunnel_boot_all(v);
    }
    switch (WORK_STEP(v)) {
    case WORK_CLEAR:
        return memory_clear(v);
    case WORK_LOAD:
        return memory_load(v);
    case WORK_PATCH:
        return patch(v);
    default:
        tlb_reset(v);
        return false;
    }
}

struct vcpu *work(struct vcpu *v)
{
    if (WORK_STEP(v) == WORK_STOP) {
        return stop(v);
    }
    if (WORK_STEP(v) == WORK_START) {
        start(v);
        return v;
    }
    if (!piece(v)) {
        v->work++;
        v->work_at = 0;
        v->work_row = 0;
    }
    v->pc = (uint32_t)(uintptr_t)work_loop;
    return vcpu_can_run(v) ? v : schedule(v);
}
