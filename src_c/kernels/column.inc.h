/* Columns of rows of channels, a vector wide, and what the families that go along them share. */
#ifndef CC_COLUMN_INC_H
#define CC_COLUMN_INC_H

#include "kernels/elementwise/activation.h"
#include "kernels/macros.h"

/* A vector of channels from i on, of which `part` exist. */
typedef struct column {
    int64_t i;
    mask part;
    bool full;
} column;

#define WHOLE(i)   ((column){(i), mask_first(VEC), true})
#define PART(i, c) ((column){(i), mask_first((int)((c) - (i))), false})

ALWAYS_INLINE vec column_load(const float *p, const column at)
{
    return at.full ? vec_load(p + at.i) : vec_load_part(p + at.i, at.part);
}

ALWAYS_INLINE void column_store(float *p, const column at, vec v)
{
    if (at.full)
        vec_store(p + at.i, v);
    else
        vec_store_part(p + at.i, at.part, v);
}

/* Of c channels in all. */
ALWAYS_INLINE vec column_load_bytes(const uint8_t *p, int64_t c, const column at)
{
    if (at.full) return vec_load_bytes(p + at.i);
    uint8_t bytes[VEC] = {0};
    for (int64_t i = at.i; i < c; ++i) bytes[i - at.i] = p[i];
    return vec_load_bytes(bytes);
}

ALWAYS_INLINE void column_store_bytes(uint8_t *p, int64_t c, const column at, vec v)
{
    if (at.full) {
        vec_store_bytes(p + at.i, v);
        return;
    }
    uint8_t bytes[VEC];
    vec_store_bytes(bytes, v);
    for (int64_t i = at.i; i < c; ++i) p[i] = bytes[i - at.i];
}

ALWAYS_INLINE vec minus(vec a, vec b)
{
    return vec_fma(b, vec_set1(-1), a);
}

/* A long sum: parts are added up in pairs, as the digits of a binary counter carry, so that its rounding error grows with the
 * logarithm of their number. */
enum { PAIRWISE_LEVELS = 24 };

typedef struct pairwise {
    vec sum[PAIRWISE_LEVELS]; /* of 2^k parts, where bit k of `parts` is set; the largest first */
    int64_t parts;
    int level;
} pairwise;

ALWAYS_INLINE void pairwise_add(pairwise *all, vec part)
{
    for (int64_t n = all->parts++; n & 1; n >>= 1) part = vec_add(all->sum[--all->level], part);
    all->sum[all->level++] = part;
}

ALWAYS_INLINE vec pairwise_total(const pairwise *all)
{
    vec total = vec_zero();
    for (int k = all->level - 1; k >= 0; --k) total = vec_add(all->sum[k], total);
    return total;
}

/* linear, relu or relu6. */
ALWAYS_INLINE vec clamp(vec v, const cc_activation act)
{
    if (act != CC_ACT_LINEAR) v = vec_max(vec_zero(), v); /* this way round a NaN stays one */
    if (act == CC_ACT_RELU6) v = vec_min(vec_set1(6), v);
    return v;
}

#endif
