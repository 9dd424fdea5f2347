/* The tile kernels, written once over the vocabulary of simd_*.h: MR rows by NR = 2 VEC columns of accumulators stay in registers;
 * each step loads two vectors of columns, broadcasts one float per row, and multiplies and adds. Bodies take the number of rows
 * and vectors as constants, and are compiled for each, so that a small tile costs what it computes. */
#ifndef CC_GEMM_INC_H
#define CC_GEMM_INC_H

#include "kernels/gemm/gemm_kernels.h"
#include "kernels/macros.h"

/* rows = tile->m; vecs = 1 if tile->n <= VEC, else 2. */
ALWAYS_INLINE void gemm_body(const cc_tile *tile, const int rows, const int vecs)
{
    vec acc[MR][2];
    const int last = tile->n - (vecs - 1) * VEC; /* columns in the last vector */
    const bool full = last == VEC;
    const mask part = mask_first(last);
    const int64_t at = tile->column;

    vec start[2] = {vec_zero(), vec_zero()};
    if (tile->bias) {
        if (vecs == 2) start[0] = vec_load(tile->bias);
        start[vecs - 1] = vec_load_part(tile->bias + (vecs - 1) * VEC, part);
    }
    UNROLL
    for (int i = 0; i < rows; ++i) {
        acc[i][0] = start[0];
        if (vecs == 2) acc[i][1] = start[1];
    }
    for (int i = 0; i < rows; ++i) { /* what is written at the end should be there by then */
        PREFETCH(tile->y[i] + at);
        PREFETCH(tile->y[i] + at + last);
        if (vecs == 2 && VEC == LINE) PREFETCH(tile->y[i] + at + VEC);
    }

    const float *b = tile->b;
    const float *const *from = tile->a;
    for (int64_t t = 0; t < tile->taps; ++t, from += MR) {
        const float *a[MR];
        UNROLL
        for (int i = 0; i < rows; ++i) a[i] = from[i];
        for (int64_t k = 0; k < tile->depth;) {
            const int64_t end = tile->depth - k < LINE ? tile->depth : k + LINE;
            if (tile->next)
                for (int i = 0; i < rows; ++i) PREFETCH(tile->next[t * MR + i] + k);
            for (; k < end; ++k, b += NR) {
                const vec b0 = vec_load(b), b1 = vecs == 2 ? vec_load(b + VEC) : b0;
                UNROLL
                for (int i = 0; i < rows; ++i) {
                    const vec x = vec_set1(a[i][k]);
                    acc[i][0] = vec_fma(x, b0, acc[i][0]);
                    if (vecs == 2) acc[i][1] = vec_fma(x, b1, acc[i][1]);
                }
            }
        }
    }

    if (tile->accumulate) { /* at the end: a sum of blocks keeps more digits than one long chain */
        UNROLL
        for (int i = 0; i < rows; ++i) {
            const float *y = tile->y[i] + at;
            if (vecs == 2) acc[i][0] = vec_add(acc[i][0], vec_load(y));
            acc[i][vecs - 1] = vec_add(acc[i][vecs - 1], vec_load_part(y + (vecs - 1) * VEC, part));
        }
    }
    if (tile->relu) {
        UNROLL
        for (int i = 0; i < rows; ++i) {
            acc[i][0] = vec_max(vec_zero(), acc[i][0]);
            if (vecs == 2) acc[i][1] = vec_max(vec_zero(), acc[i][1]);
        }
    }
    UNROLL
    for (int i = 0; i < rows; ++i) {
        float *y = tile->y[i] + at;
        if (vecs == 2) vec_store(y, acc[i][0]);
        if (full)
            vec_store(y + (vecs - 1) * VEC, acc[i][vecs - 1]);
        else
            vec_store_part(y + (vecs - 1) * VEC, part, acc[i][vecs - 1]);
    }
}

