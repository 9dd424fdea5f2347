/* The innermost loops: pointers and counts in, results out. They know no shapes, threads, errors or memory.
 *
 * Each instruction set has one translation unit (isa_*.c) that compiles the same bodies (*.inc.h) over its own vocabulary of
 * vectors (simd_*.h) and exports nothing but a pointer to one const table. dispatch.c chooses a table at run time. To add a
 * kernel: a body, a field here, a line in isa_table.inc.h. To add an instruction set: a vocabulary, an isa file, a line in
 * dispatch.c. */
#ifndef CC_KERNELS_H
#define CC_KERNELS_H

#include "kernels/activation.h"
#include "base/random.h"
#include <stdbool.h>
#include <stdint.h>

#define CC_MR_MAX  16 /* of any table's mr */
#define CC_VEC_MAX 16 /* of any table's nr / 2 */

/* One tile of a product, held in registers from the first multiplication to the last:
 *
 *     y[i][j] = start + sum over t, k of a[t * mr + i][k] * b[t][k][j]       i in 0 .. m-1, j in 0 .. n-1
 *
 * with start = bias[j] or 0, and y[i][j] besides if accumulate; then max(0, .) if relu. y is read only if accumulate. Rows are given by
 * pointers ("indirection"), so that the rows of a may lie anywhere: a matrix, an image seen through a window, a row of zeros. */
typedef struct cc_tile {
    int m, n;              /* 1 .. mr, 1 .. nr of the table */
    int64_t taps, depth;   /* may be 0 */
    const float *const *a; /* [taps][mr] pointers to `depth` floats; those of i >= m are not read */
    const float *const *next; /* the same of the next tile, to be prefetched; NULL: nothing is */
    const float *b;        /* [taps][depth][nr]: one panel, see pack.h; columns from n on are zeros */
    float *const *y;       /* [m] pointers */
    int64_t column;        /* added to each y[i] */
    const float *bias;     /* [n], or NULL */
    bool accumulate, relu;
} cc_tile;

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

/* Grouped convolution with few channels in a group. A vector of outputs covers several groups, or a part of one; each weight of the
 * vector meets the input channel of its own group, so the inputs are spread: lane i of spread k is channel spread[k][i] of a pixel.
 * vec = nr / 2 is the width of a vector.
 *
 * A strip is a run of 1 .. CC_RUN_MAX taps that read neighbouring pixels: output p reads pixel p + j for tap j. Pixels from `begin` to
 * end - 1 lie inside the image, others count as zeros. */
#define CC_RUN_MAX 3
typedef struct cc_strip {
    const float *x;      /* pixel 0, whether it lies inside or not */
    int run, begin, end; /* 0 <= begin <= end < pixels + run */
    int64_t weights;     /* of the strip, from the first of all */
    int64_t ahead;       /* from a pixel to one that is read for the first time by and by, to be prefetched, or 0 */
} cc_strip;

/* y[p][i] = start + sum over strips, k < depth, j < run of x[p + j][k's spread][i] w[k][j][i], with the start of a cc_tile, then
 * max(0, .) if relu. A depth beyond vec is read vec channels at a time. */
typedef struct cc_grouped {
    const cc_strip *strip;
    int strips;
    int64_t depth, x_step, x_channel; /* pixels of x are x_step apart; x_channel is added to every strip's x */
    int x_last, y_lanes;              /* channels in the last vector of a pixel of x; in y: 1 .. vec */
    const int32_t *spread;            /* [least(depth, vec)][vec] */
    const float *w;                   /* per strip [depth][run][vec]; lanes from y_lanes on hold zeros */
    int pixels;                       /* 1 .. grouped_pixels */
    float *y;
    int64_t y_step;
    const float *bias; /* [y_lanes], or NULL */
    bool accumulate, relu;
} cc_grouped;

/* Sums over pixels for the weights of a strip: dw[j][k][i] += sum over lines, p of x[p + j][k's spread][i] dy[p][i]. Only pixels
 * inside are multiplied, begin <= p + j < end and 0 <= p < pixels: not even a NaN reaches a tap that does not see it. Of
 * every pixel vec floats are read: where there are fewer channels, from a grouped_copy. */
#define CC_GROUPED_DEPTH 4 /* most of k at a time: the sums and what they are made of stay in the registers */
typedef struct cc_grouped_outer {
    int run, depth, y_lanes; /* k in 0 .. depth-1, at most CC_GROUPED_DEPTH */
    int64_t lines, begin, end, pixels; /* as in a strip; of y */
    const float *x, *dy;               /* pixel 0 of the first line */
    int64_t x_line, x_step, dy_line, dy_step;
    const int32_t *spread; /* [depth][vec] */
    float *dw;
    int64_t dw_tap, dw_depth;
} cc_grouped_outer;

/* Batch normalization of rows of c channels, with an activation behind it. For each channel
 *
 *     y = act((x - high - low) scale + shift [+ residual])       act: nothing, max(0, .) or min(max(0, .), 6)
 *     dx = (dz + constant + (x - high - low) by_x) scale         dz = dy act', which is told from y, or from x where y is NULL */
