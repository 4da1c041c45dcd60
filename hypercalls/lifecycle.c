/*
 * lifecycle.c: hypercalls of a supervisor (option LIFECYCLE): the VMs that the partition file gives it, and no others.
 */
#include "lifecycle.h"

#include "cpu.h"
#include "health.h"
#include "hypercall.h"
#include "memory.h"
#include "partition.h"
#include "stats.h"

#define ERROR(name) ((uint32_t)HCALL_E_##name)
/* May v have a say about that VM, of which there are VM_COUNT? 0 or an error. */
static uint32_t refused(const struct vcpu *v, uint32_t vm)
{
    if (vm >= VM_COUNT) {
        return ERROR(ARGUMENT);
    }
    return (vm_care[vcpu_index(v)].supervises >> vm & 1) != 0 ? 0 : ERROR(STATE);
}

/* The caller runs: the other one does not, and all of it is in its register file. */
uint32_t hcall_vm_control(struct vcpu *v)
{
    uint32_t vm = ARG(v, 0), action = ARG(v, 1);
    uint32_t error = action <= HCALL_CONTROL_RESTART ? refused(v, vm) : ERROR(ARGUMENT);

    if (error != 0) {
        return error;
    }
    return health_control(&vcpu[vm], action);
}

uint32_t hcall_vm_query(struct vcpu *v)
{
    uint32_t vm = ARG(v, 0), what = ARG(v, 1);
    uint32_t error = refused(v, vm);

    if (error != 0) {
        return error;
    }
    if (what == HCALL_QUERY_STATE) {
        ARG(v, 1) = health_state(&vcpu[vm]);
    } else if (what <= HCALL_QUERY_STORMS) {
        ARG(v, 1) = health[vm].query[what];
    } else if (what - HCALL_QUERY_STAT >= STAT_COUNT) {
        return ERROR(ARGUMENT);
    } else if (!IS_ENABLED(CONFIG_STATS)) {
        return ERROR(STATE);
    } else {
        ARG(v, 1) = stat_value(&vcpu[vm], what - HCALL_QUERY_STAT);
    }
    return 0;
}

uint32_t hcall_vm_failure(struct vcpu *v)
{
    const struct failure *failure = health_failure(ARG(v, 0));
    uint32_t buffer = ARG(v, 1);
    uint32_t i;

    if (failure == 0) {
        return ERROR(ARGUMENT);
    }
    if (refused(v, failure->vm) != 0) {
        return ERROR(STATE);
    }
    if (buffer % 4 != 0 || !memory_contains_all(v, buffer, 4 * HCALL_FAILURE_WORDS)) {
        return ERROR(POINTER);
    }
    for (i = 0; i < HCALL_FAILURE_WORDS; i++) { /* loop: HCALL_FAILURE_WORDS */
        cpu_write32(buffer + v->ram_offset + 4 * i, ((const uint32_t *)failure)[i]);
    }
    return 0;
}
