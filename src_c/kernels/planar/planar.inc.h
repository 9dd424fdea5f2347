/* Convolution to few channels (see cc_planar), written once over the vocabulary of simd_*.h. A tile is one to three vectors of
 * pixels by up to eight channels, whose sums stay in registers: each tap loads the vectors and broadcasts a weight for each
 * channel. Squares of sums are transposed before they are stored, for the channels of a pixel lie side by side. */
#ifndef CC_PLANAR_INC_H
#define CC_PLANAR_INC_H

#include "kernels/macros.h"
#include "kernels/planar/planar_kernels.h"

enum { PLANAR_VECS = 3, PLANAR_CHAINS = 8 /* multiply-adds that must be on their way for the units never to wait */ };

/* Adds the sums of n <= VEC channels, a vector of pixels each, to what y holds, or not, and stores the first `pixels` of them. Not
 * inlined: that would be the larger part of each of the tiles, which are many. */
NEVER_INLINE void planar_store(const cc_planar *g, float *y, const float *sums, int64_t pixels, int n)
{
    const mask part = mask_first(n);
    const vec most = vec_set1(g->act == CC_ACT_RELU6 ? 6 : INFINITY);
    vec square[VEC], held[VEC];
    UNROLL
    for (int i = 0; i < VEC; ++i) square[i] = i < n ? vec_load(sums + i * VEC) : vec_zero();
    if (g->accumulate) {
        UNROLL
        for (int i = 0; i < VEC; ++i) held[i] = i < pixels ? vec_load_part(y + i * g->y_step, part) : vec_zero();
        vec_transpose(held);
        UNROLL
        for (int i = 0; i < VEC; ++i) square[i] = vec_add(square[i], held[i]);
    }
    if (g->act != CC_ACT_LINEAR) {
        UNROLL
        for (int i = 0; i < VEC; ++i) square[i] = vec_min(most, vec_max(vec_zero(), square[i]));
    }
    vec_transpose(square);
    UNROLL
    for (int i = 0; i < VEC; ++i, y += g->y_step) {
        if (i >= pixels) continue;
        if (n < VEC)
            vec_store_part(y, part, square[i]);
        else
            vec_store(y, square[i]);
    }
}

/* The first `pixels` of `vecs` vectors of pixels, from p0 on, of the channels j0 .. j0+n-1, whose weights are at w. */
ALWAYS_INLINE void planar_tile(const cc_planar *g, const float *x, const float *w, int64_t p0, int64_t pixels, int64_t j0,
                               const int n, const int vecs)
{
    vec acc[PLANAR_1][PLANAR_VECS];
    float sums[PLANAR_VECS][PLANAR_1 * VEC];
    UNROLL
    for (int j = 0; j < n; ++j) {
        const vec start = g->bias ? vec_set1(g->bias[j0 + j]) : vec_zero();
        UNROLL
        for (int v = 0; v < vecs; ++v) acc[j][v] = start;
    }
    for (int64_t t = 0; t < g->taps; ++t, w += NR) {
        const float *from = x + g->offset[t] + p0;
        vec numbers[PLANAR_VECS];
        UNROLL
        for (int v = 0; v < vecs; ++v) numbers[v] = vec_load(from + v * VEC);
        UNROLL
        for (int j = 0; j < n; ++j) {
            const vec weight = vec_set1(w[j]);
            UNROLL
            for (int v = 0; v < vecs; ++v) acc[j][v] = vec_fma(numbers[v], weight, acc[j][v]);
        }
    }
    UNROLL
    for (int v = 0; v < vecs; ++v) {
        UNROLL
        for (int j = 0; j < n; ++j) vec_store(sums[v] + j * VEC, acc[j][v]);
    }
    for (int v = 0; v < vecs; ++v) {
        for (int j = 0; j < n; j += VEC) {
            float *y = g->y + (p0 + v * VEC) * g->y_step + j0 + j;
            planar_store(g, y, sums[v] + j * VEC, pixels - v * VEC, n - j < VEC ? n - j : VEC);
        }
    }
}

/* All rows of n channels. The last tile of a row ends with it: some of its pixels are made twice, to the same numbers, but not
 * where they are added to what y holds. */
