/* Convolution to few channels: neighbouring pixels in the lanes of a vector, a vector of sums for each channel. */
#ifndef CC_PLANAR_KERNELS_H
#define CC_PLANAR_KERNELS_H

#include "kernels/elementwise/activation.h"
#include <stdbool.h>
#include <stdint.h>

/* Rows of pixels, which read planes of numbers: what a tap gives to neighbouring pixels lies side by side.
 *
 *     y[r * y_row + p * y_step + j] = start + sum over t < taps of x[r * x_row + offset[t] + p] w[t][j]
 *
 * for r < rows, p < pixels, j < n, with the start and the clamp of a cc_gemm_block. Every number is one chain of additions, in the
 * order of t. Behind the numbers of the last pixel CC_PLANAR_AHEAD more may be read. */
#define CC_PLANAR_AHEAD 48
typedef struct cc_planar {
    int64_t rows, pixels, n, taps;
    const int64_t *offset; /* [taps] */
    int64_t x_row;
    const float *w; /* panels of [taps][nr], see algos/pack.h */
    float *y;
    int64_t y_row, y_step;
    const float *bias; /* [n], or NULL */
    bool accumulate;
    cc_activation act; /* linear, relu or relu6 */
} cc_planar;

typedef struct cc_planar_kernels {
    void (*rows)(const cc_planar *rows, const float *x);
    /* Pixels that lie side by side, as planes: to[k * line + i] = x[i * step + k], i < pixels, k < width. */
    void (*split)(float *to, int64_t line, const float *x, int64_t step, int64_t pixels, int64_t width);
} cc_planar_kernels;

#endif
