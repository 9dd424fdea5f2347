/* Batch and group normalization over rows of channels, written once over the vocabulary of simd_*.h. Four rows are taken
 * together: the channels' coefficients and sums are then loaded once for four vectors of data, and memory is read in a few
 * straight streams. Sums are float32, four rows first, then one after another: callers give a few hundred rows at a time. Bodies
 * take the number of rows and the activation as constants. */
#ifndef CC_NORM_INC_H
#define CC_NORM_INC_H

#include "kernels/column.inc.h"
#include "kernels/norm/norm_kernels.h"
#include "kernels/norm/row_norm.inc.h"

/* sum[i] += v[0] + .. + v[rows - 1] */
ALWAYS_INLINE void column_add(float *sum, const column at, const vec *v, const int rows)
{
    const vec all = rows == 4 ? vec_add(vec_add(v[0], v[1]), vec_add(v[2], v[3])) : v[0];
    column_store(sum, at, vec_add(column_load(sum, at), all));
}

/* ---- Statistics ---- */

ALWAYS_INLINE void sums_column(float *sum, const float *x, int64_t c, const int rows, const column at)
{
    vec v[4];
    UNROLL
    for (int j = 0; j < rows; ++j) v[j] = column_load(x + j * c, at);
    column_add(sum, at, v, rows);
}

ALWAYS_INLINE void sums_rows(float *sum, const float *x, int64_t c, const int rows)
{
    int64_t i = 0;
    for (; i + VEC <= c; i += VEC) sums_column(sum, x, c, rows, WHOLE(i));
    if (i < c) sums_column(sum, x, c, rows, PART(i, c));
}

ALWAYS_INLINE void moments_column(const float *about, float *first, float *second, const float *x, int64_t c, const int rows,
                                  const column at)
{
    const vec middle = column_load(about, at);
    vec v[4];
    UNROLL
    for (int j = 0; j < rows; ++j) v[j] = minus(column_load(x + j * c, at), middle);
    column_add(first, at, v, rows);
    vec squares = column_load(second, at);
    UNROLL
    for (int j = 0; j < rows; ++j) squares = vec_fma(v[j], v[j], squares);
    column_store(second, at, squares);
}

ALWAYS_INLINE void moments_rows(const float *about, float *first, float *second, const float *x, int64_t c, const int rows)
{
    int64_t i = 0;
    for (; i + VEC <= c; i += VEC) moments_column(about, first, second, x, c, rows, WHOLE(i));
    if (i < c) moments_column(about, first, second, x, c, rows, PART(i, c));
}

static void norm_moments(const float *x, int64_t rows, int64_t c, float *about, float *first, float *second)
{
    int64_t row = 0;
    for (int64_t i = 0; i < c; ++i) about[i] = first[i] = second[i] = 0;
    for (; row + 4 <= rows; row += 4) sums_rows(about, x + row * c, c, 4);
    for (; row < rows; ++row) sums_rows(about, x + row * c, c, 1);
    for (int64_t i = 0; i < c; ++i) about[i] /= (float)rows;
    for (row = 0; row + 4 <= rows; row += 4) moments_rows(about, first, second, x + row * c, c, 4);
    for (; row < rows; ++row) moments_rows(about, first, second, x + row * c, c, 1);
}

/* ---- Forward ---- */

ALWAYS_INLINE void forward_column(const cc_norm *k, float *y, const float *x, const float *residual, const int rows,
                                  const cc_activation act, const column at)
{
    const vec high = column_load(k->high, at), low = column_load(k->low, at), scale = column_load(k->scale, at);
    const vec shift = column_load(k->shift, at);
    UNROLL
    for (int j = 0; j < rows; ++j) {
        vec v = vec_fma(minus(minus(column_load(x + j * k->c, at), high), low), scale, shift);
        if (residual) v = vec_add(v, column_load(residual + j * k->c, at));
        column_store(y + j * k->c, at, clamp(v, act));
    }
}

ALWAYS_INLINE void forward_rows(const cc_norm *k, float *y, const float *x, const float *residual, const int rows,
                                const cc_activation act)
{
    int64_t i = 0;
    for (; i + VEC <= k->c; i += VEC) forward_column(k, y, x, residual, rows, act, WHOLE(i));
    if (i < k->c) forward_column(k, y, x, residual, rows, act, PART(i, k->c));
}

