/* Pooling to a given number of cells: adaptive_avg_pool, adaptive_max_pool. x (n, w, c), (n, h, w, c) or (n, d, h, w, c) -> y
 * of the same rank with the image's axes of the sizes `size`. Along an axis of k cells, cell i of m is made of
 *
 *     floor(i k / m) .. ceil((i + 1) k / m) - 1
 *
 * so windows differ by one cell at most, may share one, and repeat cells where m > k.
 *
 *     avg   y = sum x[p] / cells     dx[p] = sum of dy / cells over the windows that hold p
 *     max   y = max x[p]             dx[p] = sum of dy over the windows whose maximum is p, the first of equal ones
 *
 * Sliced by blocks of channels of one image: each thread adds up its own. */
#include "ops/infer.h"
#include <string.h>

#define CHANNELS 64

typedef struct adaptive_pool {
    cc_list size;
} adaptive_pool;

static const cc_attr adaptive_pool_attributes[] = {
    {"size", CC_LIST, offsetof(adaptive_pool, size), NULL, NULL, "cells of the output: a number for all axes, or for each"},
    {0}};

static cconv_status adaptive_pool_infer(const cc_call *call, cc_shape *ys)
{
    const cc_list *size = &((const adaptive_pool *)call->attributes)->size;
    char text[CC_SHAPE_TEXT];
    int rank;
    CC_TRY(cc_infer_image(call, 0, &rank));
    if (size->n != 1 && size->n != rank)
        return cc_op_fail(call, CCONV_INVALID, "expected 1 or %d sizes, one for each axis of the image, received %d", rank,
                          size->n);
    *ys = call->xs[0];
    for (int i = 0; i < rank; ++i) {
        const int64_t cells = size->v[size->n == 1 ? 0 : i];
        if (cells < 1) return cc_op_fail(call, CCONV_INVALID, "expected sizes of at least 1, received %lld", (long long)cells);
        if (ys->dim[1 + i] == 0)
            return cc_op_fail(call, CCONV_INVALID, "expected images of at least one cell, received shape %s",
                              cc_shape_text(&call->xs[0], text));
        ys->dim[1 + i] = cells;
    }
    if (cc_shape_known(ys) && !cc_shape_check(ys))
        return cc_op_fail(call, CCONV_INVALID, "expected a result that fits in memory, received shape %s",
                          cc_shape_text(ys, text));
    return CCONV_OK;
}

/* Images of three axes, the first of one cell where there are fewer. */
typedef struct images {
    int64_t n, c, in[3], out[3];
} images;

static images adaptive_pool_images_of(const cc_call *call)
{
    const cc_shape *x = &call->xs[0], *y = &call->ys;
    const int rank = x->rank - 2;
    images s = {x->dim[0], x->dim[1 + rank], {1, 1, 1}, {1, 1, 1}};
    for (int i = 0; i < rank; ++i) {
        s.in[3 - rank + i] = x->dim[1 + i];
        s.out[3 - rank + i] = y->dim[1 + i];
    }
    return s;
}

/* The cells of window i along an axis. */
static cc_range adaptive_pool_cells(const images *s, int axis, int64_t i)
{
    const int64_t k = s->in[axis], m = s->out[axis];
    return (cc_range){i * k / m, ((i + 1) * k + m - 1) / m};
}

typedef struct window {
    cc_range d, h, w;
} window;

/* Window number p of an image, row-major. */
static window adaptive_pool_window(const images *s, int64_t p)
{
    const int64_t w = p % s->out[2], h = p / s->out[2] % s->out[1], d = p / s->out[2] / s->out[1];
    return (window){adaptive_pool_cells(s, 0, d), adaptive_pool_cells(s, 1, h), adaptive_pool_cells(s, 2, w)};
}

static int64_t adaptive_pool_count(const window *v)
{
    return (v->d.end - v->d.begin) * (v->h.end - v->h.begin) * (v->w.end - v->w.begin);
}

/* For each cell of a window: its number `cell` in the image. */
#define EACH_CELL(s, v)                                                                                                        \
    for (int64_t i = (v).d.begin; i < (v).d.end; ++i)                                                                          \
        for (int64_t j = (v).h.begin; j < (v).h.end; ++j)                                                                      \
            for (int64_t cell = (i * (s).in[1] + j) * (s).in[2] + (v).w.begin, last = cell + (v).w.end - (v).w.begin; cell < last; \
                 ++cell)

/* One block: channels begin .. begin+many-1 of image n. */
typedef struct block {
    int64_t n, begin;
    int many;
} block;

static block adaptive_pool_block_at(int64_t i, int64_t c)
{
    const int64_t blocks = (c + CHANNELS - 1) / CHANNELS, begin = i % blocks * CHANNELS;
    return (block){i / blocks, begin, c - begin < CHANNELS ? (int)(c - begin) : CHANNELS};
}

static int64_t adaptive_pool_cells_of(const int64_t size[3])
{
    return size[0] * size[1] * size[2];
}

static cc_range adaptive_pool_my_blocks(const images *s, const cc_team *team)
{
    const int64_t blocks = (s->c + CHANNELS - 1) / CHANNELS;
    return cc_slice(team, s->n * blocks, 2048 / (adaptive_pool_cells_of(s->in) * CHANNELS) + 1);
}

