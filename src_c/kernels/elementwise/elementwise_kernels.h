/* Loops over numbers side by side: activations, the exponential, softmax, sums. */
#ifndef CC_ELEMENTWISE_KERNELS_H
#define CC_ELEMENTWISE_KERNELS_H

#include "kernels/elementwise/activation.h"
#include <stdint.h>

typedef struct cc_elementwise_kernels {
    /* y[i] = f(x[i]); y may be x. dx[i] = dy[i] f'(x[i]), told from v[i], which is y[i] or x[i] as cc_act_told_from_y says; dx may
     * be dy. See activation.h. */
    void (*act_forward)(cc_activation act, float alpha, float *y, const float *x, int64_t n);
    void (*act_backward)(cc_activation act, float alpha, float *dx, const float *dy, const float *v, int64_t n);
    void (*exp)(float *y, const float *x, float shift, int64_t n); /* y[i] = e^(x[i] - shift); y may be x */
    /* y[i] = e^x[i] / the sum of all e^x[i]; y may be x. Its gradient from y; dx may be dy. */
    void (*softmax_forward)(float *y, const float *x, int64_t n);
    void (*softmax_backward)(float *dx, const float *dy, const float *y, int64_t n);
    void (*add)(float *y, const float *x, int64_t n);                    /* y[i] += x[i] */
    void (*add_rows)(float *y, const float *x, int64_t rows, int64_t n); /* y[i] += the sum of x[r * n + i], r < rows */
    /* y[i * y_step + j] += x[i * x_step + j], i < count, j < n: windows that may overlap. Their order depends on n and
     * y_step only. */
    void (*add_windows)(float *y, int64_t y_step, const float *x, int64_t x_step, int64_t count, int64_t n);
} cc_elementwise_kernels;

#endif
