/* Products with a band: each row of the result is a weighted sum of a few neighbouring rows of what comes in. */
#ifndef CC_BAND_KERNELS_H
#define CC_BAND_KERNELS_H

#include <stdint.h>

/* A sparse matrix whose rows are stretches: row r has weight[begin[r] .. begin[r + 1] - 1] in columns from first[r] on. */
typedef struct cc_band {
    int64_t rows;
    const int32_t *first, *begin;
    const float *weight;
} cc_band;

typedef struct cc_band_kernels {
    /* y[i] = the sum of weight[t] * x[t][i], t < taps, i < n */
    void (*combine)(float *y, const float *const *x, const float *weight, int taps, int64_t n);
    /* y[r][j] = the sum of x[first[r] + t][j] * weight[begin[r] + t], r < rows, j < c: cells of c numbers side by side */
    void (*cells)(float *y, const float *x, const cc_band *band, int64_t c);
} cc_band_kernels;

#endif
