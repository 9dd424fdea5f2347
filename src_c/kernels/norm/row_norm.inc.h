/* Layer normalization of a row whose numbers lie side by side. A row is read as often as there are kernels, out of the first-level
 * cache. Sums are float32 over a span, in four vectors side by side, and double from span to span. */
#ifndef CC_ROW_NORM_INC_H
#define CC_ROW_NORM_INC_H

#include "kernels/column.inc.h"
#include "kernels/norm/norm_kernels.h"

enum { ROW_SPAN = 512 * VEC, ROW_SUMS = 4 };

ALWAYS_INLINE double row_total(const vec *sums)
{
    float parts[VEC];
    double total[VEC];
    vec_store(parts, vec_add(vec_add(sums[0], sums[1]), vec_add(sums[2], sums[3])));
    UNROLL
    for (int i = 0; i < VEC; ++i) total[i] = (double)parts[i];
    UNROLL
    for (int apart = VEC / 2; apart > 0; apart /= 2) {
        UNROLL
        for (int i = 0; i < apart; ++i) total[i] += total[i + apart];
    }
    return total[0];
}

ALWAYS_INLINE void row_moments_column(const float *x, const float *about, vec *first, vec *second, const bool squares,
                                      const column at)
{
    const vec middle = at.full ? vec_load(about) : vec_load_part(about, at.part); /* 0 beyond the end, as x is */
    const vec v = minus(column_load(x, at), middle);
    *first = vec_add(*first, v);
    if (squares) *second = vec_fma(v, v, *second);
}

ALWAYS_INLINE void row_moments_body(const float *x, int64_t n, float about, double *first, double *second, const bool squares)
{
    float middle[VEC];
    for (int i = 0; i < VEC; ++i) middle[i] = about;
    *first = 0;
    if (squares) *second = 0;
    for (int64_t i = 0; i < n;) {
        const int64_t end = n - i < ROW_SPAN ? n : i + ROW_SPAN;
        vec a[ROW_SUMS], b[ROW_SUMS];
        UNROLL
        for (int j = 0; j < ROW_SUMS; ++j) a[j] = b[j] = vec_zero();
        for (; i + ROW_SUMS * VEC <= end; i += ROW_SUMS * VEC) {
            UNROLL
            for (int j = 0; j < ROW_SUMS; ++j) row_moments_column(x, middle, &a[j], &b[j], squares, WHOLE(i + j * VEC));
        }
        for (; i + VEC <= end; i += VEC) row_moments_column(x, middle, &a[0], &b[0], squares, WHOLE(i));
        if (i < end) row_moments_column(x, middle, &a[1], &b[1], squares, PART(i, end));
        *first += row_total(a);
        if (squares) *second += row_total(b);
        i = end;
    }
}

static void norm_row_moments(const float *x, int64_t n, float about, double *first, double *second)
{
    if (second)
        row_moments_body(x, n, about, first, second, true);
    else
        row_moments_body(x, n, about, first, NULL, false);
}

ALWAYS_INLINE vec row_centered(const cc_row_norm *k, const float *x, const column at)
{
    return minus(minus(column_load(x, at), vec_set1(k->high)), vec_set1(k->low));
}

ALWAYS_INLINE void row_forward_column(const cc_row_norm *k, float *y, const float *x, const column at)
{
    vec v = vec_mul(row_centered(k, x, at), vec_set1(k->s));
    if (k->gamma) v = vec_mul(v, column_load(k->gamma, at));
    if (k->beta) v = vec_add(v, column_load(k->beta, at));
    column_store(y, at, v);
}

/* Bodies take the row's coefficients by value, and whether there is a gamma and a beta as constants: what is written might change
 * those behind a pointer, and each vector would load them anew. */
ALWAYS_INLINE void row_forward_body(const cc_row_norm k, float *y, const float *x)
{
    int64_t i = 0;
    for (; i + VEC <= k.n; i += VEC) row_forward_column(&k, y, x, WHOLE(i));
    if (i < k.n) row_forward_column(&k, y, x, PART(i, k.n));
}