ALWAYS_INLINE void planar_tiles(const cc_planar *given, const float *x, const float *w, int64_t j0, const int n, const int vecs)
{
    cc_planar g = *given;
    const int64_t step = vecs * VEC, last = g.pixels - step, rest = g.pixels % step;
    const int64_t beyond = last < 0 || g.accumulate ? g.pixels - rest : last;
    for (int64_t r = 0; r < g.rows; ++r, x += g.x_row, g.y += g.y_row) {
        for (int64_t p = 0; p < g.pixels; p += step) {
            const int64_t p0 = p <= last ? p : beyond, pixels = g.pixels - p0;
            planar_tile(&g, x, w, p0, pixels < step ? pixels : step, j0, n, vecs);
        }
    }
}

#define DEFINE_PLANAR(n, vecs)                                                                                                 \
    static void planar_tiles_##n##x##vecs(const cc_planar *g, const float *x, const float *w, int64_t j0)                      \
    {                                                                                                                          \
        planar_tiles(g, x, w, j0, n, vecs);                                                                                    \
    }
#define DEFINE_PLANAR_1(n) DEFINE_PLANAR(n, 1)
#define DEFINE_PLANAR_2(n) DEFINE_PLANAR(n, 2)
#define DEFINE_PLANAR_3(n) DEFINE_PLANAR(n, 3)
EACH_UP_TO(PLANAR_1, DEFINE_PLANAR_1)
EACH_UP_TO(PLANAR_2, DEFINE_PLANAR_2)
EACH_UP_TO(PLANAR_3, DEFINE_PLANAR_3)

/* Vectors of a tile of n channels that make the row in the least time. */
static int planar_vecs(int64_t pixels, int64_t n)
{
    const int most = n <= PLANAR_3 ? 3 : n <= PLANAR_2 ? 2 : 1;
    int best = 1;
    int64_t least = INT64_MAX;
    for (int v = 1; v <= most; ++v) {
        const int64_t time = (pixels + v * VEC - 1) / (v * VEC) * (n * v < PLANAR_CHAINS ? PLANAR_CHAINS : n * v);
        if (time > least) continue;
        least = time;
        best = v;
    }
    return best;
}

/* The channels of each panel in groups of about the same size. */
static void planar_rows(const cc_planar *g, const float *x)
{
#define ENTRY_1(n) planar_tiles_##n##x1,
#define ENTRY_2(n) planar_tiles_##n##x2,
#define ENTRY_3(n) planar_tiles_##n##x3,
    static void (*const table[PLANAR_VECS][PLANAR_1])(const cc_planar *, const float *, const float *, int64_t) = {
        {EACH_UP_TO(PLANAR_1, ENTRY_1)}, {EACH_UP_TO(PLANAR_2, ENTRY_2)}, {EACH_UP_TO(PLANAR_3, ENTRY_3)}};
#undef ENTRY_1
#undef ENTRY_2
#undef ENTRY_3
    for (int64_t panel = 0; panel < g->n; panel += NR) {
        const int64_t channels = g->n - panel < NR ? g->n - panel : NR, groups = (channels + PLANAR_1 - 1) / PLANAR_1;
        const float *w = g->w + panel * g->taps;
        for (int64_t i = 0; i < groups; ++i) {
            const int64_t j = channels * i / groups, n = channels * (i + 1) / groups - j;
            table[planar_vecs(g->pixels, n) - 1][n - 1](g, x, w + j, panel + j);
        }
    }
}

static void planar_split(float *to, int64_t line, const float *x, int64_t step, int64_t pixels, int64_t width)
{
    for (int64_t k = 0; k < width; k += VEC, to += VEC * line, x += VEC) {
        const int channels = width - k < VEC ? (int)(width - k) : VEC;
        const mask part = mask_first(channels);
        for (int64_t i = 0; i < pixels; i += VEC) {
            const int count = pixels - i < VEC ? (int)(pixels - i) : VEC;
            vec square[VEC];
            UNROLL
            for (int p = 0; p < VEC; ++p) square[p] = p < count ? vec_load_part(x + (i + p) * step, part) : vec_zero();
            vec_transpose(square);
            UNROLL
            for (int c = 0; c < VEC; ++c) {
                if (c < channels) vec_store_part(to + c * line + i, mask_first(count), square[c]);
            }
        }
    }
}

static const cc_planar_kernels planar_kernels = {.rows = planar_rows, .split = planar_split};

#endif