static void adaptive_avg_pool_forward(const cc_call *call, const cc_team *team)
{
    const images s = adaptive_pool_images_of(call);
    const int64_t cells = adaptive_pool_cells_of(s.in), windows = adaptive_pool_cells_of(s.out);
    const cc_range mine = adaptive_pool_my_blocks(&s, team);
    for (int64_t b = mine.begin; b < mine.end; ++b) {
        const block k = adaptive_pool_block_at(b, s.c);
        const float *x = call->x[0] + k.n * cells * s.c + k.begin;
        float *y = call->y + k.n * windows * s.c + k.begin;
        for (int64_t p = 0; p < windows; ++p, y += s.c) {
            const window v = adaptive_pool_window(&s, p);
            double sum[CHANNELS] = {0};
            EACH_CELL(s, v)
            for (int ch = 0; ch < k.many; ++ch) sum[ch] += (double)x[cell * s.c + ch];
            const double count = (double)adaptive_pool_count(&v);
            for (int ch = 0; ch < k.many; ++ch) y[ch] = (float)(sum[ch] / count);
        }
    }
}

/* Zeros in this block's part of an image's gradient. */
static void adaptive_pool_clear(float *dx, int64_t cells, int64_t c, int many)
{
    for (int64_t p = 0; p < cells; ++p) memset(dx + p * c, 0, (size_t)many * sizeof *dx);
}

static void adaptive_avg_pool_backward(const cc_call *call, const cc_team *team)
{
    const images s = adaptive_pool_images_of(call);
    const int64_t cells = adaptive_pool_cells_of(s.in), windows = adaptive_pool_cells_of(s.out);
    if (!call->dx[0]) return;
    const cc_range mine = adaptive_pool_my_blocks(&s, team);
    for (int64_t b = mine.begin; b < mine.end; ++b) {
        const block k = adaptive_pool_block_at(b, s.c);
        const float *dy = call->dy + k.n * windows * s.c + k.begin;
        float *dx = call->dx[0] + k.n * cells * s.c + k.begin;
        adaptive_pool_clear(dx, cells, s.c, k.many);
        for (int64_t p = 0; p < windows; ++p, dy += s.c) {
            const window v = adaptive_pool_window(&s, p);
            const float count = (float)adaptive_pool_count(&v);
            EACH_CELL(s, v)
            for (int ch = 0; ch < k.many; ++ch) dx[cell * s.c + ch] += dy[ch] / count;
        }
    }
}

/* saved: the cell of each maximum, int64, as y. */
static void adaptive_max_pool_need(const cc_call *call, int nth, cc_need *need)
{
    (void)nth;
    if (call->differentiate) need->saved = (uint64_t)cc_shape_count(&call->ys) * sizeof(int64_t);
}

static void adaptive_max_pool_forward(const cc_call *call, const cc_team *team)
{
    const images s = adaptive_pool_images_of(call);
    const int64_t cells = adaptive_pool_cells_of(s.in), windows = adaptive_pool_cells_of(s.out);
    const cc_range mine = adaptive_pool_my_blocks(&s, team);
    for (int64_t b = mine.begin; b < mine.end; ++b) {
        const block k = adaptive_pool_block_at(b, s.c);
        const float *x = call->x[0] + k.n * cells * s.c + k.begin;
        for (int64_t p = 0; p < windows; ++p) {
            const window v = adaptive_pool_window(&s, p);
            const int64_t out = (k.n * windows + p) * s.c + k.begin;
            int64_t place[CHANNELS];
            float best[CHANNELS];
            bool first = true;
            EACH_CELL(s, v)
            {
                for (int ch = 0; ch < k.many; ++ch) {
                    const float value = x[cell * s.c + ch];
                    /* a NaN is a maximum that nothing exceeds */
                    const bool take = first || value > best[ch] || value != value;
                    best[ch] = take ? value : best[ch];
                    place[ch] = take ? cell : place[ch];
                }
                first = false;
            }
            for (int ch = 0; ch < k.many; ++ch) call->y[out + ch] = best[ch];
            if (call->differentiate)
                for (int ch = 0; ch < k.many; ++ch) ((int64_t *)call->saved)[out + ch] = place[ch];
        }
    }
}

static void adaptive_max_pool_backward(const cc_call *call, const cc_team *team)
{
    const images s = adaptive_pool_images_of(call);
    const int64_t cells = adaptive_pool_cells_of(s.in), windows = adaptive_pool_cells_of(s.out);
    if (!call->dx[0]) return;
    const cc_range mine = adaptive_pool_my_blocks(&s, team);
    for (int64_t b = mine.begin; b < mine.end; ++b) {
        const block k = adaptive_pool_block_at(b, s.c);
        const int64_t from = k.n * windows * s.c + k.begin;
        const int64_t *place = (const int64_t *)call->saved + from;
        const float *dy = call->dy + from;
        float *dx = call->dx[0] + k.n * cells * s.c + k.begin;
        adaptive_pool_clear(dx, cells, s.c, k.many);
        for (int64_t p = 0; p < windows; ++p, dy += s.c, place += s.c)
            for (int ch = 0; ch < k.many; ++ch) dx[place[ch] * s.c + ch] += dy[ch];
    }
}

const cc_op cc_op_adaptive_avg_pool = {.name = "adaptive_avg_pool",
                                       .inputs = "x",
                                       .attributes = adaptive_pool_attributes,
                                       .attributes_size = sizeof(adaptive_pool),
                                       .per_sample = cc_per_sample_x,
                                       .infer = adaptive_pool_infer,
                                       .forward = adaptive_avg_pool_forward,
                                       .backward = adaptive_avg_pool_backward};

const cc_op cc_op_adaptive_max_pool = {.name = "adaptive_max_pool",
                                       .inputs = "x",
                                       .attributes = adaptive_pool_attributes,
                                       .attributes_size = sizeof(adaptive_pool),
                                       .per_sample = cc_per_sample_x,
                                       .infer = adaptive_pool_infer,
                                       .need = adaptive_max_pool_need,
                                       .forward = adaptive_max_pool_forward,
                                       .backward = adaptive_max_pool_backward};
