/*
 * services.c: hypercalls for what a bare 405 does not have (option SERVICES): other VMs, a name, counters.
 */
#include "services.h"

#include "board.h"

#include "console.h"
#include "cpu.h"
#include "hypercall.h"
#include "partition.h"
#include "sched.h"
#include "stats.h"

#define ERROR(name) ((uint32_t)HCALL_E_##name)

uint32_t hcall_yield(struct vcpu *v)
{
    (void)v;
    sched_yield();
    return 0;
}

/*
 * The guest waits with pc at the sc: whatever ends the wait, an interrupt or the time, it calls again, and so goes on waiting
 * or finds that the time has come. vcpu_can_run() knows of `sleeping`, services_wake() ends it.
 *
 * A time within half the counter's range ahead will come, one within a quarter of it ago has come. What is left between them
 * could be either, and is refused.
 */
#define AGO_MAX 0x40000000

uint32_t hcall_sleep_until(struct vcpu *v)
{
    int32_t ahead = (int32_t)(ARG(v, 0) - cpu_time());

    if (ahead <= 0) {
        return ahead < -AGO_MAX ? ERROR(ARGUMENT) : 0;
    }
    console_rest(v);
    v->wake = ARG(v, 0);
    v->sleeping = MSR_WE;
    v->pc -= 4;
    return ARG(v, 0);
}

/* Without a scheduler there is nothing to tell, and nothing to change. */
uint32_t hcall_sched_get(struct vcpu *v)
{
    if (IS_ENABLED(CONFIG_SCHED_CYCLIC) && ARG(v, 0) == HCALL_SCHED_PLAN) {
        ARG(v, 1) = sched_plan_get();
        return 0;
    }
    if (ARG(v, 0) > HCALL_SCHED_LEFT) {
        return ERROR(ARGUMENT);
    }
    if (IS_ENABLED(CONFIG_SCHED_SINGLE)) {
        return ERROR(STATE);
    }
    ARG(v, 1) = ARG(v, 0) == HCALL_SCHED_QUANTUM ? v->quantum : sched_left(cpu_time());
    return 0;
}

static uint32_t set_plan(const struct vcpu *v)
{
    if ((vm_config[vcpu_index(v)].flags & VM_PLANS) == 0) {
        return ERROR(STATE);
    }
    return sched_plan_set(ARG(v, 1)) ? 0 : ERROR(ARGUMENT);
}

/* From the next slice on, or the next frame. */
uint32_t hcall_sched_set(struct vcpu *v)
{
    if (IS_ENABLED(CONFIG_SCHED_CYCLIC) && ARG(v, 0) == HCALL_SCHED_PLAN) {
        return set_plan(v);
    }
    if (ARG(v, 0) != HCALL_SCHED_QUANTUM || ARG(v, 1) < PIT_TICKS_MIN || ARG(v, 1) > SCHED_QUANTUM_TICKS) {
        return ERROR(ARGUMENT);
    }
    if (IS_ENABLED(CONFIG_SCHED_SINGLE) || IS_ENABLED(CONFIG_SCHED_CYCLIC)) {
        return ERROR(STATE);
    }
    v->quantum = ARG(v, 1);
    return 0;
}

static uint32_t name_word(const char *name)
{
    return (uint32_t)(uint8_t)name[0] << 24 | (uint32_t)(uint8_t)name[1] << 16 | (uint32_t)(uint8_t)name[2] << 8 |
           (uint8_t)name[3];
}

uint32_t hcall_vm_info(struct vcpu *v)
{
    const struct vm_config *config = &vm_config[vcpu_index(v)];

    switch (ARG(v, 0)) {
    case HCALL_INFO_INDEX:
        ARG(v, 1) = vcpu_index(v);
        break;
    case HCALL_INFO_COUNT:
        ARG(v, 1) = VM_COUNT;
        break;
    case HCALL_INFO_NAME_HI:
        ARG(v, 1) = name_word(config->name);
        break;
    case HCALL_INFO_NAME_LO:
        ARG(v, 1) = name_word(config->name + 4);
        break;
    case HCALL_INFO_RAM:
        ARG(v, 1) = config->ram_size;
        break;
    case HCALL_INFO_TB_HZ:
        ARG(v, 1) = BOARD_TB_HZ;
        break;
    case HCALL_INFO_PREVIRT:
        ARG(v, 1) = vcpu_previrt(v);
        break;
    default:
        return ERROR(ARGUMENT);
    }
    return 0;
}

uint32_t hcall_vm_stat(struct vcpu *v)
{
    if (ARG(v, 0) >= STAT_COUNT) {
        return ERROR(ARGUMENT);
    }
    if (!IS_ENABLED(CONFIG_STATS)) {
        return ERROR(STATE);
    }
    ARG(v, 1) = stat_value(v, ARG(v, 0));
    return 0;
}
