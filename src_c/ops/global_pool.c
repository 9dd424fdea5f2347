/* Pooling over whole images: global_avg_pool, global_max_pool. x (n, w, c), (n, h, w, c) or (n, d, h, w, c) -> y (n, c), or with
 * keepdims of x's rank: (n, 1, 1, c).
 *
 *     avg   y = sum x[p] / cells     dx[p] = dy / cells
 *     max   y = max x[p]             dx[p] = dy where p is the maximum, the first in row-major order of equal ones; else 0
 *
 * Averages are sliced by rows, the rest by blocks of channels of one image. */
#include "kernels/kernels.h"
#include "ops/infer.h"
#include "ops/meanings.h"
#include <string.h>

#define CHANNELS 64

typedef struct global_pool {
    int keepdims;
} global_pool;

static const cc_attr global_pool_attributes[] = {
    {"keepdims", CC_BOOL, offsetof(global_pool, keepdims), "0", NULL, CC_KEEPDIMS_MEANING}, {0}};

static cconv_status global_pool_infer(const cc_call *call, cc_shape *ys)
{
    const global_pool *a = call->attributes;
    const cc_shape *x = &call->xs[0];
    int rank;
    CC_TRY(cc_infer_image(call, 0, &rank));
    const int64_t n = x->dim[0], c = x->dim[1 + rank];
    char text[CC_SHAPE_TEXT];
    *ys = a->keepdims ? *x : (cc_shape){.rank = 2, .dim = {n, c}};
    for (int i = 1; i <= rank; ++i) {
        if (x->dim[i] == 0)
            return cc_op_fail(call, CCONV_INVALID, "expected images of at least one cell, received shape %s",
                              cc_shape_text(x, text));
        if (a->keepdims) ys->dim[i] = 1;
    }
    return CCONV_OK;
}

/* Images as rows of cells of c channels: the last axis of the image is a row. */
typedef struct images {
    int64_t n, rows, row, cells, c;
} images;

static images global_pool_images_of(const cc_call *call)
{
    const cc_shape *x = &call->xs[0];
    images s = {x->dim[0], cc_shape_product(x, 1, x->rank - 2), x->dim[x->rank - 2], 0, x->dim[x->rank - 1]};
    s.cells = s.rows * s.row;
    return s;
}

/* One block: channels begin .. begin+many-1 of image n. */
typedef struct block {
    int64_t n, begin;
    int many;
} block;

static block global_pool_block_at(int64_t i, int64_t c)
{
    int64_t blocks = (c + CHANNELS - 1) / CHANNELS, begin = i % blocks * CHANNELS;
    return (block){i / blocks, begin, c - begin < CHANNELS ? (int)(c - begin) : CHANNELS};
}

static cc_range global_pool_my_blocks(const images *x, const cc_team *team)
{
    const int64_t blocks = (x->c + CHANNELS - 1) / CHANNELS;
    return cc_slice(team, x->n * blocks, 2048 / (x->cells * CHANNELS) + 1);
}

/* Rows are summed on their own and then added: the rounding error grows with h + w instead of h w (of a volume d h + w), and each
 * thread reads the rows that it has written. Where that is still many, sums of a few cells are added in double. */
enum { GLOBAL_POOL_MANY = 1024 }; /* rows and cells of one */

static void global_avg_pool_need(const cc_call *call, int nth, cc_need *need)
{
    const images s = global_pool_images_of(call);
    (void)nth;
    if (s.rows + s.row <= GLOBAL_POOL_MANY) need->forward_scratch = (uint64_t)(s.n * s.rows * s.c) * sizeof(float);
}

static void global_pool_long_average(float *y, const float *x, int64_t cells, int64_t c, int many)
{
    enum { FEW = 64 };
    double total[CHANNELS] = {0};
    for (int64_t p = 0; p < cells; p += FEW) {
        float sum[CHANNELS] = {0};
        for (int64_t end = p + FEW < cells ? p + FEW : cells, q = p; q < end; ++q, x += c)
            for (int ch = 0; ch < many; ++ch) sum[ch] += x[ch];
        for (int ch = 0; ch < many; ++ch) total[ch] += (double)sum[ch];
    }
    for (int ch = 0; ch < many; ++ch) y[ch] = (float)(total[ch] / (double)cells);
}

static void global_pool_sum_rows(float *to, const float *x, int64_t rows, int64_t row, int64_t c)
{
    for (int64_t i = 0; i < rows; ++i, to += c, x += row * c) {
        memset(to, 0, (size_t)c * sizeof *to);
        cc_kernels_get()->elementwise.add_rows(to, x, row, c);
    }
}

