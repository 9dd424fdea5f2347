/* Depthwise convolution: channels side by side, each with a kernel of its own. */
#ifndef CC_DEPTHWISE_KERNELS_H
#define CC_DEPTHWISE_KERNELS_H

#include "kernels/elementwise/activation.h"
#include <stdint.h>

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
    cc_activation act;                             /* a clamp */
    /* Rows of x below these that the next row of y is the first to read: they are prefetched, for dw with that of dy. */
    int64_t fresh;
} cc_depthwise;

typedef struct cc_depthwise_kernels {
    void (*row)(const cc_depthwise *row, float *y, const float *x, const float *w); /* x, w: of the first row, cell 0, tap 0 */
    void (*weights)(const cc_depthwise *row, float *dw, const float *x, const float *dy);
} cc_depthwise_kernels;

#endif
