/* Pooling over whole images: global_avg_pool2d, global_max_pool2d. x (n, h, w, c) -> y (n, c), or (n, 1, 1, c) with keepdims.
 *
 *     avg   y = sum x[p] / (h w)     dx[p] = dy / (h w)
 *     max   y = max x[p]             dx[p] = dy where p is the maximum, the first in row-major order of equal ones; else 0
 *
 * Sliced by blocks of channels of one image. */
#include "ops/op.h"

#define CHANNELS 64

typedef struct global_pool2d {
    int keepdims;
} global_pool2d;

static const cc_attr global_pool2d_attributes[] = {{"keepdims", CC_BOOL, offsetof(global_pool2d, keepdims), "0", NULL}, {0}};

static cconv_status global_pool2d_infer(const cc_call *call, cc_shape *ys)
{
    const global_pool2d *a = call->attributes;
    CC_TRY(cc_op_check_rank(call, 0, 4, "(n, h, w, c)"));
    const cc_shape *x = &call->xs[0];
    char text[CC_SHAPE_TEXT];
    if (x->dim[1] == 0 || x->dim[2] == 0)
        return cc_op_fail(call, CCONV_INVALID, "expected images of at least one cell, received shape %s",
                          cc_shape_text(x, text));
    if (a->keepdims)
        *ys = (cc_shape){.rank = 4, .dim = {x->dim[0], 1, 1, x->dim[3]}};
    else
        *ys = (cc_shape){.rank = 2, .dim = {x->dim[0], x->dim[3]}};
    return CCONV_OK;
}

/* One block: channels begin .. begin+many-1 of image n. */
typedef struct block {
    int64_t n, begin;
    int many;
} block;

static block block_at(int64_t i, int64_t c)
{
    int64_t blocks = (c + CHANNELS - 1) / CHANNELS, begin = i % blocks * CHANNELS;
    return (block){i / blocks, begin, c - begin < CHANNELS ? (int)(c - begin) : CHANNELS};
}

static cc_range my_blocks(const cc_call *call, const cc_team *team)
{
    const int64_t *x = call->xs[0].dim, blocks = (x[3] + CHANNELS - 1) / CHANNELS, cells = x[1] * x[2];
    return cc_slice(team, x[0] * blocks, 2048 / (cells * CHANNELS) + 1);
}

/* Rows are summed on their own and then added: the rounding error grows with h + w instead of h w. */
static void avg_forward(const cc_call *call, const cc_team *team)
{
    const int64_t h = call->xs[0].dim[1], w = call->xs[0].dim[2], c = call->xs[0].dim[3];
    const cc_range mine = my_blocks(call, team);
    for (int64_t b = mine.begin; b < mine.end; ++b) {
        const block k = block_at(b, c);
        const float *x = call->x[0] + k.n * h * w * c + k.begin;
        float total[CHANNELS] = {0};
        for (int64_t i = 0; i < h; ++i) {
            float sum[CHANNELS] = {0};
            for (int64_t j = 0; j < w; ++j, x += c)
                for (int ch = 0; ch < k.many; ++ch) sum[ch] += x[ch];
            for (int ch = 0; ch < k.many; ++ch) total[ch] += sum[ch];
        }
        float *y = call->y + k.n * c + k.begin;
        for (int ch = 0; ch < k.many; ++ch) y[ch] = total[ch] / (float)(h * w);
    }
}

static void avg_backward(const cc_call *call, const cc_team *team)
{
    const int64_t cells = call->xs[0].dim[1] * call->xs[0].dim[2], c = call->xs[0].dim[3];
    if (!call->dx[0]) return;
    const cc_range mine = my_blocks(call, team);
    for (int64_t b = mine.begin; b < mine.end; ++b) {
        const block k = block_at(b, c);
        const float *dy = call->dy + k.n * c + k.begin;
        float *dx = call->dx[0] + k.n * cells * c + k.begin, share[CHANNELS];
        for (int ch = 0; ch < k.many; ++ch) share[ch] = dy[ch] / (float)cells;
        for (int64_t p = 0; p < cells; ++p, dx += c)
            for (int ch = 0; ch < k.many; ++ch) dx[ch] = share[ch];
    }
}

/* saved: the cell of each maximum, int64 (n, c). */
static void global_pool_max_need(const cc_call *call, int nth, cc_need *need)
{
    (void)nth;
    if (call->differentiate) need->saved = (size_t)cc_shape_count(&call->ys) * sizeof(int64_t);
}

static void max_forward(const cc_call *call, const cc_team *team)
{
    const int64_t cells = call->xs[0].dim[1] * call->xs[0].dim[2], c = call->xs[0].dim[3];
    const cc_range mine = my_blocks(call, team);
    for (int64_t b = mine.begin; b < mine.end; ++b) {
        const block k = block_at(b, c);
        const float *x = call->x[0] + k.n * cells * c + k.begin;
        float best[CHANNELS];
        int64_t place[CHANNELS] = {0};
        for (int ch = 0; ch < k.many; ++ch) best[ch] = x[ch];
        for (int64_t p = 0; p < cells; ++p, x += c) {
            for (int ch = 0; ch < k.many; ++ch) {
                bool take = (x[ch] > best[ch]) | (x[ch] != x[ch]); /* a NaN is a maximum that nothing exceeds */
                best[ch] = take ? x[ch] : best[ch];
                place[ch] = take ? p : place[ch];
            }
        }
        const int64_t out = k.n * c + k.begin;
        for (int ch = 0; ch < k.many; ++ch) call->y[out + ch] = best[ch];
        if (call->differentiate)
            for (int ch = 0; ch < k.many; ++ch) ((int64_t *)call->saved)[out + ch] = place[ch];
    }
}

static void max_backward(const cc_call *call, const cc_team *team)
{
    const int64_t cells = call->xs[0].dim[1] * call->xs[0].dim[2], c = call->xs[0].dim[3];
    if (!call->dx[0]) return;
    const cc_range mine = my_blocks(call, team);
    for (int64_t b = mine.begin; b < mine.end; ++b) {
        const block k = block_at(b, c);
        const float *dy = call->dy + k.n * c + k.begin;
        const int64_t *place = (const int64_t *)call->saved + k.n * c + k.begin;
        float *dx = call->dx[0] + k.n * cells * c + k.begin;
        for (int64_t p = 0; p < cells; ++p, dx += c)
            for (int ch = 0; ch < k.many; ++ch) dx[ch] = place[ch] == p ? dy[ch] : 0;
    }
}

const cc_op cc_op_global_avg_pool2d = {.name = "global_avg_pool2d",
                                       .inputs = "x",
                                       .attributes = global_pool2d_attributes,
                                       .attributes_size = sizeof(global_pool2d),
                                       .infer = global_pool2d_infer,
                                       .forward = avg_forward,
                                       .backward = avg_backward};

const cc_op cc_op_global_max_pool2d = {.name = "global_max_pool2d",
                                       .inputs = "x",
                                       .attributes = global_pool2d_attributes,
                                       .attributes_size = sizeof(global_pool2d),
                                       .infer = global_pool2d_infer,
                                       .need = global_pool_max_need,
                                       .forward = max_forward,
                                       .backward = max_backward};
