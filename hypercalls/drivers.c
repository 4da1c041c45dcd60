/*
 * drivers.c: hypercalls that take the place of a device (option DRIVERS): the console, a buffer at a time.
 */
#include "console.h"
#include "cpu.h"
#include "hypercall.h"
#include "memory.h"
#include "partition.h"

/* The buffer of r3 and r4: machine address in *buffer, bytes to move in *count. Returns 0 or an error. */
static uint32_t buffer_of(const struct vcpu *v, uint32_t *buffer, uint32_t *count)
{
    uint32_t length = ARG(v, 1);

    if (vm_config[vcpu_index(v)].console_base == 0) {
        return (uint32_t)HCALL_E_STATE;
    }
    if (!memory_contains_all(v, ARG(v, 0), length)) {
        return (uint32_t)HCALL_E_POINTER;
    }
    *buffer = ARG(v, 0) + v->ram_offset;
    *count = length < HCALL_CONSOLE_MAX ? length : HCALL_CONSOLE_MAX;
    return 0;
}

uint32_t hcall_console_write(struct vcpu *v)
{
    uint32_t buffer, count, i;
    uint32_t error = buffer_of(v, &buffer, &count);

    if (error != 0) {
        return error;
    }
    for (i = 0; i < count && console_put(v, cpu_read8(buffer + i)); i++) { /* loop: HCALL_CONSOLE_MAX + 1 */
    }
    return i;
}

uint32_t hcall_console_read(struct vcpu *v)
{
    uint32_t buffer, count, i;
    uint32_t error = buffer_of(v, &buffer, &count);
    uint8_t byte;

    if (error != 0) {
        return error;
    }
    for (i = 0; i < count && console_get(v, &byte); i++) { /* loop: HCALL_CONSOLE_MAX + 1 */
        cpu_write8(buffer + i, byte);
    }
    return i;
}
