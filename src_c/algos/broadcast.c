/* NumPy's broadcasting: see broadcast.h. */
#include "algos/broadcast.h"

/* Size of axis k of a result of this rank, as xs sees it: 1 in front of its own axes. */
static int64_t broadcast_aligned(const cc_shape *xs, int rank, int k)
{
    int own = k - (rank - xs->rank);
    return own < 0 ? 1 : xs->dim[own];
}

bool cc_broadcast_shape(const cc_shape *a, const cc_shape *b, cc_shape *y)
{
    cc_shape result = {.rank = a->rank > b->rank ? a->rank : b->rank};
    for (int k = 0; k < result.rank; ++k) {
        int64_t da = broadcast_aligned(a, result.rank, k), db = broadcast_aligned(b, result.rank, k);
        if (da == db || db == 1)
            result.dim[k] = da;
        else if (da == 1 || da < 0)
            result.dim[k] = db;
        else if (db < 0)
            result.dim[k] = da;
        else
            return false;
    }
    *y = result;
    return true;
}

unsigned cc_broadcast_repeated(const cc_shape *xs, const cc_shape *ys)
{
    unsigned axes = 0;
    for (int k = 0; k < ys->rank; ++k)
        if (ys->dim[k] != 1 && broadcast_aligned(xs, ys->rank, k) == 1) axes |= 1u << k;
    return axes;
}

void cc_broadcast_init(cc_broadcast *broadcast, const cc_shape *ys, int n, const cc_shape *xs)
{
    cc_broadcast merged = {.n = n, .rank = 0};
    int64_t step[CC_BROADCAST_OPERANDS]; /* elements of operand i in the axes seen so far */
    for (int i = 0; i < n; ++i) step[i] = 1;

    /* From the last axis to the first; merged axes are collected in that order, then turned round. */
    for (int k = ys->rank - 1; k >= 0; --k) {
        int64_t size = ys->dim[k], stride[CC_BROADCAST_OPERANDS];
        if (size == 1) continue;
        bool continues = merged.rank > 0; /* the previous axis, whole, is one step of this axis for every operand */
        for (int i = 0; i < n; ++i) {
            int64_t own = broadcast_aligned(&xs[i], ys->rank, k);
            stride[i] = own == 1 ? 0 : step[i];
            step[i] *= own;
            if (continues) {
                int last = merged.rank - 1;
                continues = stride[i] == merged.stride[i][last] * merged.dim[last];
            }
        }
        if (continues) {
            merged.dim[merged.rank - 1] *= size;
        } else {
            merged.dim[merged.rank] = size;
            for (int i = 0; i < n; ++i) merged.stride[i][merged.rank] = stride[i];
            ++merged.rank;
        }
    }
    if (merged.rank == 0) merged.dim[merged.rank++] = 1;

    *broadcast = merged;
    for (int k = 0; k < merged.rank; ++k) {
        broadcast->dim[k] = merged.dim[merged.rank - 1 - k];
        for (int i = 0; i < n; ++i) broadcast->stride[i][k] = merged.stride[i][merged.rank - 1 - k];
    }
}

static int64_t broadcast_run_length(const cc_walk *walk)
{
    const cc_broadcast *b = walk->broadcast;
    int64_t row = b->dim[b->rank - 1] - walk->index[b->rank - 1], rest = walk->end - walk->position;
    return row < rest ? row : rest;
}

cc_walk cc_walk_begin(const cc_broadcast *broadcast, cc_range range)
{
    cc_walk walk = {.broadcast = broadcast, .position = range.begin, .end = range.end, .run = 0};
    if (range.begin >= range.end) return walk;
    int64_t rest = range.begin;
    for (int k = broadcast->rank - 1; k >= 0; --k) {
        walk.index[k] = rest % broadcast->dim[k];
        rest /= broadcast->dim[k];
        for (int i = 0; i < broadcast->n; ++i) walk.offset[i] += walk.index[k] * broadcast->stride[i][k];
    }
    walk.run = broadcast_run_length(&walk);
    return walk;
}

void cc_walk_next(cc_walk *walk)
{
    const cc_broadcast *b = walk->broadcast;
    int last = b->rank - 1;
    walk->position += walk->run;
    if (walk->position >= walk->end) {
        walk->run = 0;
        return;
    }
    /* A run that is not the last of the range ends with its row: back to the row's start, then one step like an odometer. */
    for (int i = 0; i < b->n; ++i) walk->offset[i] -= walk->index[last] * b->stride[i][last];
    walk->index[last] = 0;
    for (int k = last - 1; k >= 0; --k) {
        for (int i = 0; i < b->n; ++i) walk->offset[i] += b->stride[i][k];
        if (++walk->index[k] < b->dim[k]) break;
        for (int i = 0; i < b->n; ++i) walk->offset[i] -= b->dim[k] * b->stride[i][k];
        walk->index[k] = 0;
    }
    walk->run = broadcast_run_length(walk);
}