/* rows = outer->m; full = whether outer->n is NR. */
ALWAYS_INLINE void outer_body(const cc_outer *outer, const int rows, const bool full)
{
    vec acc[MR][2];
    const mask m0 = mask_first(outer->n), m1 = mask_first(outer->n - VEC);
    UNROLL
    for (int i = 0; i < rows; ++i) acc[i][0] = acc[i][1] = vec_zero();
    for (int i = 0; i < rows; ++i) {
        PREFETCH(outer->y + i * outer->y_row);
        PREFETCH(outer->y + i * outer->y_row + outer->n);
    }
    const float *next = outer->next;

    for (int64_t l = 0; l < outer->lines; ++l) {
        const float *a = outer->a + l * outer->a_line, *b = outer->b + l * outer->b_line;
        for (int64_t s = 0; s < outer->steps; ++s, a += outer->a_step, b += outer->b_step) {
            if (next) {
                PREFETCH(next);
                PREFETCH(next + VEC);
                next += outer->next_step;
            }
            const vec b0 = full ? vec_load(b) : vec_load_part(b, m0);
            const vec b1 = full ? vec_load(b + VEC) : vec_load_part(b + VEC, m1);
            UNROLL
            for (int i = 0; i < rows; ++i) {
                const vec x = vec_set1(a[i]);
                acc[i][0] = vec_fma(x, b0, acc[i][0]);
                acc[i][1] = vec_fma(x, b1, acc[i][1]);
            }
        }
    }

    UNROLL
    for (int i = 0; i < rows; ++i) {
        float *y = outer->y + i * outer->y_row;
        if (full) {
            vec_store(y, vec_add(vec_load(y), acc[i][0]));
            vec_store(y + VEC, vec_add(vec_load(y + VEC), acc[i][1]));
        } else {
            vec_store_part(y, m0, vec_add(vec_load_part(y, m0), acc[i][0]));
            vec_store_part(y + VEC, m1, vec_add(vec_load_part(y + VEC, m1), acc[i][1]));
        }
    }
}

#define DEFINE_TILE(rows)                                                                                                      \
    static void gemm_tile_##rows##x1(const cc_tile *tile)                                                                      \
    {                                                                                                                          \
        gemm_body(tile, rows, 1);                                                                                              \
    }                                                                                                                          \
    static void gemm_tile_##rows##x2(const cc_tile *tile)                                                                      \
    {                                                                                                                          \
        gemm_body(tile, rows, 2);                                                                                              \
    }                                                                                                                          \
    static void outer_tile_##rows##_part(const cc_outer *outer)                                                                \
    {                                                                                                                          \
        outer_body(outer, rows, false);                                                                                        \
    }                                                                                                                          \
    static void outer_tile_##rows##_full(const cc_outer *outer)                                                                \
    {                                                                                                                          \
        outer_body(outer, rows, true);                                                                                         \
    }

EACH_UP_TO(MR, DEFINE_TILE)

static void gemm_tile(const cc_tile *tile)
{
#define ENTRY(rows) {gemm_tile_##rows##x1, gemm_tile_##rows##x2},
    static void (*const table[MR][2])(const cc_tile *) = {EACH_UP_TO(MR, ENTRY)};
#undef ENTRY
    table[tile->m - 1][tile->n > VEC](tile);
}

static void outer_tile(const cc_outer *outer)
{
#define ENTRY(rows) {outer_tile_##rows##_part, outer_tile_##rows##_full},
    static void (*const table[MR][2])(const cc_outer *) = {EACH_UP_TO(MR, ENTRY)};
#undef ENTRY
    table[outer->m - 1][outer->n == NR](outer);
}

static void pack_rows(float *to, int64_t pitch, const float *from, int64_t step, int64_t count, int width)
{
    const mask m0 = mask_first(width), m1 = mask_first(width - VEC);
    for (int64_t s = 0; s < count; ++s, to += pitch, from += step) {
        vec_store(to, vec_load_part(from, m0));
        if (width > VEC) vec_store(to + VEC, vec_load_part(from + VEC, m1));
    }
}

static void pack_transposed(float *to, const float *from, int64_t depth, int columns, int64_t step)
{
    for (int64_t k = 0; k < depth; k += VEC) {
        const int steps = depth - k < VEC ? (int)(depth - k) : VEC;
        for (int j = 0; j < NR; j += VEC) {
            vec square[VEC];
            for (int i = 0; i < VEC; ++i) {
                const float *line = from + (j + i) * step + k;
                square[i] = j + i >= columns ? vec_zero()
                            : steps == VEC   ? vec_load(line)
                                             : vec_load_part(line, mask_first(steps));
            }
            vec_transpose(square);
            for (int i = 0; i < steps; ++i) vec_store(to + (k + i) * NR + j, square[i]);
        }
    }
}

static const cc_gemm_kernels gemm_kernels = {
    .mr = MR,
    .nr = NR,
    .tile = gemm_tile,
    .outer_tile = outer_tile,
    .pack_rows = pack_rows,
    .pack_transposed = pack_transposed,
};

#endif
