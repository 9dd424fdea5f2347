/* Blending, written once over the vocabulary of simd_*.h. */
#ifndef CC_BLEND_INC_H
#define CC_BLEND_INC_H

#include "kernels/blend/blend_kernels.h"
#include "kernels/macros.h"

static void blend_combine(float *y, const float *const *x, const float *weight, int taps, int64_t n)
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

static void blend_cells_of_one(float *y, const float *x, const cc_blend *blend)
{
    for (int64_t r = 0; r < blend->rows; ++r) {
        const float *in = x + blend->first[r], *w = blend->weight + blend->begin[r];
        const int taps = blend->begin[r + 1] - blend->begin[r];
        float sum = 0;
        for (int t = 0; t < taps; ++t) sum += w[t] * in[t];
        y[r] = sum;
    }
}

/* Of c < VEC numbers, by whole vectors where there is room behind: the next cell writes over what is too much. */
static void blend_cells_of_few(float *y, const float *x, const cc_blend *blend, int64_t c)
{
    const int64_t rows = blend->rows;
    const float *x_end = x + (blend->first[rows - 1] + blend->begin[rows] - blend->begin[rows - 1]) * c, *y_end = y + rows * c;
    const mask part = mask_first((int)c);
    for (int64_t r = 0; r < rows; ++r, y += c) {
        const float *in = x + blend->first[r] * c, *w = blend->weight + blend->begin[r];
        const int taps = blend->begin[r + 1] - blend->begin[r];
        vec sum = vec_zero();
        if (y_end - y >= VEC && x_end - in >= (taps - 1) * c + VEC) {
            for (int t = 0; t < taps; ++t) sum = vec_fma(vec_set1(w[t]), vec_load(in + t * c), sum);
            vec_store(y, sum);
        } else {
            for (int t = 0; t < taps; ++t) sum = vec_fma(vec_set1(w[t]), vec_load_part(in + t * c, part), sum);
            vec_store_part(y, part, sum);
        }
    }
}

static void blend_cells(float *y, const float *x, const cc_blend *blend, int64_t c)
{
    if (c == 1 || blend->rows == 0) {
        blend_cells_of_one(y, x, blend);
        return;
    }
    if (c < VEC) {
        blend_cells_of_few(y, x, blend, c);
        return;
    }
    const int64_t whole = c / VEC * VEC;
    const mask part = mask_first((int)(c - whole));
    for (int64_t r = 0; r < blend->rows; ++r, y += c) {
        const float *in = x + blend->first[r] * c, *w = blend->weight + blend->begin[r];
        const int taps = blend->begin[r + 1] - blend->begin[r];
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

static const cc_blend_kernels blend_kernels = {
    .combine = blend_combine,
    .cells = blend_cells,
};

#endif
