/* What softmax and the cross entropies do with a contiguous row of n > 0 numbers. */
#ifndef CC_EXP_ROW_H
#define CC_EXP_ROW_H

#include "kernels/kernels.h"
#include <math.h>

enum { CC_ROW_LANES = 8 }; /* sums side by side, whose order the instruction set does not change */

static inline float cc_row_max(const float *x, int64_t n)
{
    float lane[CC_ROW_LANES], most = x[0];
    int64_t i = 0;
    for (int j = 0; j < CC_ROW_LANES; ++j) lane[j] = most;
    for (; i + CC_ROW_LANES <= n; i += CC_ROW_LANES)
        for (int j = 0; j < CC_ROW_LANES; ++j) lane[j] = x[i + j] > lane[j] ? x[i + j] : lane[j];
    for (; i < n; ++i) most = x[i] > most ? x[i] : most;
    for (int j = 0; j < CC_ROW_LANES; ++j) most = lane[j] > most ? lane[j] : most;
    return most;
}

static inline double cc_row_sum(const float *x, int64_t n)
{
    double sum[CC_ROW_LANES] = {0}, all = 0;
    int64_t i = 0;
    for (; i + CC_ROW_LANES <= n; i += CC_ROW_LANES)
        for (int j = 0; j < CC_ROW_LANES; ++j) sum[j] += (double)x[i + j];
    for (; i < n; ++i) all += (double)x[i];
    for (int j = 0; j < CC_ROW_LANES; ++j) all += sum[j];
    return all;
}

/* The sum of e^(x[i] - most). */
static inline double cc_row_exp_sum(const float *x, float most, int64_t n)
{
    enum { PART = 256 };
    float part[PART];
    double sum = 0;
    for (int64_t i = 0; i < n; i += PART) {
        const int64_t length = n - i < PART ? n - i : PART;
        cc_kernels_get()->elementwise.exp(part, x + i, most, length);
        sum += cc_row_sum(part, length);
    }
    return sum;
}

#endif