typedef enum cc_norm_act { CC_NORM_LINEAR, CC_NORM_RELU, CC_NORM_RELU6 } cc_norm_act;
typedef struct cc_norm {
    int64_t c;
    cc_norm_act act;
    const float *high, *low, *scale, *shift, *by_x, *constant; /* [c] */
} cc_norm;

/* A row of a depthwise convolution: c channels side by side, each with a kernel of its own. Tap t of pixel p sees the cell
 * p step + offset + t tap_step of each of the `rows` rows of x under the kernel, or nothing if that is not in 0 .. limit-1.
 *
 *     y[p][i] = act(bias[i] + sum over r, t of x[r][cell][i] w[r][t][i])     p < count, i < c
 *     dw[r][t][i] += sum over p of x[r][cell][i] dy[p][i] */
typedef struct cc_depthwise {
    int64_t c, count;
    int64_t rows, taps; /* of the kernel; may be 0 */
    int64_t step, offset, tap_step, limit;
    int64_t x_row, x_pixel, y_pixel, w_row, w_tap; /* floats from one to the next; that of y is dy's, too */
    const float *bias;                             /* [c], or NULL */
    cc_norm_act act;
    int64_t fresh; /* rows of x below these that the next row of y is the first to read: they are prefetched, for dw with that of dy */
} cc_depthwise;

/* Neighbouring outputs of a pooling, c channels each, whose windows have the same cells inside the image: rows x columns of them, of which
 * cell (i, j) is number first + i * width + j of the window. */
typedef struct cc_pool {
    int64_t c, outputs;
    int64_t step, line; /* floats from a window to the next output's, from a row of the image to the next one */
    int rows, columns, first, width;
    cc_norm_act act;    /* behind a maximum */
    bool wide;          /* cell numbers do not fit in bytes: they are kept as floats */
} cc_pool;

/* Winograd's convolution with 3x3 kernels: m x m outputs of a tile from (m + 2) x (m + 2) inputs, by (m + 2)^2 planes of products.
 * The derivation is in winograd.inc.h. vec = nr / 2 is the width of a vector. */

/* A tile of an image, transformed: to[p * plane + k / vec * block + k % vec] for plane p and channel k. The channels of the last vector
 * from `channels` on become zeros. */
typedef struct cc_winograd_tile {
    const float *from;   /* the tile's pixel (0, 0), inside the image or not; channels side by side */
    int64_t row, column; /* from a pixel to the next one down, to the right */
    int y0, y1, x0, x1;  /* pixels y0 .. y1-1 by x0 .. x1-1 lie inside the image; others count as zeros */
    int64_t channels;
    float *to;
    int64_t plane, block;
} cc_winograd_tile;

/* Sums of products, from[p * plane + k], transformed back, with bias, what is in y if accumulate, and max(0, .) if relu, and stored as
 * far as they lie in the image. */
typedef struct cc_winograd_output {
    const float *from;
    int64_t plane;
    int channels; /* 1 .. nr */
    float *y;     /* the tile's pixel (0, 0) */
    int64_t row, column;
    int rows, columns; /* pixels to store: 1 .. m */
    const float *bias; /* [channels], or NULL */
    bool accumulate, relu;
} cc_winograd_output;

typedef struct cc_winograd_kernels {
    void (*input)(const cc_winograd_tile *tile);    /* of x: (m + 2) x (m + 2) pixels */
    void (*gradient)(const cc_winograd_tile *tile); /* of dy, for the gradient of the weights: m x m pixels */
    void (*output)(const cc_winograd_output *tile);
    /* to[p * plane + j] from w[t * tap + j], t in 0 .. 8; columns j from `columns` up to nr become zeros. */
    void (*weights)(float *to, int64_t plane, const float *w, int64_t tap, int columns);
    /* The same for channels k < depth <= vec of the rotated, transposed kernel: to[p * plane + k * nr + j] from
     * w[(8 - t) * tap + j * next + k]. */
    void (*transposed)(float *to, int64_t plane, const float *w, int64_t tap, int64_t next, int depth, int columns);
    /* dw[t * tap + j] from from[p * plane + j], j < columns <= nr. */
    void (*weight_gradient)(float *dw, int64_t tap, const float *from, int64_t plane, int columns);
    /* One plane: y[i * nr + j] (+)= sum over k < depth of a[k / vec][i][k % vec] b[k][j], i < rows <= mr, j < columns <= nr, or more;
     * a is [..][mr][vec]. */
    void (*product)(float *y, const float *a, const float *b, int64_t depth, int rows, int columns, bool accumulate);
    /* One plane: y[i * nr + j] (+)= sum over t < tiles of a[t][i] b[t][j], i < vec; b0 and b1 hold vec columns each. b1 may be NULL:
     * j < vec only. */
    void (*outer)(float *y, const float *a, const float *b0, const float *b1, int64_t tiles, bool accumulate);
} cc_winograd_kernels;

