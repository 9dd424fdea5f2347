/* Products with a band, written once over the vocabulary of simd_*.h. */
#ifndef CC_BAND_INC_H
#define CC_BAND_INC_H

#include "kernels/band/band_kernels.h"
#include "kernels/macros.h"

static void band_combine(float *y, const float *const *x, const float *weight, int taps, int64_t n)
{
    int64_t i = 0;
    for (; i + 4 * VEC <= n; i += 4 * VEC) {
        vec sum[4] = {vec_zero(), vec_zero(), vec_zero(), vec_zero()};
        for (int t = 0; t < taps; ++t) {
            const vec w = vec_set1(weight[t]);
            UNROLL
            for (int k = 0; k < 4; ++k) sum[k] = vec_fma(w, vec_load(x[t] + i + k * VEC), sum[k]);
        }
        UNROLL
        for (int k = 0; k < 4; ++k) vec_store(y + i + k * VEC, sum[k]);
    }
    for (; i < n; i += VEC) {
        const mask part = mask_first(n - i < VEC ? (int)(n - i) : VEC);
        vec sum = vec_zero();
        for (int t = 0; t < taps; ++t) sum = vec_fma(vec_set1(weight[t]), vec_load_part(x[t] + i, part), sum);
        vec_store_part(y + i, part, sum);
    }
}

static void band_cells_of_one(float *y, const float *x, const cc_band *band)
{
    for (int64_t r = 0; r < band->rows; ++r) {
        const float *in = x + band->first[r], *w = band->weight + band->begin[r];
        const int taps = band->begin[r + 1] - band->begin[r];
        float sum = 0;
        for (int t = 0; t < taps; ++t) sum += w[t] * in[t];
        y[r] = sum;
    }
}

static void band_cells(float *y, const float *x, const cc_band *band, int64_t c)
{
    if (c == 1) {
        band_cells_of_one(y, x, band);
        return;
    }
    const int64_t whole = c / VEC * VEC;
    const mask part = mask_first((int)(c - whole));
    for (int64_t r = 0; r < band->rows; ++r, y += c) {
        const float *in = x + band->first[r] * c, *w = band->weight + band->begin[r];
        const int taps = band->begin[r + 1] - band->begin[r];
        for (int64_t j = 0; j < whole; j += VEC) {
            vec sum = vec_zero();
            for (int t = 0; t < taps; ++t) sum = vec_fma(vec_set1(w[t]), vec_load(in + t * c + j), sum);
            vec_store(y + j, sum);
        }
        if (whole < c) {
            vec sum = vec_zero();
            for (int t = 0; t < taps; ++t) sum = vec_fma(vec_set1(w[t]), vec_load_part(in + t * c + whole, part), sum);
            vec_store_part(y + whole, part, sum);
        }
    }
}

static const cc_band_kernels band_kernels = {
    .combine = band_combine,
    .cells = band_cells,
};

#endif