ALWAYS_INLINE void forward_body(const cc_norm *k, float *y, const float *x, const float *residual, int64_t rows,
                                const cc_activation act)
{
    int64_t row = 0;
    for (; row + 4 <= rows; row += 4)
        forward_rows(k, y + row * k->c, x + row * k->c, residual ? residual + row * k->c : NULL, 4, act);
    for (; row < rows; ++row) forward_rows(k, y + row * k->c, x + row * k->c, residual ? residual + row * k->c : NULL, 1, act);
}

static void norm_forward(const cc_norm *k, float *y, const float *x, const float *residual, int64_t rows)
{
    switch (k->act) {
    case CC_ACT_LINEAR: forward_body(k, y, x, residual, rows, CC_ACT_LINEAR); break;
    case CC_ACT_RELU: forward_body(k, y, x, residual, rows, CC_ACT_RELU); break;
    case CC_ACT_RELU6: forward_body(k, y, x, residual, rows, CC_ACT_RELU6); break;
    default: break; /* no clamp */
    }
}

/* ---- Backward ---- */

/* dz = dy act', told from y or, where y is NULL, from what the forward pass computed from centered = x - mean: the same
 * operations give the same bits, so no sign is ever told otherwise than from y. */
ALWAYS_INLINE vec norm_dz(const cc_norm *k, vec dy, vec centered, const float *y, const cc_activation act, const column at)
{
    if (act == CC_ACT_LINEAR) return dy;
    const vec v = y ? column_load(y, at) : vec_fma(centered, column_load(k->scale, at), column_load(k->shift, at));
    if (act == CC_ACT_RELU6) dy = vec_keep(minus(vec_set1(6), v), dy);
    return vec_keep(v, dy);
}

ALWAYS_INLINE void gradient_sums_column(const cc_norm *k, float *dz, const float *dy, const float *x, const float *y,
                                        float *sum, float *product, const int rows, const cc_activation act, const column at)
{
    const vec high = column_load(k->high, at), low = column_load(k->low, at);
    vec v[4], centered[4];
    UNROLL
    for (int j = 0; j < rows; ++j) {
        centered[j] = x ? minus(minus(column_load(x + j * k->c, at), high), low) : vec_zero();
        v[j] = norm_dz(k, column_load(dy + j * k->c, at), centered[j], y ? y + j * k->c : NULL, act, at);
        if (dz) column_store(dz + j * k->c, at, v[j]);
    }
    column_add(sum, at, v, rows);
    if (!x) return;
    UNROLL
    for (int j = 0; j < rows; ++j) v[j] = vec_mul(v[j], centered[j]);
    column_add(product, at, v, rows);
}

ALWAYS_INLINE void gradient_sums_rows(const cc_norm *k, float *dz, const float *dy, const float *x, const float *y, float *sum,
                                      float *product, const int rows, const cc_activation act)
{
    int64_t i = 0;
    for (; i + VEC <= k->c; i += VEC) gradient_sums_column(k, dz, dy, x, y, sum, product, rows, act, WHOLE(i));
    if (i < k->c) gradient_sums_column(k, dz, dy, x, y, sum, product, rows, act, PART(i, k->c));
}

#define FROM(p, row) ((p) ? (p) + (row)*k->c : NULL)

ALWAYS_INLINE void gradient_sums_body(const cc_norm *k, float *dz, const float *dy, const float *x, const float *y,
                                      int64_t rows, float *sum, float *product, const cc_activation act)
{
    int64_t row = 0;
    for (int64_t i = 0; i < k->c; ++i) sum[i] = product[i] = 0;
    for (; row + 4 <= rows; row += 4)
        gradient_sums_rows(k, FROM(dz, row), dy + row * k->c, FROM(x, row), FROM(y, row), sum, product, 4, act);
    for (; row < rows; ++row)
        gradient_sums_rows(k, FROM(dz, row), dy + row * k->c, FROM(x, row), FROM(y, row), sum, product, 1, act);
}

static void norm_sums(const cc_norm *k, float *dz, const float *dy, const float *x, const float *y, int64_t rows, float *sum,
                      float *product)
{
    switch (k->act) {
    case CC_ACT_LINEAR: gradient_sums_body(k, dz, dy, x, y, rows, sum, product, CC_ACT_LINEAR); break;
    case CC_ACT_RELU: gradient_sums_body(k, dz, dy, x, y, rows, sum, product, CC_ACT_RELU); break;
    case CC_ACT_RELU6: gradient_sums_body(k, dz, dy, x, y, rows, sum, product, CC_ACT_RELU6); break;
    default: break; /* no clamp */
    }
}

