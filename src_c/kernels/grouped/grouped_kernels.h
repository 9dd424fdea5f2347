/* Grouped convolution with few channels in a group. */
#ifndef CC_GROUPED_KERNELS_H
#define CC_GROUPED_KERNELS_H

#include <stdbool.h>
#include <stdint.h>

#define CC_VEC_MAX 16 /* of any table's vec */

/* A vector of outputs holds several groups, or some lanes of one; each weight of the vector meets the input channel of its own
 * group, so the inputs are permuted: lane i of permutation k is channel permutation[k][i] of a pixel. */
typedef enum cc_grouped_lanes {
    CC_GROUPED_ANY,
    CC_GROUPED_NEAR, /* all of it stays within fours of lanes */
    CC_GROUPED_ONE   /* all lanes are of one group: permutation k is channel k for each */
} cc_grouped_lanes;

/* A row of pixels, vec floats each, is read by 1 .. CC_GROUPED_TAPS neighbouring taps: output p reads pixel p + j for tap j. */
#define CC_GROUPED_TAPS 3
typedef struct cc_grouped_row {
    const float *x; /* pixel 0 */
    int taps;
    int64_t weights; /* of the row, from the first of all */
} cc_grouped_row;

/* y[p][i] = start + sum over rows, k < depth, j < taps of x[p + j][k's permutation][i] w[k][j][i], with the start of a
 * cc_gemm_block, then max(0, .) if relu. Of a depth beyond vec there are vec channels in each plane of x. */
typedef struct cc_grouped {
    const cc_grouped_row *row;
    int rows;
    int64_t depth, x_first, x_plane; /* x_first is added to every row's x; planes are x_plane apart */
    int y_lanes;                     /* channels in the vector of y: 1 .. vec */
    const int32_t *permutation;      /* [min(depth, vec)][vec] */
    cc_grouped_lanes lanes;
    const float *w; /* per row [depth][taps][vec]; lanes from y_lanes on hold zeros */
    int pixels;     /* 1 .. the table's pixels */
    float *y;
    int64_t y_step;
    const float *bias; /* [y_lanes], or NULL */
    bool accumulate, relu;
} cc_grouped;

/* Sums over pixels for the taps of a row: dw[j][k][i] += sum over lines, p of x[p + j][k's permutation][i] dy[p][i]. Only pixels
 * inside are multiplied, begin <= p + j < end and 0 <= p < pixels: not even a NaN reaches a tap that does not see it. Of
 * every pixel vec floats are read: where there are fewer channels, from a copy. */
#define CC_GROUPED_DEPTH 4 /* most of k at a time: the sums and what they are made of stay in the registers */
typedef struct cc_grouped_outer {
    int taps, depth, y_lanes;          /* k in 0 .. depth-1, at most CC_GROUPED_DEPTH */
    int64_t lines, begin, end, pixels; /* as in a row; of y */
    const float *x, *dy;               /* pixel 0 of the first line */
    int64_t x_line, x_step, dy_line, dy_step;
    const int32_t *permutation; /* [depth][vec] */
    float *dw;
    int64_t dw_tap, dw_depth;
} cc_grouped_outer;

typedef struct cc_grouped_kernels {
    int vec, pixels; /* lanes of a vector, pixels of a tile */
    void (*tile)(const cc_grouped *grouped);
    void (*outer)(const cc_grouped_outer *outer);
    /* Pixels side by side: to[p][i] = x[p * x_step + i], p < pixels, i < width <= vec, then zeros. Those `ahead` are prefetched, if
     * any. */
    void (*copy)(float *to, const float *x, int64_t pixels, int64_t x_step, int width, int64_t ahead);
} cc_grouped_kernels;

#endif
