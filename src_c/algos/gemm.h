/* Matrix products over the tile kernels: blocking for the caches, slicing over threads. Two forms do everything:
 *
 *     cc_product      y[m][j] = start + sum over t, k of a_m,t[k] b[t][k][j], then the activation. b is packed (pack.h); the rows
 *                     of a are asked for by pointer, so a may be a matrix, or an image seen through a window
 *     cc_outer_sum    y[i][j] = sum over p of a[p][i] b[p][j]: the transposed product of weight gradients. Nothing is packed
 *
 * Every output is summed by one thread in an order that depends on the sizes only. */
#ifndef CC_GEMM_H
#define CC_GEMM_H

#include "kernels/elementwise/activation.h"
#include "kernels/kernels.h"
#include "base/minmax.h"
#include "base/team.h"

/* Depth (taps x channels) that one pass over the panels takes: 512 x 32 floats of a panel are 64 KB, which a second-level
 * cache holds while the tiles of a block pass over it. Each pass sums from zero: no chain of float32 additions is longer. */
#define CC_DEPTH_BLOCK  512
/* Floats of one thread's patch buffer (128 KB). */
#define CC_PATCH_FLOATS 32768
/* A row that lies in the padding. */
extern const float cc_zero_row[CC_DEPTH_BLOCK];

/* Gives rows first .. first+count-1: a[t * a_taps + i] points to element k of the row's tap `tap + t`, t < taps (cc_zero_row in the
 * padding), and y[i] to where the row's results go. */
typedef void cc_rows(const void *source, int64_t first, int count, int64_t tap, int64_t taps, int64_t k, const float **a,
                     int a_taps, float **y);

typedef struct cc_product {
    int64_t m, n, taps, depth;
    cc_rows *rows;
    const void *source;  /* what rows() is given */
    int64_t a_step;      /* floats from most rows of a to the next; 0: unknown */
    const float *panels; /* of b */
    int64_t panel;       /* floats from a panel to the next; 0: taps * depth * nr */
    const float *bias;   /* [n], or NULL */
    cc_activation act;
    float alpha;
    bool accumulate; /* add to what y holds */
    float *patches;  /* this thread's CC_PATCH_FLOATS, to copy the rows of a side by side first (im2col); NULL: read in place */
} cc_product;

/* Entered by every thread of the team; no barrier inside. Sums of more terms than any network has today (CC_LONG_DEPTH) are made in
 * spans, which are added up in double: as many blocks of CC_DEPTH_BLOCK would lose digits themselves. */
#define CC_LONG_DEPTH 32768
void cc_product_run(const cc_product *product, const cc_team *team);
/* Some of its rows, by one thread. */
void cc_product_rows(const cc_product *product, cc_range rows);

/* The same with b as a matrix, b[k][j] = from[k * row + j * step], packed a block at a time just before it is used: where b is used
 * once and is larger than the caches, that saves writing all of it and reading it back. Of one tap, with rows of a matrix. scratch:
 * cc_product_late_floats for each thread, of a product of m rows of this depth. */
void cc_product_late(const cc_product *product, const float *from, int64_t row, int64_t step, float *scratch,
                     const cc_team *team);
int64_t cc_product_late_floats(int64_t m, int64_t depth);

/* The same for at most CC_FEW_ROWS rows, of one tap, 1 to CC_LONG_DEPTH deep, with b as a matrix whose rows lie side by side:
 * nothing is packed, and b is read once, some rows at a time. */
void cc_product_in_place(const cc_product *product, const float *from, const cc_team *team);

/* A matrix as a source of rows. */
typedef struct cc_matrix_rows {
    const float *a;
    int64_t a_row;
    float *y;
    int64_t y_row;
} cc_matrix_rows;
cc_rows cc_rows_of_matrix;

/* A sum of outer products of any size, over pixels of images:
 *
 *     y[i * y_row + j] += sum over q < images, l < lines, s < steps of
 *                         a[q * a_image + l * a_line + s * a_step + i] * b[q * b_image + l * b_line + s * b_step + j] */
typedef struct cc_outers {
    int64_t m, n;
    int64_t images, lines, steps;
    const float *a;
    int64_t a_image, a_line, a_step;
    const float *b;
    int64_t b_image, b_line, b_step;
    float *y;
    int64_t y_row;
} cc_outers;

/* One thread's work. The order of the sum does not depend on m and n. patches: CC_PATCH_FLOATS floats of this thread, to copy
 * a and b side by side first, which pays for large m n; NULL: they are read in place. */
void cc_outers_add(const cc_outers *outers, float *patches);

/* y[i][j] = sum over p of a[p][i] b[p][j], i < m, j < n, p < count; a, b and y are dense. Entered by every thread, a barrier
 * inside; partial: cc_outer_sum_partial floats; patches: cc_outer_sum_patches floats of this thread. */
void cc_outer_sum(float *y, const float *a, const float *b, int64_t m, int64_t n, int64_t count, float *partial, float *patches,
                  const cc_team *team);
int64_t cc_outer_sum_partial(int64_t m, int64_t n, int64_t count);
int64_t cc_outer_sum_patches(int64_t m, int64_t n, int64_t count);
/* Rows row .. row+rows-1 of that y, into a place of their own, by one thread: the same bits, where cc_outer_sum_partial is 0
 * and row is a multiple of the kernels' mr. */
void cc_outer_sum_rows(float *to, const float *a, const float *b, int64_t m, int64_t n, int64_t count, int64_t row,
                       int64_t rows, float *patches);

/* y[j] = sum over p of b[p][j], j < n, p < count: the gradient of a bias. The same rules. */
void cc_column_sum(float *y, const float *b, int64_t n, int64_t count, float *partial, const cc_team *team);
int64_t cc_column_sum_partial(int64_t n, int64_t count);

/* ---- Sums split into blocks ----
 * A sum with few outputs is divided into blocks of its terms, so that many threads can share it. Each block is summed into a buffer
 * of its own, and the buffers are added in order. The number of blocks depends on the sizes only: so does the result. */

/* Blocks for a sum of `terms` indivisible terms, of `each` addends at most, that makes `tasks` independent tasks and
 * `outputs` floats: 1 .. 64, or more where the sum is so long that blocks of float32 sums would lose digits. Does not shrink when
 * terms grows. */
#define CC_LONG_SUM (1 << 18)
int64_t cc_blocks(int64_t terms, int64_t each, int64_t tasks, int64_t outputs);
/* The terms of block i. */
static inline cc_range cc_block(int64_t terms, int64_t blocks, int64_t i)
{
    return (cc_range){terms * i / blocks, terms * (i + 1) / blocks};
}
/* y[i] = partial[0][i] + partial[1][i] + ..., i < count, split over the team. */
void cc_add_blocks(float *y, const float *partial, int64_t blocks, int64_t count, const cc_team *team);

#endif
