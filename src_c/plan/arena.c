/* Places blocks in the arena: sorted by size, then each at its lowest free offset. Knows bytes and lifetimes, nothing of nodes. */
#include "plan/arena.h"
#include <stdbool.h>

/* Blocks that fit the caches of a few cores all together share no bytes: the threads of a small network then write, run by run, the
 * lines that they wrote before, instead of taking over each other's. */
enum { APART = 2 << 20 };

/* Sifts order[root] down in a heap whose top is the block to be placed last: smallest, and of equals the one with the larger
 * number. */
static void sift(const cc_block *blocks, int *order, int root, int n)
{
    for (int child; (child = 2 * root + 1) < n; root = child) {
#define LATER(a, b) (blocks[a].bytes < blocks[b].bytes || (blocks[a].bytes == blocks[b].bytes && (a) > (b)))
        if (child + 1 < n && LATER(order[child + 1], order[child])) ++child;
        if (!LATER(order[child], order[root])) return;
#undef LATER
        int moved = order[root];
        order[root] = order[child];
        order[child] = moved;
    }
}

/* Heap sort: in place, allocates nothing, and ties have one order, so a plan is the same on every machine. */
static void sort_by_size(const cc_block *blocks, int n, int *order)
{
    for (int i = 0; i < n; ++i) order[i] = i;
    for (int i = n / 2 - 1; i >= 0; --i) sift(blocks, order, i, n);
    for (int end = n - 1; end > 0; --end) {
        int last = order[0];
        order[0] = order[end];
        order[end] = last;
        sift(blocks, order, 0, end);
    }
}

size_t cc_arena_place(cc_block *blocks, int n, int *order)
{
    size_t size = 0, total = 0;
    for (int i = 0; i < n; ++i) total += blocks[i].bytes;
    const bool apart = total <= APART;
    sort_by_size(blocks, n, order);
    for (int i = 0; i < n; ++i) {
        cc_block *block = &blocks[order[i]];
        block->offset = 0;
        /* Moving past one neighbour may run into another seen before: look again until nothing is in the way. */
        for (int moved = 1; moved;) {
            moved = 0;
            for (int j = 0; j < i; ++j) {
                const cc_block *other = &blocks[order[j]];
                int meet = apart || (block->first <= other->last && other->first <= block->last);
                if (meet && block->offset < other->offset + other->bytes && other->offset < block->offset + block->bytes) {
                    block->offset = other->offset + other->bytes;
                    moved = 1;
                }
            }
        }
        if (block->offset + block->bytes > size) size = block->offset + block->bytes;
    }
    return size;
}
