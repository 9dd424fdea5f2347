/* Transposing: what lies side by side comes to lie one below the other. */
#ifndef CC_TRANSPOSE_KERNELS_H
#define CC_TRANSPOSE_KERNELS_H

#include <stdint.h>

typedef struct cc_transpose_kernels {
    /* y[i * y_row + j] = x[j * x_row + i], i < rows, j < columns */
    void (*matrix)(float *y, int64_t y_row, const float *x, int64_t x_row, int64_t rows, int64_t columns);
} cc_transpose_kernels;

#endif
