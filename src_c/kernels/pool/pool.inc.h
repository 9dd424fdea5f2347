/* Poolings of rows of channels, written once over the vocabulary of simd_*.h: a vector of channels passes over the cells of its
 * window with the result, and the number of the largest cell, in registers. Windows of 2x2 cells are compiled on their own. */
#ifndef CC_POOL_INC_H
#define CC_POOL_INC_H

#include "kernels/column.inc.h"
#include "kernels/pool/pool_kernels.h"

/* ---- Forward ---- */

ALWAYS_INLINE void max_column(const cc_pool *k, float *y, uint8_t *bytes, float *floats, const float *x, const int planes,
                              const int rows, const int columns, const column at)
{
    vec best = column_load(x, at), place = vec_set1((float)k->first);
    for (int t = 0; t < planes; ++t)
        for (int i = 0; i < rows; ++i)
            for (int j = t == 0 && i == 0; j < columns; ++j) {
                const vec v = column_load(x + t * k->plane + i * k->line + j * k->c, at);
                const int number = k->first + t * k->area + i * k->width + j;
                if (bytes || floats) place = vec_above(v, best, vec_set1((float)number), place);
                best = vec_above(v, best, v, best);
            }
    column_store(y, at, k->act == CC_ACT_LINEAR ? best : clamp(best, k->act));
    if (bytes) column_store_bytes(bytes, k->c, at, place);
    if (floats) column_store(floats, at, place);
}

ALWAYS_INLINE void max_body(const cc_pool *k, float *y, uint8_t *bytes, float *floats, const float *x, const int planes,
                            const int rows, const int columns)
{
    for (int64_t o = 0; o < k->outputs; ++o) {
        int64_t i = 0;
        for (; i + VEC <= k->c; i += VEC) max_column(k, y, bytes, floats, x, planes, rows, columns, WHOLE(i));
        if (i < k->c) max_column(k, y, bytes, floats, x, planes, rows, columns, PART(i, k->c));
        x += k->step;
        y += k->c;
        if (bytes) bytes += k->c;
        if (floats) floats += k->c;
    }
}

/* Windows of 2x2 cells of `planes` planes, and others. */
ALWAYS_INLINE void max_of_planes(const cc_pool *k, float *y, void *places, const float *x, const int planes)
{
    const bool small = k->rows == 2 && k->columns == 2;
    if (places && k->wide)
        max_body(k, y, NULL, places, x, planes, k->rows, k->columns);
    else if (places && small)
        max_body(k, y, places, NULL, x, planes, 2, 2);
    else if (places)
        max_body(k, y, places, NULL, x, planes, k->rows, k->columns);
    else if (small)
        max_body(k, y, NULL, NULL, x, planes, 2, 2);
    else
        max_body(k, y, NULL, NULL, x, planes, k->rows, k->columns);
}

static void pool_max(const cc_pool *k, float *y, void *places, const float *x)
{
    if (k->planes == 1)
        max_of_planes(k, y, places, x, 1);
    else
        max_of_planes(k, y, places, x, k->planes);
}

ALWAYS_INLINE vec sum_cells(const cc_pool *k, vec sum, const float *x, const int columns, const bool squares, const column at)
{
    for (int j = 0; j < columns; ++j) {
        const vec v = column_load(x + j * k->c, at);
        sum = squares ? vec_add(sum, vec_mul(v, v)) : vec_add(sum, v);
    }
    return sum;
}

/* Of few cells one after the other, of many in strips. */
ALWAYS_INLINE void sum_column(const cc_pool *k, float *y, const float *x, vec factor, const bool squares, const bool few,
                              const column at)
{
    vec sum = vec_zero();
    if (few) {
        for (int i = 0; i < k->rows; ++i) sum = sum_cells(k, sum, x + i * k->line, k->columns, squares, at);
    } else {
        pairwise all;
        all.parts = all.level = 0;
        for (int i = 0; i < k->rows; ++i)
            for (int j = 0; j < k->columns; j += CC_POOL_FEW) {
                const int columns = k->columns - j < CC_POOL_FEW ? k->columns - j : CC_POOL_FEW;
                pairwise_add(&all, sum_cells(k, vec_zero(), x + i * k->line + j * k->c, columns, squares, at));
            }
        sum = pairwise_total(&all);
    }
    column_store(y, at, vec_mul(sum, factor));
}

