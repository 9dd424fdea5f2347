/* The tile kernels, written once over the vocabulary of simd_*.h: rows by vectors of columns of accumulators stay in registers;
 * each step loads the vectors of columns, broadcasts one float per row, and multiplies and adds. A tile is MR rows by two vectors
 * (a panel, NR columns), MR_3 by three, or MR_1 by one. Bodies take the number of rows and vectors as constants, and are compiled
 * for each, so that a small tile costs what it computes.
 *
 * Where TILE_VECTORS is 3, tiles of three vectors are the usual ones. With AVX-512 a step of 14 x 2 is some 51 instructions for 28
 * multiply-adds, 20 of them loads (of the rows' 14 pointers three have no register), one of 9 x 3 some 43 for 27, with 12 loads.
 * Alone on a core both reach its multiply-adds; beside another program on the same core's other thread, which takes half of the
 * instructions that a core begins, 9 x 3 is faster by a tenth. */
#ifndef CC_GEMM_INC_H
#define CC_GEMM_INC_H

#include "kernels/gemm/few_rows.inc.h"
#include "kernels/gemm/gemm_kernels.h"
#include "kernels/macros.h"
#include "kernels/transpose/transpose.inc.h"

/* Where columns from j0 on stand in b: their first vector, the second one behind it, and the panel after the last one of theirs, of
 * whose lines each tile calls for its part; 0 if nobody does. Three vectors may begin in the middle of a panel. */
typedef struct gemm_columns {
    const float *b;
    int64_t second, then;
} gemm_columns;

/* Rows row .. row+rows-1 by `vecs` vectors of columns from j0 on. */
ALWAYS_INLINE void gemm_tile(const cc_gemm_block *g, const gemm_columns *columns, int64_t row, int64_t j0, const int rows,
                             const int vecs)
{
    vec acc[CC_MR_MAX][3];
    const int64_t left = g->n - j0;
    const int last = left < vecs * VEC ? (int)left - (vecs - 1) * VEC : VEC; /* columns in the last vector */
    const bool full = last == VEC;
    const mask part = mask_first(last);
    float *const *const to = g->y + row;
    const int64_t at = g->column + j0;

    vec start[3] = {vec_zero(), vec_zero(), vec_zero()};
    if (g->bias) {
        UNROLL
        for (int v = 0; v < vecs - 1; ++v) start[v] = vec_load(g->bias + j0 + v * VEC);
        start[vecs - 1] = vec_load_part(g->bias + j0 + (vecs - 1) * VEC, part);
    }
    UNROLL
    for (int i = 0; i < rows; ++i) {
        UNROLL
        for (int v = 0; v < vecs; ++v) acc[i][v] = start[v];
    }
    /* What is written should be there by then: the rows below first, then, strip by strip, the columns beside. */
    const bool next = j0 == 0 && row + 2 * rows <= g->m + g->ahead;
    if (next)
        for (int i = 0; i < rows; ++i) PREFETCH(to[rows + i] + at);
    if (left > vecs * VEC)
        for (int i = 0; i < rows; ++i) PREFETCH(to[i] + at + vecs * VEC);

    const int64_t panel = g->panel, second = vecs == 3 ? columns->second : VEC, then = columns->then;
    const float *b = columns->b;
    const int64_t line = g->then ? NR * row / g->m : 0, lines = g->then ? NR * (row + rows) / g->m : 0;
    const float *const *from = g->a + row;
    for (int64_t t = 0; t < g->taps; ++t, from += g->pitch) {
        const float *a[CC_MR_MAX];
        UNROLL
        for (int i = 0; i < rows; ++i) a[i] = from[i];
        for (int64_t k = 0; k < g->depth;) {
            const int64_t end = g->depth - k < LINE ? g->depth : k + LINE;
            if (next)
                for (int i = 0; i < rows; ++i) PREFETCH(from[rows + i] + k);
            for (int64_t i = line; i < lines; ++i) PREFETCH_L2(b + then + i * LINE);
            for (; k < end; ++k, b += NR) {
                vec w[3];
                w[0] = vec_load(b);
                if (vecs > 1) w[1] = vec_load(b + second);
                if (vecs > 2) w[2] = vec_load(b + panel);
                UNROLL
                for (int i = 0; i < rows; ++i) {
                    const vec x = vec_set1(a[i][k]);
                    UNROLL
                    for (int v = 0; v < vecs; ++v) acc[i][v] = vec_fma(x, w[v], acc[i][v]);
                }
            }
        }
    }

    if (g->accumulate) { /* at the end: a sum of blocks keeps more digits than one long chain */
        UNROLL
        for (int i = 0; i < rows; ++i) {
            const float *y = to[i] + at;
            UNROLL
            for (int v = 0; v < vecs - 1; ++v) acc[i][v] = vec_add(acc[i][v], vec_load(y + v * VEC));
            acc[i][vecs - 1] = vec_add(acc[i][vecs - 1], vec_load_part(y + (vecs - 1) * VEC, part));
        }
    }
    int act = g->act;
    TAKEN_HERE(act);
    if (act != CC_ACT_LINEAR) {
        const vec most = vec_set1(act == CC_ACT_RELU6 ? 6 : INFINITY);
        UNROLL
        for (int i = 0; i < rows; ++i) {
            UNROLL
            for (int v = 0; v < vecs; ++v) acc[i][v] = vec_min(most, vec_max(vec_zero(), acc[i][v]));
        }
    }
    UNROLL
    for (int i = 0; i < rows; ++i) {
        float *y = to[i] + at;
        UNROLL
        for (int v = 0; v < vecs - 1; ++v) vec_store(y + v * VEC, acc[i][v]);
        if (full)
            vec_store(y + (vecs - 1) * VEC, acc[i][vecs - 1]);
        else
            vec_store_part(y + (vecs - 1) * VEC, part, acc[i][vecs - 1]);
    }
}

