/* One arena for everything a plan computes: blocks whose lifetimes do not meet share their bytes. */
#ifndef CC_ARENA_H
#define CC_ARENA_H

#include "cconv.h"

typedef struct cc_arena_block {
    size_t bytes;    /* a multiple of 64 */
    int first, last; /* steps during which the block is in use, both included, from 0 */
    size_t offset;   /* the answer: a multiple of 64 */
} cc_arena_block;

/* Gives every block an offset, and tells the size of the arena. Greedy by size, as in Pisarchyk and Lee, "Efficient memory
 * management for deep neural net inference", 2020, section 5: the largest block first, each at the lowest offset where it fits
 * between the blocks that live at the same time. */
cconv_status cc_arena_place(cc_arena_block *blocks, int n, size_t *size);

#endif