ALWAYS_INLINE void sum_body(const cc_pool *k, float *y, const float *x, float factor, const bool squares, const bool few)
{
    for (int64_t o = 0; o < k->outputs; ++o, x += k->step, y += k->c) {
        int64_t i = 0;
        for (; i + VEC <= k->c; i += VEC) sum_column(k, y, x, vec_set1(factor), squares, few, WHOLE(i));
        if (i < k->c) sum_column(k, y, x, vec_set1(factor), squares, few, PART(i, k->c));
    }
}

static void pool_sum(const cc_pool *k, float *y, const float *x, float factor, bool squares)
{
    const bool few = (int64_t)k->rows * k->columns <= CC_POOL_FEW;
    if (squares && few)
        sum_body(k, y, x, factor, true, true);
    else if (squares)
        sum_body(k, y, x, factor, true, false);
    else if (few)
        sum_body(k, y, x, factor, false, true);
    else
        sum_body(k, y, x, factor, false, false);
}

/* ---- Backward ---- */

/* dz goes to the cell of each column whose number is the place's. */
ALWAYS_INLINE void max_gradient_column(const cc_pool *k, float *dx, const float *dy, const float *y, const uint8_t *bytes,
                                       const float *floats, const int columns, const bool add, const column at)
{
    vec dz = column_load(dy, at);
    if (k->act != CC_ACT_LINEAR) {
        const vec v = column_load(y, at);
        if (k->act == CC_ACT_RELU6) dz = vec_keep(minus(vec_set1(6), v), dz);
        dz = vec_keep(v, dz);
    }
    const vec place = bytes ? column_load_bytes(bytes, k->c, at) : column_load(floats, at);
    for (int j = 0; j < columns; ++j) {
        const vec part = vec_keep_equal(place, vec_set1((float)(k->first + j)), dz);
        column_store(dx + j * k->c, at, add ? vec_add(column_load(dx + j * k->c, at), part) : part);
    }
}

ALWAYS_INLINE void max_gradient_body(const cc_pool *k, float *dx, const float *dy, const float *y, const uint8_t *bytes,
                                     const float *floats, const int columns, const bool add)
{
    for (int64_t o = 0; o < k->outputs; ++o) {
        int64_t i = 0;
        for (; i + VEC <= k->c; i += VEC) max_gradient_column(k, dx, dy, y, bytes, floats, columns, add, WHOLE(i));
        if (i < k->c) max_gradient_column(k, dx, dy, y, bytes, floats, columns, add, PART(i, k->c));
        dx += k->step;
        dy += k->c;
        if (y) y += k->c;
        if (bytes) bytes += k->c;
        if (floats) floats += k->c;
    }
}

static void pool_max_backward(const cc_pool *k, float *dx, const float *dy, const float *y, const void *places, bool add)
{
    if (k->wide)
        max_gradient_body(k, dx, dy, y, NULL, places, k->columns, add);
    else if (k->columns == 2 && !add)
        max_gradient_body(k, dx, dy, y, places, NULL, 2, false);
    else
        max_gradient_body(k, dx, dy, y, places, NULL, k->columns, add);
}

ALWAYS_INLINE void sum_gradient_column(const cc_pool *k, float *dx, const float *dy, float factor, const bool add,
                                       const column at)
{
    const vec part = vec_mul(column_load(dy, at), vec_set1(factor));
    for (int j = 0; j < k->columns; ++j)
        column_store(dx + j * k->c, at, add ? vec_add(column_load(dx + j * k->c, at), part) : part);
}

static void pool_sum_backward(const cc_pool *k, float *dx, const float *dy, float factor, bool add)
{
    for (int64_t o = 0; o < k->outputs; ++o, dx += k->step, dy += k->c) {
        int64_t i = 0;
        for (; i + VEC <= k->c; i += VEC) sum_gradient_column(k, dx, dy, factor, add, WHOLE(i));
        if (i < k->c) sum_gradient_column(k, dx, dy, factor, add, PART(i, k->c));
    }
}

static const cc_pool_kernels pool_kernels = {
    .max = pool_max,
    .sum = pool_sum,
    .max_backward = pool_max_backward,
    .sum_backward = pool_sum_backward,
};

#endif
