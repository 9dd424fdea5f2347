/* The kernels of grouped convolution (see cc_grouped), written once over the vocabulary of simd_*.h. A row of accumulators, one
 * vector of output channels for each pixel, stays in registers. For every strip and channel k the weights of a run of taps are
 * loaded, and each pixel of x is loaded and spread once for all taps of the run: a run of three makes three multiply-adds of one
 * spread. Runs are constants, and compiled for each. */
#ifndef CC_GROUPED_INC_H
#define CC_GROUPED_INC_H

#include "kernels/grouped/grouped_kernels.h"
#include "kernels/macros.h"

enum { STRIP_PIXELS = GROUPED_PIXELS + CC_RUN_MAX - 1 };

static void grouped_copy(float *to, const float *x, int64_t pixels, int64_t x_step, int width, int64_t ahead)
{
    const mask part = mask_first(width);
    for (int64_t p = 0; p < pixels; ++p, x += x_step, to += VEC) {
        vec_store(to, vec_load_part(x, part));
        if (ahead) PREFETCH(x + ahead);
    }
}

/* The vectors of a strip's pixels at x, side by side: in the image they may lie a multiple of 4 KB apart, and would push one
 * another out of the first-level cache while every channel reads them. */
static void strip_copy(float to[STRIP_PIXELS * VEC], const cc_strip *strip, const float *x, int64_t x_step, int width)
{
    const int begin = strip->begin;
    for (int q = 0; q < begin; ++q) vec_store(to + q * VEC, vec_zero());
    grouped_copy(to + begin * VEC, x + begin * x_step, strip->end - begin, x_step, width, strip->ahead);
}

/* Channels 0 .. depth-1 of a strip: acc[p] += spread(x[p + j], k) w[k][j]. */
ALWAYS_INLINE void grouped_run(vec acc[GROUPED_PIXELS], const float *x, int end, const int32_t *spread, const float *w,
                               int64_t depth, const int run)
{
    for (int64_t k = 0; k < depth; ++k, spread += VEC, w += run * VEC) {
        const lanes from = lanes_load(spread);
        vec weight[CC_RUN_MAX];
        UNROLL
        for (int j = 0; j < run; ++j) weight[j] = vec_load(w + j * VEC);
        UNROLL
        for (int q = 0; q < GROUPED_PIXELS + run - 1; ++q) {
            if (q >= end) break;
            const vec v = vec_permute(vec_load(x + q * VEC), from);
            UNROLL
            for (int j = 0; j < run; ++j)
                if (q - j >= 0 && q - j < GROUPED_PIXELS) acc[q - j] = vec_fma(v, weight[j], acc[q - j]);
        }
    }
}

static void grouped_tile(const cc_grouped *g)
{
    vec acc[GROUPED_PIXELS];
    float x[STRIP_PIXELS * VEC];
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
    for (int s = 0; s < g->strips; ++s) {
        const cc_strip *strip = g->strip + s;
        const float *w = g->w + strip->weights;
        for (int64_t k = 0; k < g->depth; k += VEC, w += strip->run * VEC * VEC) {
            const int64_t depth = g->depth - k < VEC ? g->depth - k : VEC;
            strip_copy(x, strip, strip->x + g->x_channel + k, g->x_step, k + VEC < g->depth ? VEC : g->x_last);
            if (strip->run == 1)
                grouped_run(acc, x, strip->end, g->spread, w, depth, 1);
            else if (strip->run == 2)
                grouped_run(acc, x, strip->end, g->spread, w, depth, 2);
            else
                grouped_run(acc, x, strip->end, g->spread, w, depth, 3);
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

/* What pixel q of x meets: pixel q - j of y by tap j. inner = whether there is one for each tap. */
ALWAYS_INLINE void grouped_outer_pixel(vec acc[CC_RUN_MAX][CC_GROUPED_DEPTH], const cc_grouped_outer *g, const float *x,
                                       const float *dy, const lanes from[CC_GROUPED_DEPTH], int64_t q, const int run,
                                       const int depth, const bool inner)
{
    const vec v = vec_load(x + q * g->x_step);
    vec spread[CC_GROUPED_DEPTH];
    UNROLL
    for (int k = 0; k < depth; ++k) spread[k] = vec_permute(v, from[k]);
    UNROLL
    for (int j = 0; j < run; ++j) {
        if (!inner && (q < j || q - j >= g->pixels)) continue;
        const vec d = vec_load(dy + (q - j) * g->dy_step);
        UNROLL
        for (int k = 0; k < depth; ++k) acc[j][k] = vec_fma(spread[k], d, acc[j][k]);
    }
}

ALWAYS_INLINE void grouped_outer_body(const cc_grouped_outer *g, const int run, const int depth)
{
    vec acc[CC_RUN_MAX][CC_GROUPED_DEPTH];
    lanes from[CC_GROUPED_DEPTH];
    const mask out = mask_first(g->y_lanes);
    UNROLL
    for (int k = 0; k < depth; ++k) {
        from[k] = lanes_load(g->spread + k * VEC);
        UNROLL
        for (int j = 0; j < run; ++j) acc[j][k] = vec_zero();
    }
    const int64_t last = g->end < g->pixels ? g->end : g->pixels;
    for (int64_t l = 0; l < g->lines; ++l) {
        const float *x = g->x + l * g->x_line, *dy = g->dy + l * g->dy_line;
        int64_t q = g->begin;
        for (; q < g->end && q < run - 1; ++q) grouped_outer_pixel(acc, g, x, dy, from, q, run, depth, false);
        for (; q < last; ++q) grouped_outer_pixel(acc, g, x, dy, from, q, run, depth, true);
        for (; q < g->end; ++q) grouped_outer_pixel(acc, g, x, dy, from, q, run, depth, false);
    }
    UNROLL
    for (int j = 0; j < run; ++j) {
        UNROLL
        for (int k = 0; k < depth; ++k) {
            float *dw = g->dw + j * g->dw_tap + k * g->dw_depth;
            vec_store_part(dw, out, vec_add(vec_load_part(dw, out), acc[j][k]));
        }
    }
}

#define DEFINE_OUTER(run, depth)                                                                                               \
    static void grouped_outer_##run##x##depth(const cc_grouped_outer *g)                                                       \
    {                                                                                                                          \
        grouped_outer_body(g, run, depth);                                                                                     \
    }
#define EACH_OUTER(X) X(1, 1) X(1, 2) X(1, 3) X(1, 4) X(2, 1) X(2, 2) X(2, 3) X(2, 4) X(3, 1) X(3, 2) X(3, 3) X(3, 4)

EACH_OUTER(DEFINE_OUTER)

static void grouped_outer(const cc_grouped_outer *g)
{
#define ENTRY(run, depth) grouped_outer_##run##x##depth,
    static void (*const table[CC_RUN_MAX * CC_GROUPED_DEPTH])(const cc_grouped_outer *) = {EACH_OUTER(ENTRY)};
#undef ENTRY
    table[(g->run - 1) * CC_GROUPED_DEPTH + g->depth - 1](g);
}

static const cc_grouped_kernels grouped_kernels = {
    .vec = VEC,
    .pixels = GROUPED_PIXELS,
    .tile = grouped_tile,
    .outer = grouped_outer,
    .copy = grouped_copy,
};

#endif
