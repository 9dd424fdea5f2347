/* Products of matrices: tiles of results held in registers, and the rearrangement of what they read. */
#ifndef CC_GEMM_KERNELS_H
#define CC_GEMM_KERNELS_H

#include "kernels/elementwise/activation.h"

#include <stdbool.h>
#include <stdint.h>

#define CC_MR_MAX 16 /* of any table's mr */

/* A block of a product, tile by tile, each of which stays in registers from its first multiplication to its last:
 *
 *     y[i][j] = start + sum over t, k of a[t][i][k] * b[t][k][j]             i in 0 .. m-1, j in 0 .. n-1
 *
 * with start = bias[j] or 0, and y[i][j] besides if accumulate; then the clamp `act`. y is read only if accumulate. Rows are given
 * by pointers ("indirection"), so that the rows of a may lie anywhere: a matrix, an image seen through a window, a row of zeros.
 * Every number is one chain of additions, t outermost: it does not depend on the tile that it falls into. */
typedef struct cc_gemm_block {
    int64_t m, n;
    int64_t taps, depth;   /* may be 0 */
    const float *const *a; /* [taps][pitch] pointers to `depth` floats, of which the first m are read */
    int64_t pitch;
    int64_t ahead;     /* so many pointers behind the m are the next block's, which may be prefetched */
    const float *b;    /* panels of [taps][depth][nr], see pack.h; columns from n on are zeros */
    int64_t panel;     /* floats from a panel to the next */
    const float *then; /* NULL, or, of a b that no near cache holds, what comes after the last panel: each is called for in time */
    float *const *y;   /* [m] pointers, and `ahead` */
    int64_t column;    /* added to each of them */
    const float *bias; /* [n], or NULL */
    bool accumulate;
    cc_activation act; /* linear, relu or relu6 */
} cc_gemm_block;

/* One tile of a sum of outer products, held in registers likewise; nothing is packed:
 *
 *     y[i * y_row + j] += sum over l, s of a[l * a_line + s * a_step + i] * b[l * b_line + s * b_step + j] */
typedef struct cc_outer {
    int m, n; /* 1 .. mr, 1 .. nr */
    int64_t lines, steps;
    const float *a;
    int64_t a_line, a_step;
    const float *b;
    int64_t b_line, b_step;
    float *y;
    int64_t y_row;
    const float *next; /* each step prefetches NR floats here and goes on by next_step; NULL: nothing */
    int64_t next_step;
} cc_outer;

/* Few rows by some rows of a matrix where it stands, each of which is read once:
 *
 *     y[i * n + j] += sum over s < steps of a[s * m + i] * b[s * b_row + j], i < m, j < n
 *
 * The sums go on from y, one chain of additions: several calls make the same bits as a cc_gemm_block of all their steps. */
enum { CC_FEW_ROWS = 8 };
typedef struct cc_few_rows {
    int64_t m, n, steps; /* m: 1 .. CC_FEW_ROWS */
    const float *a;
    const float *b;
    int64_t b_row;
    float *y;
} cc_few_rows;

typedef struct cc_gemm_kernels {
    int mr, nr; /* the tile: mr rows, nr columns; a vector has nr / 2 */
    void (*block)(const cc_gemm_block *block);
    void (*outer_tile)(const cc_outer *outer);
    void (*few_rows)(const cc_few_rows *few);
    /* Pieces of rows, side by side: to[s * pitch + j] = from[s * step + j], s < count, j < width <= nr, then zeros up to a whole
     * vector. */
    void (*pack_rows)(float *to, int64_t pitch, const float *from, int64_t step, int64_t count, int width);
    /* A panel from a transposed matrix: to[k * nr + j] = from[j * step + k], k < depth, j < columns <= nr, then zeros up to nr. */
    void (*pack_transposed)(float *to, const float *from, int64_t depth, int columns, int64_t step);
} cc_gemm_kernels;

#endif
