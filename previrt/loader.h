/*
 * loader.h: pre-virtualization of a guest at its start (option PREVIRT).
 */
#ifndef PROTEUS_PREVIRT_LOADER_H
#define PROTEUS_PREVIRT_LOADER_H

#include <stdbool.h>

#include "abi.h"
#include "partition.h"
#include "vcpu.h"

#ifdef CONFIG_PREVIRT

/*
 * Patch the guest's code, freshly loaded and not yet fetched, by its image's rows. False: a row is bad, v->previrt says which
 * and why, and the image must be loaded again, for it is patched in part; then call again, and nothing happens.
 */
bool previrt_apply(struct vcpu *v, const struct vm_image *image);

#else

static inline bool previrt_apply(struct vcpu *v, const struct vm_image *image)
{
    (void)v, (void)image;
    return true;
}

#endif
#endif
