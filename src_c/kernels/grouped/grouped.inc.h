/* The kernels of grouped convolution (see cc_grouped), written once over the vocabulary of simd_*.h. A row of accumulators, one
 * vector of output channels for each pixel, stays in registers. For every row and channel k the weights of its taps
 * are loaded, and each pixel of x is loaded and permuted once for all of them: three taps make three multiply-adds of one
 * permutation. Their number is a constant, and compiled for each. */
#ifndef CC_GROUPED_INC_H
#define CC_GROUPED_INC_H

#include "kernels/grouped/grouped_kernels.h"
#include "kernels/macros.h"

static void grouped_copy(float *to, const float *x, int64_t pixels, int64_t x_step, int width, int64_t ahead)
{
    const mask part = mask_first(width);
    for (int64_t p = 0; p < pixels; ++p, x += x_step, to += VEC) {
        vec_store(to, vec_load_part(x, part));
        if (ahead) PREFETCH(x + ahead);
    }
}

/* Channels 0 .. depth-1 of a row: acc[p] += permuted(x[p + j], k) w[k][j]. */
ALWAYS_INLINE void grouped_add_row(vec acc[GROUPED_PIXELS], const float *x, int pixels, const int32_t *permutation,
                                   const float *w, int64_t depth, const int taps, const cc_grouped_lanes lanes_of)
{
    const int end = pixels + taps - 1;
    for (int64_t k = 0; k < depth; ++k, permutation += VEC, w += taps * VEC) {
        const lanes from = lanes_load(permutation);
        vec weight[CC_GROUPED_TAPS];
        UNROLL
        for (int j = 0; j < taps; ++j) weight[j] = vec_load(w + j * VEC);
        UNROLL
        for (int q = 0; q < GROUPED_PIXELS + taps - 1; ++q) {
            if (q >= end) break;
            const vec v = lanes_of == CC_GROUPED_ONE    ? vec_set1(x[q * VEC + k])
                          : lanes_of == CC_GROUPED_NEAR ? vec_permute_near(vec_load(x + q * VEC), from)
                                                        : vec_permute(vec_load(x + q * VEC), from);
            UNROLL
            for (int j = 0; j < taps; ++j)
                if (q - j >= 0 && q - j < GROUPED_PIXELS) acc[q - j] = vec_fma(v, weight[j], acc[q - j]);
        }
    }
}

ALWAYS_INLINE void grouped_tile_body(const cc_grouped *g, const cc_grouped_lanes lanes_of)
{
    vec acc[GROUPED_PIXELS];
    const mask out = mask_first(g->y_lanes);
    const vec start = g->bias ? vec_load_part(g->bias, out) : vec_zero();
    UNROLL
    for (int p = 0; p < GROUPED_PIXELS; ++p) {
        acc[p] = start;
        if (p < g->pixels) {
            if (g->accumulate) acc[p] = vec_add(start, vec_load_part(g->y + p * g->y_step, out));
            PREFETCH(g->y + p * g->y_step);
        }
    }
    for (int s = 0; s < g->rows; ++s) {
        const cc_grouped_row *row = g->row + s;
        const float *w = g->w + row->weights, *x = row->x + g->x_first;
        for (int64_t k = 0; k < g->depth; k += VEC, w += row->taps * VEC * VEC, x += g->x_plane) {
            const int64_t depth = g->depth - k < VEC ? g->depth - k : VEC;
            if (row->taps == 1)
                grouped_add_row(acc, x, g->pixels, g->permutation, w, depth, 1, lanes_of);
            else if (row->taps == 2)
                grouped_add_row(acc, x, g->pixels, g->permutation, w, depth, 2, lanes_of);
            else
                grouped_add_row(acc, x, g->pixels, g->permutation, w, depth, 3, lanes_of);
        }
    }
    UNROLL
    for (int p = 0; p < GROUPED_PIXELS; ++p) {
        if (p >= g->pixels) continue;
        const vec v = g->relu ? vec_max(vec_zero(), acc[p]) : acc[p];
        if (g->y_lanes == VEC)
            vec_store(g->y + p * g->y_step, v);
        else
            vec_store_part(g->y + p * g->y_step, out, v);
    }
}

