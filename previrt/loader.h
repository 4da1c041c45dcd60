/*
 * loader.h: pre-virtualization of a guest at its start (option PREVIRT).
 */
#ifndef PROTEUS_PREVIRT_LOADER_H
#define PROTEUS_PREVIRT_LOADER_H

#include "abi.h"
#include "partition.h"
#include "vcpu.h"

enum piece { PIECE_LAST, PIECE_MORE, PIECE_AGAIN };

#ifdef CONFIG_PREVIRT

/*
 * Patch a word of the guest's code, freshly loaded and not yet fetched: by its image's row v->previrt. PIECE_AGAIN: the row is
 * bad, v->previrt says which and why, and the image must be loaded again, for it is patched in part; then call again, and nothing
 * happens.
 */
enum piece previrt_apply(struct vcpu *v);

#else

static inline enum piece previrt_apply(struct vcpu *v)
{
    (void)v;
    return PIECE_LAST;
}

#endif
#endif
