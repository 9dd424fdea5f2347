/* Batch, group and layer normalization: of rows of channels, and of the numbers of one row. */
#ifndef CC_NORM_KERNELS_H
#define CC_NORM_KERNELS_H

#include "kernels/elementwise/activation.h"
#include <stdint.h>

/* Batch normalization of rows of c channels, with an activation behind it. For each channel
 *
 *     y = act((x - high - low) scale + shift [+ residual])       act: a clamp
 *     dx = (dz + constant + (x - high - low) by_x) scale         dz = dy act', which is told from y, or from x where y is NULL */
typedef struct cc_norm {
    int64_t c;
    cc_activation act;
    const float *high, *low, *scale, *shift, *by_x, *constant; /* [c] */
} cc_norm;

/* Layer normalization of a row of n numbers: y = (x - high - low) s gamma + beta. */
typedef struct cc_row_norm {
    int64_t n;
    float high, low, s;
    const float *gamma, *beta; /* [n]; NULL: 1 and 0 */
} cc_row_norm;

typedef struct cc_norm_kernels {
    /* about = the mean of each column, nearly; first = sum of x - about, second = sum of (x - about)^2; x: [rows][c], rows > 0 */
    void (*moments)(const float *x, int64_t rows, int64_t c, float *about, float *first, float *second);
    void (*forward)(const cc_norm *norm, float *y, const float *x, const float *residual, int64_t rows); /* y may be x */
    /* sum = sum of dz, product = sum of dz (x - high - low), and dz if it is not NULL. x may be NULL: no product; then act' needs
     * y. */
    void (*sums)(const cc_norm *norm, float *dz, const float *dy, const float *x, const float *y, int64_t rows, float *sum,
                 float *product);
    /* dx may be dy. x may be NULL: without its term and the constant; then act' needs y. */
    void (*backward)(const cc_norm *norm, float *dx, const float *dy, const float *x, const float *y, int64_t rows);
    /* dx = dy scale + (x - high - low) by_x + constant: by_x and constant are those of the sum; no activation. dx may be dy. */
    void (*combine)(const cc_norm *norm, float *dx, const float *dy, const float *x, int64_t rows);

    void (*row_moments)(const float *x, int64_t n, float about, double *first, double *second); /* as moments; second or NULL */
    void (*row_forward)(const cc_row_norm *norm, float *y, const float *x);                     /* y may be x */
    /* first = sum of dy gamma, second = sum of dy gamma (x - high - low). dgamma and dbeta, both or none, get their terms added. */
    void (*row_sums)(const cc_row_norm *norm, const float *dy, const float *x, float *dgamma, float *dbeta, double *first,
                     double *second);
    /* dx = (dy gamma + constant + (x - high - low) by_x) s; dx may be dy */
    void (*row_backward)(const cc_row_norm *norm, float *dx, const float *dy, const float *x, float by_x, float constant);
} cc_norm_kernels;

#endif