static void global_avg_pool_forward(const cc_call *call, const cc_team *team)
{
    const images s = global_pool_images_of(call);
    const int64_t c = s.c;
    if (c == 0) return; /* nor is there scratch */
    if (s.rows + s.row > GLOBAL_POOL_MANY) {
        const cc_range mine = global_pool_my_blocks(&s, team);
        for (int64_t b = mine.begin; b < mine.end; ++b) {
            const block k = global_pool_block_at(b, c);
            global_pool_long_average(call->y + k.n * c + k.begin, call->x[0] + k.n * s.cells * c + k.begin, s.cells, c, k.many);
        }
        return;
    }
    float *sums = call->scratch;
    const cc_range rows = cc_slice(team, s.n * s.rows, 2048 / (s.row * c + 1) + 1);
    global_pool_sum_rows(sums + rows.begin * c, call->x[0] + rows.begin * s.row * c, rows.end - rows.begin, s.row, c);
    cc_barrier_wait(team);
    const cc_range mine = cc_slice(team, s.n, 2048 / (s.rows * c + 1) + 1);
    global_pool_sum_rows(call->y + mine.begin * c, sums + mine.begin * s.rows * c, mine.end - mine.begin, s.rows, c);
    for (int64_t i = mine.begin * c; i < mine.end * c; ++i) call->y[i] /= (float)s.cells;
}

static void global_avg_pool_backward(const cc_call *call, const cc_team *team)
{
    const images s = global_pool_images_of(call);
    const int64_t cells = s.cells, c = s.c;
    if (!call->dx[0]) return;
    const cc_range mine = global_pool_my_blocks(&s, team);
    for (int64_t b = mine.begin; b < mine.end; ++b) {
        const block k = global_pool_block_at(b, c);
        const float *dy = call->dy + k.n * c + k.begin;
        float *dx = call->dx[0] + k.n * cells * c + k.begin, share[CHANNELS];
        for (int ch = 0; ch < k.many; ++ch) share[ch] = dy[ch] / (float)cells;
        for (int64_t p = 0; p < cells; ++p, dx += c)
            for (int ch = 0; ch < k.many; ++ch) dx[ch] = share[ch];
    }
}

/* saved: the cell of each maximum, int64 (n, c). */
static void global_max_pool_need(const cc_call *call, int nth, cc_need *need)
{
    (void)nth;
    if (call->differentiate) need->saved = (uint64_t)cc_shape_count(&call->ys) * sizeof(int64_t);
}

static void global_max_pool_forward(const cc_call *call, const cc_team *team)
{
    const images s = global_pool_images_of(call);
    const int64_t cells = s.cells, c = s.c;
    const cc_range mine = global_pool_my_blocks(&s, team);
    for (int64_t b = mine.begin; b < mine.end; ++b) {
        const block k = global_pool_block_at(b, c);
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

static void global_max_pool_backward(const cc_call *call, const cc_team *team)
{
    const images s = global_pool_images_of(call);
    const int64_t cells = s.cells, c = s.c;
    if (!call->dx[0]) return;
    const cc_range mine = global_pool_my_blocks(&s, team);
    for (int64_t b = mine.begin; b < mine.end; ++b) {
        const block k = global_pool_block_at(b, c);
        const float *dy = call->dy + k.n * c + k.begin;
        const int64_t *place = (const int64_t *)call->saved + k.n * c + k.begin;
        float *dx = call->dx[0] + k.n * cells * c + k.begin;
        for (int64_t p = 0; p < cells; ++p, dx += c)
            for (int ch = 0; ch < k.many; ++ch) dx[ch] = place[ch] == p ? dy[ch] : 0;
    }
}

const cc_op cc_op_global_avg_pool = {.name = "global_avg_pool",
                                     .inputs = "x",
                                     .attributes = global_pool_attributes,
                                     .attributes_size = sizeof(global_pool),
                                     .per_sample = cc_per_sample_x,
                                     .infer = global_pool_infer,
                                     .need = global_avg_pool_need,
                                     .forward = global_avg_pool_forward,
                                     .backward = global_avg_pool_backward};

const cc_op cc_op_global_max_pool = {.name = "global_max_pool",
                                     .inputs = "x",
                                     .attributes = global_pool_attributes,
                                     .attributes_size = sizeof(global_pool),
                                     .per_sample = cc_per_sample_x,
                                     .infer = global_pool_infer,
                                     .need = global_max_pool_need,
                                     .forward = global_max_pool_forward,
                                     .backward = global_max_pool_backward};
