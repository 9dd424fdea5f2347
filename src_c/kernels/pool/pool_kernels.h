/* Poolings of rows of channels. */
#ifndef CC_POOL_KERNELS_H
#define CC_POOL_KERNELS_H

#include "kernels/elementwise/activation.h"
#include <stdbool.h>
#include <stdint.h>

/* Neighbouring outputs of a pooling, c channels each, whose windows have the same cells inside the image: planes x rows x columns
 * of them, of which cell (t, i, j) is number first + t * area + i * width + j of the window. Only maxima have several planes. */
typedef struct cc_pool {
    int64_t c, outputs;
    int64_t step, line, plane; /* floats from a window to the next output's, from a row to the next one, and from a plane */
    int planes, rows, columns, first, width, area;
    cc_activation act; /* behind a maximum: a clamp */
    bool wide;         /* cell numbers do not fit in bytes: they are kept as floats */
} cc_pool;

/* Cells, or planes of cells, whose sum is made one after the other. */
enum { CC_POOL_FEW = 64 };

typedef struct cc_pool_kernels {
    /* y = act(the largest cell), and which one it was: the first of equal ones, the last NaN. places may be NULL. */
    void (*max)(const cc_pool *pool, float *y, void *places, const float *x);
    void (*sum)(const cc_pool *pool, float *y, const float *x, float factor, bool squares); /* y = factor * the sum */
    /* Of one row of the image (pool->rows is 1): dx = dz where the place is the cell's, else 0; dz = dy act', told from y. dx = dy
     * factor. Or += where `add`. */
    void (*max_backward)(const cc_pool *pool, float *dx, const float *dy, const float *y, const void *places, bool add);
    void (*sum_backward)(const cc_pool *pool, float *dx, const float *dy, float factor, bool add);
} cc_pool_kernels;

#endif