static void grouped_tile(const cc_grouped *g)
{
    if (g->lanes == CC_GROUPED_ONE)
        grouped_tile_body(g, CC_GROUPED_ONE);
    else if (g->lanes == CC_GROUPED_NEAR)
        grouped_tile_body(g, CC_GROUPED_NEAR);
    else
        grouped_tile_body(g, CC_GROUPED_ANY);
}

/* What pixel q of x meets: pixel q - j of y by tap j. inner = whether there is one for each tap. */
ALWAYS_INLINE void grouped_outer_pixel(vec acc[CC_GROUPED_TAPS][CC_GROUPED_DEPTH], const cc_grouped_outer *g, const float *x,
                                       const float *dy, const lanes from[CC_GROUPED_DEPTH], int64_t q, const int taps,
                                       const int depth, const bool inner)
{
    const vec v = vec_load(x + q * g->x_step);
    vec permuted[CC_GROUPED_DEPTH];
    UNROLL
    for (int k = 0; k < depth; ++k) permuted[k] = vec_permute(v, from[k]);
    UNROLL
    for (int j = 0; j < taps; ++j) {
        if (!inner && (q < j || q - j >= g->pixels)) continue;
        const vec d = vec_load(dy + (q - j) * g->dy_step);
        UNROLL
        for (int k = 0; k < depth; ++k) acc[j][k] = vec_fma(permuted[k], d, acc[j][k]);
    }
}

ALWAYS_INLINE void grouped_outer_body(const cc_grouped_outer *g, const int taps, const int depth)
{
    vec acc[CC_GROUPED_TAPS][CC_GROUPED_DEPTH];
    lanes from[CC_GROUPED_DEPTH];
    const mask out = mask_first(g->y_lanes);
    UNROLL
    for (int k = 0; k < depth; ++k) {
        from[k] = lanes_load(g->permutation + k * VEC);
        UNROLL
        for (int j = 0; j < taps; ++j) acc[j][k] = vec_zero();
    }
    const int64_t last = g->end < g->pixels ? g->end : g->pixels;
    for (int64_t l = 0; l < g->lines; ++l) {
        const float *x = g->x + l * g->x_line, *dy = g->dy + l * g->dy_line;
        int64_t q = g->begin;
        for (; q < g->end && q < taps - 1; ++q) grouped_outer_pixel(acc, g, x, dy, from, q, taps, depth, false);
        for (; q < last; ++q) grouped_outer_pixel(acc, g, x, dy, from, q, taps, depth, true);
        for (; q < g->end; ++q) grouped_outer_pixel(acc, g, x, dy, from, q, taps, depth, false);
    }
    UNROLL
    for (int j = 0; j < taps; ++j) {
        UNROLL
        for (int k = 0; k < depth; ++k) {
            float *dw = g->dw + j * g->dw_tap + k * g->dw_depth;
            vec_store_part(dw, out, vec_add(vec_load_part(dw, out), acc[j][k]));
        }
    }
}

#define DEFINE_OUTER(taps, depth)                                                                                              \
    static void grouped_outer_##taps##x##depth(const cc_grouped_outer *g)                                                      \
    {                                                                                                                          \
        grouped_outer_body(g, taps, depth);                                                                                    \
    }
#define EACH_OUTER(X) X(1, 1) X(1, 2) X(1, 3) X(1, 4) X(2, 1) X(2, 2) X(2, 3) X(2, 4) X(3, 1) X(3, 2) X(3, 3) X(3, 4)

EACH_OUTER(DEFINE_OUTER)

static void grouped_outer(const cc_grouped_outer *g)
{
#define ENTRY(taps, depth) grouped_outer_##taps##x##depth,
    static void (*const table[CC_GROUPED_TAPS * CC_GROUPED_DEPTH])(const cc_grouped_outer *) = {EACH_OUTER(ENTRY)};
#undef ENTRY
    table[(g->taps - 1) * CC_GROUPED_DEPTH + g->depth - 1](g);
}

static const cc_grouped_kernels grouped_kernels = {
    .vec = VEC,
    .pixels = GROUPED_PIXELS,
    .tile = grouped_tile,
    .outer = grouped_outer,
    .copy = grouped_copy,
};

#endif
