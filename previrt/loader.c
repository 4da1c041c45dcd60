/*
 * loader.c: see loader.h. The table is believed in nothing. What it writes is a guest's code, which can do no harm whatever
 * it is: what matters is where it writes, and that it is not applied in part.
 */
#include "loader.h"

#include "cpu.h"
#include "message.h"

enum piece previrt_apply(struct vcpu *v)
{
    const struct vm_config *config = &vm_config[vcpu_index(v)];
    const struct vm_image *image = &vm_image[vcpu_index(v)];
    const struct vm_patch *row = &image->patches[v->previrt];
    uint32_t reason = PREVIRT_REFUSED | PREVIRT_E_RANGE << 16;
    uint32_t at;

    if (v->previrt >= image->patch_count) {
        cpu_sync(); /* memory, then what is fetched from it */
        cpu_iccci();
        cpu_isync();
        return PIECE_LAST;
    }
    at = row->guest - config->ram_guest;
    if ((at & 3) == 0 && at < config->ram_size) {
        at += config->ram_machine;
        reason = PREVIRT_REFUSED | PREVIRT_E_WORD << 16;
        if (cpu_read32(at) == row->old) {
            cpu_write32(at, row->new);
            cpu_dcbf(at);
            v->previrt++;
            return PIECE_MORE;
        }
    }
    message_table(v, v->previrt, reason >> 16 & 15);
    v->previrt |= reason;
    return PIECE_AGAIN;
}