ALWAYS_INLINE void backward_column(const cc_norm *k, float *dx, const float *dy, const float *x, const float *y, const int rows,
                                   const cc_activation act, const column at)
{
    const vec high = column_load(k->high, at), low = column_load(k->low, at), scale = column_load(k->scale, at);
    const vec by_x = column_load(k->by_x, at), constant = column_load(k->constant, at);
    UNROLL
    for (int j = 0; j < rows; ++j) {
        const vec centered = x ? minus(minus(column_load(x + j * k->c, at), high), low) : vec_zero();
        const vec dz = norm_dz(k, column_load(dy + j * k->c, at), centered, y ? y + j * k->c : NULL, act, at);
        column_store(dx + j * k->c, at, vec_mul(x ? vec_fma(centered, by_x, vec_add(dz, constant)) : dz, scale));
    }
}

ALWAYS_INLINE void backward_rows(const cc_norm *k, float *dx, const float *dy, const float *x, const float *y, const int rows,
                                 const cc_activation act)
{
    int64_t i = 0;
    for (; i + VEC <= k->c; i += VEC) backward_column(k, dx, dy, x, y, rows, act, WHOLE(i));
    if (i < k->c) backward_column(k, dx, dy, x, y, rows, act, PART(i, k->c));
}

ALWAYS_INLINE void backward_body(const cc_norm *k, float *dx, const float *dy, const float *x, const float *y, int64_t rows,
                                 const cc_activation act)
{
    int64_t row = 0;
    for (; row + 4 <= rows; row += 4) backward_rows(k, dx + row * k->c, dy + row * k->c, FROM(x, row), FROM(y, row), 4, act);
    for (; row < rows; ++row) backward_rows(k, dx + row * k->c, dy + row * k->c, FROM(x, row), FROM(y, row), 1, act);
}

static void norm_backward(const cc_norm *k, float *dx, const float *dy, const float *x, const float *y, int64_t rows)
{
    switch (k->act) {
    case CC_ACT_LINEAR: backward_body(k, dx, dy, x, y, rows, CC_ACT_LINEAR); break;
    case CC_ACT_RELU: backward_body(k, dx, dy, x, y, rows, CC_ACT_RELU); break;
    case CC_ACT_RELU6: backward_body(k, dx, dy, x, y, rows, CC_ACT_RELU6); break;
    default: break; /* no clamp */
    }
}
#undef FROM

ALWAYS_INLINE void combine_column(const cc_norm *k, float *dx, const float *dy, const float *x, const int rows, const column at)
{
    const vec high = column_load(k->high, at), low = column_load(k->low, at), scale = column_load(k->scale, at);
    const vec by_x = column_load(k->by_x, at), constant = column_load(k->constant, at);
    UNROLL
    for (int j = 0; j < rows; ++j) {
        const vec centered = minus(minus(column_load(x + j * k->c, at), high), low);
        column_store(dx + j * k->c, at, vec_fma(column_load(dy + j * k->c, at), scale, vec_fma(centered, by_x, constant)));
    }
}

ALWAYS_INLINE void combine_rows(const cc_norm *k, float *dx, const float *dy, const float *x, const int rows)
{
    int64_t i = 0;
    for (; i + VEC <= k->c; i += VEC) combine_column(k, dx, dy, x, rows, WHOLE(i));
    if (i < k->c) combine_column(k, dx, dy, x, rows, PART(i, k->c));
}

static void norm_combine(const cc_norm *k, float *dx, const float *dy, const float *x, int64_t rows)
{
    int64_t row = 0;
    for (; row + 4 <= rows; row += 4) combine_rows(k, dx + row * k->c, dy + row * k->c, x + row * k->c, 4);
    for (; row < rows; ++row) combine_rows(k, dx + row * k->c, dy + row * k->c, x + row * k->c, 1);
}

static const cc_norm_kernels norm_kernels = {
    .moments = norm_moments,
    .forward = norm_forward,
    .sums = norm_sums,
    .backward = norm_backward,
    .combine = norm_combine,
    .row_moments = norm_row_moments,
    .row_forward = norm_row_forward,
    .row_sums = norm_row_sums,
    .row_backward = norm_row_backward,
};

#endif