/* So many tiles of one shape, one below the other. */
#define DEFINE_TILES(rows, vecs)                                                                                               \
    static void gemm_tiles_##rows##x##vecs(const cc_gemm_block *given, const gemm_columns *columns, int64_t row,               \
                                           int64_t tiles, int64_t j0)                                                          \
    {                                                                                                                          \
        const cc_gemm_block g = *given;                                                                                        \
        for (; tiles > 0; --tiles, row += rows) gemm_tile(&g, columns, row, j0, rows, vecs);                                   \
    }
#define DEFINE_TILES_1(rows) DEFINE_TILES(rows, 1)
#define DEFINE_TILES_2(rows) DEFINE_TILES(rows, 2)
#define DEFINE_TILES_3(rows) DEFINE_TILES(rows, 3)
EACH_UP_TO(MR_1, DEFINE_TILES_1)
EACH_UP_TO(MR, DEFINE_TILES_2)
EACH_UP_TO(MR_3, DEFINE_TILES_3)

/* All rows of one to three vectors of columns, in tiles of about the same height: a low one has too few sums on their way for
 * the units that multiply and add. */
static void gemm_strip(const cc_gemm_block *g, int64_t j0, int vecs)
{
#define ENTRY_1(rows) gemm_tiles_##rows##x1,
#define ENTRY_2(rows) gemm_tiles_##rows##x2,
#define ENTRY_3(rows) gemm_tiles_##rows##x3,
    static void (*const table[3][CC_MR_MAX])(const cc_gemm_block *, const gemm_columns *, int64_t, int64_t, int64_t) = {
        {EACH_UP_TO(MR_1, ENTRY_1)}, {EACH_UP_TO(MR, ENTRY_2)}, {EACH_UP_TO(MR_3, ENTRY_3)}};
#undef ENTRY_1
#undef ENTRY_2
#undef ENTRY_3
    const int64_t half = j0 % NR, panel = g->panel;
    gemm_columns columns = {.b = g->b + j0 / NR * panel + half, .second = half ? panel - VEC : VEC};
    if (g->then) columns.then = g->n - j0 > vecs * VEC ? (half / VEC + vecs + 1) / 2 * panel - half : g->then - columns.b;
    const int64_t most = vecs == 1 ? MR_1 : vecs == 2 ? MR : MR_3;
    const int64_t tiles = (g->m + most - 1) / most, rows = g->m / tiles, higher = g->m % tiles;
    if (higher) table[vecs - 1][rows](g, &columns, 0, higher, j0);
    table[vecs - 1][rows - 1](g, &columns, higher * (rows + 1), tiles - higher, j0);
}

/* Strips outermost: what is loaded of b stays in the first-level cache for all rows, if it fits there. Those of two vectors come
 * first, and so begin with a panel. */
static void gemm_block(const cc_gemm_block *g)
{
    const int64_t vectors = (g->n + VEC - 1) / VEC;
    for (int64_t v = 0, vecs; v < vectors; v += vecs) {
        const int64_t left = vectors - v;
        vecs = left == 1 ? 1 : left == 3 || (TILE_VECTORS == 3 && left % 3 == 0) ? 3 : 2;
        gemm_strip(g, v * VEC, (int)vecs);
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

#define DEFINE_OUTER_TILE(rows)                                                                                                \
    static void outer_tile_##rows(const cc_outer *outer)                                                                       \
    {                                                                                                                          \
        if (outer->n == NR && !PARTS_ARE_FREE)                                                                                 \
            outer_body(outer, rows, true);                                                                                     \
        else                                                                                                                   \
            outer_body(outer, rows, false);                                                                                    \
    }

EACH_UP_TO(MR, DEFINE_OUTER_TILE)

static void outer_tile(const cc_outer *outer)
{
#define ENTRY(rows) outer_tile_##rows,
    static void (*const table[MR])(const cc_outer *) = {EACH_UP_TO(MR, ENTRY)};
#undef ENTRY
    table[outer->m - 1](outer);
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
    transpose_matrix(to, NR, from, step, depth, columns);
    for (int64_t k = 0; columns < NR && k < depth; ++k)
        for (int j = columns; j < NR; ++j) to[k * NR + j] = 0;
}

static const cc_gemm_kernels gemm_kernels = {
    .mr = MR,
    .nr = NR,
    .block = gemm_block,
    .outer_tile = outer_tile,
    .few_rows = few_rows,
    .pack_rows = pack_rows,
    .pack_transposed = pack_transposed,
};

#endif
