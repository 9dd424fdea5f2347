/* Loops over numbers side by side, written once over the vocabulary of simd_*.h. */
#ifndef CC_ELEMENTWISE_INC_H
#define CC_ELEMENTWISE_INC_H

#include "kernels/elementwise/activation.inc.h"
#include "kernels/elementwise/elementwise_kernels.h"
#include "kernels/elementwise/softmax.inc.h"
#include "kernels/macros.h"

static void vector_add(float *y, const float *x, int64_t n)
{
    int64_t i = 0;
    for (; i + VEC <= n; i += VEC) vec_store(y + i, vec_add(vec_load(y + i), vec_load(x + i)));
    if (i < n) {
        const mask m = mask_first((int)(n - i));
        vec_store_part(y + i, m, vec_add(vec_load_part(y + i, m), vec_load_part(x + i, m)));
    }
}

ALWAYS_INLINE vec sum_rows(const float *x, const int64_t n, const int rows, const mask part, const bool full)
{
    vec v[8];
    UNROLL
    for (int r = 0; r < rows; ++r) v[r] = full ? vec_load(x + r * n) : vec_load_part(x + r * n, part);
    UNROLL
    for (int apart = rows / 2; apart > 0; apart /= 2) {
        UNROLL
        for (int r = 0; r < apart; ++r) v[r] = vec_add(v[r], v[r + apart]);
    }
    return v[0];
}

ALWAYS_INLINE void add_rows_body(float *y, const float *x, const int64_t n, const int rows)
{
    int64_t i = 0;
    for (; i + VEC <= n; i += VEC) vec_store(y + i, vec_add(vec_load(y + i), sum_rows(x + i, n, rows, mask_first(VEC), true)));
    if (i == n) return;
    const mask part = mask_first((int)(n - i));
    vec_store_part(y + i, part, vec_add(vec_load_part(y + i, part), sum_rows(x + i, n, rows, part, false)));
}

/* Eight rows are added up in registers. */
static void vector_add_rows(float *y, const float *x, int64_t rows, int64_t n)
{
    for (; rows >= 8; rows -= 8, x += 8 * n) add_rows_body(y, x, n, 8);
    for (; rows > 0; --rows, x += n) add_rows_body(y, x, n, 1);
}

/* A load that meets a part of a store just before it waits until the store has left the core. So windows whose vectors overlap are
 * added in turns, of those that do not. */
static void vector_add_windows(float *y, int64_t y_step, const float *x, int64_t x_step, int64_t count, int64_t n)
{
    const int64_t whole = n / VEC * VEC, vectors = (n + VEC - 1) / VEC;
    const int64_t turns = y_step > 0 ? (vectors * VEC + y_step - 1) / y_step : count;
    const mask m = mask_first((int)(n - whole));
    for (int64_t turn = 0; turn < turns; ++turn)
        for (int64_t i = turn; i < count; i += turns) {
            float *to = y + i * y_step;
            const float *from = x + i * x_step;
            for (int64_t j = 0; j < whole; j += VEC) vec_store(to + j, vec_add(vec_load(to + j), vec_load(from + j)));
            if (whole < n) vec_store_part(to + whole, m, vec_add(vec_load_part(to + whole, m), vec_load_part(from + whole, m)));
        }
}

static const cc_elementwise_kernels elementwise_kernels = {
    .act_forward = act_forward,
    .act_backward = act_backward,
    .exp = vector_exp,
    .softmax_forward = softmax_forward,
    .softmax_backward = softmax_backward,
    .add = vector_add,
    .add_rows = vector_add_rows,
    .add_windows = vector_add_windows,
};

#endif