typedef struct cc_kernels {
    const char *name; /* as in CCONV_ISA */
    int mr, nr;       /* the tile: mr rows, nr columns */
    void (*gemm_tile)(const cc_tile *tile);
    void (*outer_tile)(const cc_outer *outer);
    /* Pieces of rows, side by side: to[s * pitch + j] = from[s * step + j], s < count, j < width <= nr, then zeros up to a whole vector. */
    void (*pack_rows)(float *to, int64_t pitch, const float *from, int64_t step, int64_t count, int width);
    /* A panel from a transposed matrix: to[k * nr + j] = from[j * step + k], k < depth, j < columns <= nr, then zeros up to nr. */
    void (*pack_transposed)(float *to, const float *from, int64_t depth, int columns, int64_t step);
    int grouped_pixels;
    void (*grouped_tile)(const cc_grouped *grouped);
    void (*grouped_outer)(const cc_grouped_outer *outer);
    /* Pixels side by side: to[p][i] = x[p * x_step + i], p < pixels, i < width <= vec, then zeros. Those `ahead` are prefetched, if any. */
    void (*grouped_copy)(float *to, const float *x, int64_t pixels, int64_t x_step, int width, int64_t ahead);
    const cc_winograd_kernels *winograd_2, *winograd_4;                        /* m = 2 and 4 */
    /* y[i] = f(x[i]); y may be x. dx[i] = dy[i] f'(x[i]), told from y[i] = f(x[i]); dx may be dy. See activation.h. */
    void (*act_forward)(cc_activation act, float alpha, float *y, const float *x, int64_t n);
    void (*act_backward)(cc_activation act, float alpha, float *dx, const float *dy, const float *y, int64_t n);
    void (*exp)(float *y, const float *x, float shift, int64_t n);             /* y[i] = e^(x[i] - shift); y may be x */
    void (*add)(float *y, const float *x, int64_t n);                          /* y[i] += x[i] */
    void (*add_rows)(float *y, const float *x, int64_t rows, int64_t n);       /* y[i] += the sum of x[r * n + i], r < rows */
    /* y[i * y_step + j] += x[i * x_step + j], i < count, j < n: windows that may overlap. Their order depends on n and y_step only. */
    void (*add_windows)(float *y, int64_t y_step, const float *x, int64_t x_step, int64_t count, int64_t n);

    /* about = the mean of each column, nearly; first = sum of x - about, second = sum of (x - about)^2; x: [rows][c], rows > 0 */
    void (*norm_moments)(const float *x, int64_t rows, int64_t c, float *about, float *first, float *second);
    void (*norm_forward)(const cc_norm *norm, float *y, const float *x, const float *residual, int64_t rows); /* y may be x */
    /* sum = sum of dz, product = sum of dz (x - high - low), and dz if it is not NULL. x may be NULL: no product; then act' needs y. */
    void (*norm_sums)(const cc_norm *norm, float *dz, const float *dy, const float *x, const float *y, int64_t rows, float *sum,
                      float *product);
    /* dx may be dy. x may be NULL: without its term and the constant; then act' needs y. */
    void (*norm_backward)(const cc_norm *norm, float *dx, const float *dy, const float *x, const float *y, int64_t rows);

    void (*depthwise_row)(const cc_depthwise *row, float *y, const float *x, const float *w); /* x, w: of the first row, cell 0, tap 0 */
    void (*depthwise_weights)(const cc_depthwise *row, float *dw, const float *x, const float *dy);

    /* y = act(the largest cell), and which one it was: the first of equal ones, the last NaN. places may be NULL. */
    void (*pool_max)(const cc_pool *pool, float *y, void *places, const float *x);
    void (*pool_sum)(const cc_pool *pool, float *y, const float *x, float factor, bool squares); /* y = factor * the sum */
    /* Of one row of the image (pool->rows is 1): dx = dz where the place is the cell's, else 0; dz = dy act', told from y. dx = dy factor.
     * Or += where `add`. */
    void (*pool_max_backward)(const cc_pool *pool, float *dx, const float *dy, const float *y, const void *places, bool add);
    void (*pool_sum_backward)(const cc_pool *pool, float *dx, const float *dy, float factor, bool add);

    /* y[i] = x[i] * scale where the upper 24 bits of number i are at least `least`, else 0; blocks of four numbers begin with the one
     * numbered `first`. y may be x. The same bits at every instruction set. */
    void (*dropout)(float *y, const float *x, int64_t n, const cc_random *random, uint32_t first, uint32_t least, float scale);
} cc_kernels;

/* NULL where the compiler or the target does not have the instruction set. */
extern const cc_kernels *const cc_kernels_portable, *const cc_kernels_avx2, *const cc_kernels_avx512;

/* The table in use. Chosen when first asked for; the same for the life of the process. */
const cc_kernels *cc_kernels_get(void);

static inline void cc_act_forward(cc_activation act, float alpha, float *y, const float *x, int64_t n)
{
    if (act != CC_ACT_LINEAR || y != x) cc_kernels_get()->act_forward(act, alpha, y, x, n);
}

static inline void cc_act_backward(cc_activation act, float alpha, float *dx, const float *dy, const float *y, int64_t n)
{
    if (act != CC_ACT_LINEAR || dx != dy) cc_kernels_get()->act_backward(act, alpha, dx, dy, y, n);
}

#endif
