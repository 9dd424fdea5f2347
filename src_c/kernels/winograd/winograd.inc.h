/* Winograd's convolution: the two products between the transforms, in each plane. */
#ifndef CC_WINOGRAD_INC_H
#define CC_WINOGRAD_INC_H

#include "kernels/macros.h"
#include "kernels/winograd/winograd_kernels.h"
#include "kernels/winograd/winograd_transforms.inc.h"

/* One plane of MR tiles by `vecs` vectors of columns. One pointer and constant distances lead to all of a's rows. */
ALWAYS_INLINE void product_body(float *y, const float *a, const float *b, int64_t depth, bool accumulate, const int rows,
                                const int vecs)
{
    enum { AHEAD = 1024 }; /* floats of b: it often comes from memory, and what fetches by itself stops at the end of a page */
    vec acc[MR][2];
    UNROLL
    for (int i = 0; i < rows; ++i) {
        acc[i][0] = accumulate ? vec_load(y + i * NR) : vec_zero();
        if (vecs == 2) acc[i][1] = accumulate ? vec_load(y + i * NR + VEC) : vec_zero();
    }
    for (int64_t k = 0; k < depth; k += VEC, a += MR * VEC) {
        const float *end = a + (depth - k < VEC ? depth - k : VEC);
        for (const float *p = a; p < end; ++p, b += NR) {
            const vec b0 = vec_load(b), b1 = vecs == 2 ? vec_load(b + VEC) : b0;
            PREFETCH(b + AHEAD);
            if (vecs == 2) PREFETCH(b + AHEAD + VEC);
            UNROLL
            for (int i = 0; i < rows; ++i) {
                const vec x = vec_set1(p[i * VEC]);
                acc[i][0] = vec_fma(x, b0, acc[i][0]);
                if (vecs == 2) acc[i][1] = vec_fma(x, b1, acc[i][1]);
            }
        }
    }
    UNROLL
    for (int i = 0; i < rows; ++i) {
        vec_store(y + i * NR, acc[i][0]);
        if (vecs == 2) vec_store(y + i * NR + VEC, acc[i][1]);
    }
}

#define DEFINE_PRODUCT(rows)                                                                                                   \
    static void winograd_product_##rows##x1(float *y, const float *a, const float *b, int64_t depth, bool accumulate)          \
    {                                                                                                                          \
        product_body(y, a, b, depth, accumulate, rows, 1);                                                                     \
    }                                                                                                                          \
    static void winograd_product_##rows##x2(float *y, const float *a, const float *b, int64_t depth, bool accumulate)          \
    {                                                                                                                          \
        product_body(y, a, b, depth, accumulate, rows, 2);                                                                     \
    }
EACH_UP_TO(MR, DEFINE_PRODUCT)

static void winograd_product(float *y, const float *a, const float *b, int64_t depth, int rows, int columns, bool accumulate)
{
#define ENTRY(rows) {winograd_product_##rows##x1, winograd_product_##rows##x2},
    static void (*const table[MR][2])(float *, const float *, const float *, int64_t, bool) = {EACH_UP_TO(MR, ENTRY)};
#undef ENTRY
    table[rows - 1][columns > VEC](y, a, b, depth, accumulate);
}

/* One plane of VEC rows by `vecs` vectors of columns of the sum over tiles, as many rows at a time as leave room in the registers.
 * Long sums are added up in strips, which keeps their rounding errors small. */
ALWAYS_INLINE void outer_sum_body(float *y, const float *a, const float *b0, const float *b1, int64_t tiles, bool accumulate,
                                  const int vecs)
{
    enum { STRIP = 64 };
    const int rows = vecs == 2 && VEC > 4 ? VEC / 2 : VEC;
    for (int64_t begin = 0; begin < tiles; begin += STRIP) {
        const int64_t end = tiles - begin < STRIP ? tiles : begin + STRIP;
        const bool add = accumulate || begin > 0;
        for (int row = 0; row < VEC; row += rows) {
            const float *from = a + row;
            vec acc[VEC][2];
            UNROLL
            for (int i = 0; i < rows; ++i) acc[i][0] = acc[i][1] = vec_zero();
            for (int64_t t = begin; t < end; ++t) {
                const vec left = vec_load(b0 + t * VEC), right = vecs == 2 ? vec_load(b1 + t * VEC) : left;
                UNROLL
                for (int i = 0; i < rows; ++i) {
                    const vec x = vec_set1(from[t * VEC + i]);
                    acc[i][0] = vec_fma(x, left, acc[i][0]);
                    if (vecs == 2) acc[i][1] = vec_fma(x, right, acc[i][1]);
                }
            }
            UNROLL
            for (int i = 0; i < rows; ++i) {
                float *to = y + (row + i) * NR;
                vec_store(to, add ? vec_add(vec_load(to), acc[i][0]) : acc[i][0]);
                if (vecs == 2) vec_store(to + VEC, add ? vec_add(vec_load(to + VEC), acc[i][1]) : acc[i][1]);
            }
        }
    }
}

static void winograd_outer(float *y, const float *a, const float *b0, const float *b1, int64_t tiles, bool accumulate)
{
    if (b1)
        outer_sum_body(y, a, b0, b1, tiles, accumulate, 2);
    else
        outer_sum_body(y, a, b0, b1, tiles, accumulate, 1);
}

static const cc_winograd_kernels winograd_kernels = {
    .mr = MR,
    .nr = NR,
    .transforms =
        {
#define ENTRY(m, r) &winograd_##m##_##r,
            CC_WINOGRAD_SIZES(ENTRY)
#undef ENTRY
        },
    .product = winograd_product,
    .outer = winograd_outer,
};

#endif