ALWAYS_INLINE cc_row_norm row_plain(const cc_row_norm *k, bool gamma, bool beta)
{
    return (cc_row_norm){k->n, k->high, k->low, k->s, gamma ? k->gamma : NULL, beta ? k->beta : NULL};
}

static void norm_row_forward(const cc_row_norm *k, float *y, const float *x)
{
    if (k->gamma && k->beta)
        row_forward_body(*k, y, x);
    else if (k->gamma)
        row_forward_body(row_plain(k, true, false), y, x);
    else if (k->beta)
        row_forward_body(row_plain(k, false, true), y, x);
    else
        row_forward_body(row_plain(k, false, false), y, x);
}

ALWAYS_INLINE void row_sums_column(const cc_row_norm *k, const float *dy, const float *x, float *dgamma, float *dbeta,
                                   vec *first, vec *second, const column at)
{
    const vec centered = row_centered(k, x, at);
    vec d = column_load(dy, at);
    if (dgamma) {
        column_store(dgamma, at, vec_fma(vec_mul(d, centered), vec_set1(k->s), column_load(dgamma, at)));
        column_store(dbeta, at, vec_add(d, column_load(dbeta, at)));
    }
    if (k->gamma) d = vec_mul(d, column_load(k->gamma, at));
    *first = vec_add(*first, d);
    *second = vec_fma(d, centered, *second);
}

static void norm_row_sums(const cc_row_norm *k, const float *dy, const float *x, float *dgamma, float *dbeta, double *first,
                          double *second)
{
    *first = *second = 0;
    for (int64_t i = 0; i < k->n;) {
        const int64_t end = k->n - i < ROW_SPAN ? k->n : i + ROW_SPAN;
        vec a[ROW_SUMS], b[ROW_SUMS];
        UNROLL
        for (int j = 0; j < ROW_SUMS; ++j) a[j] = b[j] = vec_zero();
        for (; i + ROW_SUMS * VEC <= end; i += ROW_SUMS * VEC) {
            UNROLL
            for (int j = 0; j < ROW_SUMS; ++j) row_sums_column(k, dy, x, dgamma, dbeta, &a[j], &b[j], WHOLE(i + j * VEC));
        }
        for (; i + VEC <= end; i += VEC) row_sums_column(k, dy, x, dgamma, dbeta, &a[0], &b[0], WHOLE(i));
        if (i < end) row_sums_column(k, dy, x, dgamma, dbeta, &a[1], &b[1], PART(i, end));
        *first += row_total(a);
        *second += row_total(b);
        i = end;
    }
}

ALWAYS_INLINE void row_backward_column(const cc_row_norm *k, float *dx, const float *dy, const float *x, float by_x,
                                       float constant, const column at)
{
    vec d = column_load(dy, at);
    if (k->gamma) d = vec_mul(d, column_load(k->gamma, at));
    d = vec_fma(row_centered(k, x, at), vec_set1(by_x), vec_add(d, vec_set1(constant)));
    column_store(dx, at, vec_mul(d, vec_set1(k->s)));
}

ALWAYS_INLINE void row_backward_body(const cc_row_norm k, float *dx, const float *dy, const float *x, float by_x, float constant)
{
    int64_t i = 0;
    for (; i + VEC <= k.n; i += VEC) row_backward_column(&k, dx, dy, x, by_x, constant, WHOLE(i));
    if (i < k.n) row_backward_column(&k, dx, dy, x, by_x, constant, PART(i, k.n));
}

static void norm_row_backward(const cc_row_norm *k, float *dx, const float *dy, const float *x, float by_x, float constant)
{
    if (k->gamma)
        row_backward_body(*k, dx, dy, x, by_x, constant);
    else
        row_backward_body(row_plain(k, false, false), dx, dy, x, by_x, constant);
}

#endif
