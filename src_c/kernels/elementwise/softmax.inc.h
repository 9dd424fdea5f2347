/* Softmax of a row whose numbers lie side by side. Sums are float32 over a span, in four vectors side by side, and double from
 * span to span. */
#ifndef CC_SOFTMAX_INC_H
#define CC_SOFTMAX_INC_H

#include "kernels/elementwise/exp.inc.h"
#include "kernels/macros.h"
#include <math.h>

enum { SOFTMAX_SUMS = 4, SOFTMAX_SPAN = 8 * SOFTMAX_SUMS * VEC };

ALWAYS_INLINE double softmax_total(const vec *sums)
{
    float parts[VEC];
    double total = 0;
    vec_store(parts, vec_add(vec_add(sums[0], sums[1]), vec_add(sums[2], sums[3])));
    for (int i = 0; i < VEC; ++i) total += (double)parts[i];
    return total;
}

/* A NaN is not the largest: its exponential makes the row NaN anyhow. */
ALWAYS_INLINE float softmax_largest(const float *x, int64_t n)
{
    vec most[SOFTMAX_SUMS];
    float parts[VEC], largest = -INFINITY;
    int64_t i = 0;
    UNROLL
    for (int j = 0; j < SOFTMAX_SUMS; ++j) most[j] = vec_set1(-INFINITY);
    for (; i + SOFTMAX_SUMS * VEC <= n; i += SOFTMAX_SUMS * VEC) {
        UNROLL
        for (int j = 0; j < SOFTMAX_SUMS; ++j) most[j] = vec_max(vec_load(x + i + j * VEC), most[j]);
    }
    for (; i + VEC <= n; i += VEC) most[0] = vec_max(vec_load(x + i), most[0]);
    vec_store(parts, vec_max(vec_max(most[0], most[1]), vec_max(most[2], most[3])));
    for (int j = 0; j < VEC; ++j) largest = parts[j] > largest ? parts[j] : largest;
    for (; i < n; ++i) largest = x[i] > largest ? x[i] : largest;
    return largest;
}

ALWAYS_INLINE vec softmax_power(float *y, const float *x, vec largest)
{
    const vec e = vec_exp(vec_sub(vec_load(x), largest));
    vec_store(y, e);
    return e;
}

static void softmax_forward(float *y, const float *x, int64_t n)
{
    const vec largest = vec_set1(softmax_largest(x, n));
    double sum = 0;
    for (int64_t i = 0; i < n;) {
        const int64_t end = n - i < SOFTMAX_SPAN ? n : i + SOFTMAX_SPAN;
        vec sums[SOFTMAX_SUMS];
        UNROLL
        for (int j = 0; j < SOFTMAX_SUMS; ++j) sums[j] = vec_zero();
        for (; i + SOFTMAX_SUMS * VEC <= end; i += SOFTMAX_SUMS * VEC) {
            UNROLL
            for (int j = 0; j < SOFTMAX_SUMS; ++j) {
                const int64_t at = i + j * VEC;
                sums[j] = vec_add(sums[j], softmax_power(y + at, x + at, largest));
            }
        }
        for (; i + VEC <= end; i += VEC) sums[0] = vec_add(sums[0], softmax_power(y + i, x + i, largest));
        if (i < end) {
            const mask last = mask_first((int)(end - i));
            vec_store_part(y + i, last, vec_exp(vec_sub(vec_load_part(x + i, last), largest)));
            sums[1] = vec_add(sums[1], vec_load_part(y + i, last)); /* 0 beyond the end */
        }
        sum += softmax_total(sums);
        i = end;
    }
    const vec share = vec_set1((float)(1 / sum));
    int64_t i = 0;
    for (; i + VEC <= n; i += VEC) vec_store(y + i, vec_mul(vec_load(y + i), share));
    if (i < n) {
        const mask last = mask_first((int)(n - i));
        vec_store_part(y + i, last, vec_mul(vec_load_part(y + i, last), share));
    }
}

/* dx = y (dy - sum of dy y) */
static void softmax_backward(float *dx, const float *dy, const float *y, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n;) {
        const int64_t end = n - i < SOFTMAX_SPAN ? n : i + SOFTMAX_SPAN;
        vec sums[SOFTMAX_SUMS];
        UNROLL
        for (int j = 0; j < SOFTMAX_SUMS; ++j) sums[j] = vec_zero();
        for (; i + SOFTMAX_SUMS * VEC <= end; i += SOFTMAX_SUMS * VEC) {
            UNROLL
            for (int j = 0; j < SOFTMAX_SUMS; ++j) {
                const int64_t at = i + j * VEC;
                sums[j] = vec_fma(vec_load(dy + at), vec_load(y + at), sums[j]);
            }
        }
        for (; i + VEC <= end; i += VEC) sums[0] = vec_fma(vec_load(dy + i), vec_load(y + i), sums[0]);
        if (i < end) {
            const mask last = mask_first((int)(end - i));
            sums[1] = vec_fma(vec_load_part(dy + i, last), vec_load_part(y + i, last), sums[1]);
        }
        sum += softmax_total(sums);
        i = end;
    }
    const vec all = vec_set1((float)sum);
    int64_t i = 0;
    for (; i + VEC <= n; i += VEC) vec_store(dx + i, vec_mul(vec_load(y + i), vec_sub(vec_load(dy + i), all)));
    if (i < n) {
        const mask last = mask_first((int)(n - i));
        vec_store_part(dx + i, last, vec_mul(vec_load_part(y + i, last), vec_sub(vec_load_part(dy + i, last), all)));
    }
}

#endif
