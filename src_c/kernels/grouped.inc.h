/* The kernels of grouped convolution (see cc_grouped), written once over the vocabulary of simd_*.h. A row of accumulators, one
 * vector of output channels for each pixel, stays in registers. For every strip and channel k the weights of a run of taps are loaded,
 * and each pixel of x is loaded and spread once for all taps of the run: a run of three makes three multiply-adds of one spread. Runs
 * are constants, and compiled for each. Included after gemm_tile.inc.h. */

#if MR == 14
#define GROUPED_PIXELS 14
#else
#define GROUPED_PIXELS 8
#endif

enum { STRIP_PIXELS = GROUPED_PIXELS + CC_RUN_MAX - 1 };

/* The vectors of a strip's pixels at x, side by side: in the image they may lie a multiple of 4 KB apart, and would push one another
 * out of the first-level cache while every channel reads them. */
ALWAYS_INLINE void grouped_copy(float to[STRIP_PIXELS * VEC], const cc_strip *strip, const float *x, int64_t x_step, mask part)
{
    for (int q = 0; q < strip->begin; ++q) vec_store(to + q * VEC, vec_zero());
    x += strip->begin * x_step;
    for (int q = strip->begin; q < strip->end; ++q, x += x_step) {
        vec_store(to + q * VEC, vec_load_part(x, part));
        if (strip->ahead) PREFETCH(x + strip->ahead);
    }
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
            grouped_copy(x, strip, strip->x + g->x_channel + k, g->x_step, mask_first(k + VEC < g->depth ? VEC : g->x_last));
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

/* Walks the pixels of x: while p = q - j is the pixel of y that tap j meets at pixel q of x, the last `run` pixels of y are in d. */
ALWAYS_INLINE void grouped_outer_body(const cc_grouped_outer *g, const int run, const int depth, const bool full)
{
    vec acc[CC_RUN_MAX][CC_GROUPED_DEPTH];
    lanes from[CC_GROUPED_DEPTH];
    const mask in = mask_first(g->x_lanes), out = mask_first(g->y_lanes);
    UNROLL
    for (int k = 0; k < depth; ++k) {
        from[k] = lanes_load(g->spread + k * VEC);
        UNROLL
        for (int j = 0; j < run; ++j) acc[j][k] = vec_zero();
    }
    for (int64_t l = 0; l < g->lines; ++l) {
        const float *x = g->x + l * g->x_line + g->begin * g->x_step, *dy = g->dy + l * g->dy_line;
        vec d[CC_RUN_MAX];
        UNROLL
        for (int j = 0; j < run - 1; ++j) {
            const int64_t p = g->begin - 1 - j;
            d[j] = p >= 0 && p < g->pixels ? vec_load_part(dy + p * g->dy_step, out) : vec_zero();
        }
        dy += g->begin * g->dy_step;
        for (int64_t q = g->begin; q < g->end; ++q, x += g->x_step, dy += g->dy_step) {
            UNROLL
            for (int j = run - 1; j > 0; --j) d[j] = d[j - 1];
            d[0] = vec_zero();
            if (q < g->pixels) d[0] = full ? vec_load(dy) : vec_load_part(dy, out);
            const vec v = full ? vec_load(x) : vec_load_part(x, in);
            UNROLL
            for (int k = 0; k < depth; ++k) {
                const vec spread = vec_permute(v, from[k]);
                UNROLL
                for (int j = 0; j < run; ++j) acc[j][k] = vec_fma(spread, d[j], acc[j][k]);
            }
        }
    }
    UNROLL
    for (int j = 0; j < run; ++j) {
        UNROLL
        for (int k = 0; k < depth; ++k) {
            float *dw = g->dw + j * g->dw_tap + k * g->dw_depth;
            if (full)
                vec_store(dw, vec_add(vec_load(dw), acc[j][k]));
            else
                vec_store_part(dw, out, vec_add(vec_load_part(dw, out), acc[j][k]));
        }
    }
}

#define DEFINE_OUTER(run, depth)                                                                                               \
    static void grouped_outer_##run##x##depth##_part(const cc_grouped_outer *g)                                                \
    {                                                                                                                          \
        grouped_outer_body(g, run, depth, false);                                                                              \
    }                                                                                                                          \
    static void grouped_outer_##run##x##depth##_full(const cc_grouped_outer *g)                                                \
    {                                                                                                                          \
        grouped_outer_body(g, run, depth, true);                                                                               \
    }
#define EACH_OUTER(X) X(1, 1) X(1, 2) X(1, 3) X(1, 4) X(2, 1) X(2, 2) X(2, 3) X(2, 4) X(3, 1) X(3, 2) X(3, 3) X(3, 4)

EACH_OUTER(DEFINE_OUTER)

static void grouped_outer(const cc_grouped_outer *g)
{
#define ENTRY(run, depth) {grouped_outer_##run##x##depth##_part, grouped_outer_##run##x##depth##_full},
    static void (*const table[CC_RUN_MAX * CC_GROUPED_DEPTH][2])(const cc_grouped_outer *) = {EACH_OUTER(ENTRY)};
#undef ENTRY
    table[(g->run - 1) * CC_GROUPED_DEPTH + g->depth - 1][g->x_lanes == VEC && g->y_lanes == VEC](g);
}
