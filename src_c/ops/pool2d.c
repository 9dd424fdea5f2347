/* Pooling over windows: max_pool2d, avg_pool2d, sum_pool2d, l2_pool2d. x (n, h, w, c) -> y (n, oh, ow, c), channel by channel.
 *
 * For one output let P be the cells of its window that lie inside the image (padding is not a cell: no maximum is ever a padded
 * zero, no average counts it). Then, and since a cell belongs to every window that covers it,
 *
 *     max   y = max x[p]                 dx[p] = sum of dy over the windows whose maximum is p
 *                                                (of equal cells the first in row-major order)
 *     avg   y = sum x[p] / |P|           dx[p] = sum of dy / |P|
 *     sum   y = sum x[p]                 dx[p] = sum of dy
 *     l2    y = sqrt(sum x[p]^2)         dx[p] = x[p] sum of dy / y     since dy/dx[p] = 2 x[p] / (2 y); 0 where y = 0
 *
 * Forward is sliced by output rows; backward by input rows, each of which gathers from the windows that cover it, so that
 * overlapping windows never meet in one element. */
#include "algos/window.h"
#include "op.h"
#include <math.h>
#include <string.h>

typedef enum kind { MAX, AVG, SUM, L2 } kind;

typedef struct pool2d {
    int64_t pool_size[2];
    cc_list strides;
    int padding;
    cc_list pads;
} pool2d;

static const cc_attr pool2d_attributes[] = {
    {"pool_size", CC_PAIR, offsetof(pool2d, pool_size), NULL, NULL},
    {"strides", CC_LIST, offsetof(pool2d, strides), "", NULL},
    {"padding", CC_ENUM, offsetof(pool2d, padding), "valid", CC_PADDING_CHOICES},
    {"pads", CC_LIST, offsetof(pool2d, pads), "", NULL},
    {0}};

/* ---- Shapes ---- */

static cconv_status pool2d_window(const cc_call *call, cc_window *window)
{
    static const int64_t undilated[2] = {1, 1};
    const pool2d *a = call->attributes;
    const int64_t *in = call->xs[0].dim;
    int64_t strides[2] = {a->pool_size[0], a->pool_size[1]};
    if (a->strides.n > 2) return cc_fail(CCONV_INVALID, "expected 1 or 2 strides, received %d", a->strides.n);
    if (a->strides.n > 0) {
        strides[0] = a->strides.v[0];
        strides[1] = a->strides.v[a->strides.n - 1];
    }
    for (int i = 0; i < 2; ++i)
        if (a->pool_size[i] < 1)
            return cc_fail(CCONV_INVALID, "expected a pool_size of at least 1, received (%lld, %lld)",
                           (long long)a->pool_size[0], (long long)a->pool_size[1]);
    CC_TRY(cc_window_set(window, in[1], in[2], a->pool_size[0], a->pool_size[1], strides, undilated, (cc_padding)a->padding,
                         &a->pads));
    if (a->pool_size[0] * a->pool_size[1] > INT32_MAX)
        return cc_fail(CCONV_INVALID, "expected a pool_size of at most %d cells, received (%lld, %lld)", INT32_MAX,
                       (long long)a->pool_size[0], (long long)a->pool_size[1]);

    const cc_axis *axes[2] = {&window->h, &window->w};
    for (int i = 0; i < 2; ++i) { /* so that every window holds a real cell */
        const cc_axis *axis = axes[i];
        if (a->padding == CC_PAD_EXPLICIT && (axis->before >= axis->kernel || axis->after >= axis->kernel))
            return cc_fail(CCONV_INVALID, "expected pads smaller than the pool_size, received %lld and %lld for %lld cells",
                           (long long)axis->before, (long long)axis->after, (long long)axis->kernel);
        if (axis->in == 0 && axis->out > 0)
            return cc_fail(CCONV_INVALID, "expected an image with at least one cell, received one of %lld x %lld",
                           (long long)window->h.in, (long long)window->w.in);
    }
    return CCONV_OK;
}

static cconv_status pool2d_infer(const cc_call *call, cc_shape *ys)
{
    cc_window window;
    CC_TRY(cc_op_check_rank(call, 0, 4, "(n, h, w, c)"));
    cconv_status status = pool2d_window(call, &window);
    if (status != CCONV_OK) {
        const char *name = call->name, *op = call->op->name;
        cc_fail_prefix("%s%s%s%s", name ? name : "", name ? " (" : "", op, name ? ")" : "");
        return status;
    }
    *ys = call->xs[0];
    ys->dim[1] = window.h.out;
    ys->dim[2] = window.w.out;
    return CCONV_OK;
}

/* Where in its window each maximum was found is kept as row * kw + column: a byte if that fits. */
static bool in_bytes(const cc_call *call)
{
    const pool2d *a = call->attributes;
    return a->pool_size[0] * a->pool_size[1] <= 255;
}

static void max_need(const cc_call *call, int nth, cc_need *need)
{
    (void)nth;
    if (call->differentiate)
        need->saved = (size_t)cc_shape_count(&call->ys) * (in_bytes(call) ? sizeof(uint8_t) : sizeof(int32_t));
}

/* Rows per slice, so that one slice is worth a barrier. */
static int64_t row_grain(int64_t operations_per_row)
{
    return operations_per_row > 0 ? 2048 / operations_per_row + 1 : 1;
}

/* ---- Forward ---- */

#define CHANNELS 64 /* handled together: their running results stay in the first-level cache */

/* One output cell of `many` <= CHANNELS channels: cells [th, th_end) x [tw, tw_end) of the window, whose cell (th, tw) is at x.
 * row is the distance of image rows, c that of neighbouring cells. at (may be NULL) receives the places of maxima. */
static inline void cell_forward(kind k, float *restrict y, int32_t *restrict at, const float *restrict x, int64_t row,
                                int64_t c, int64_t kw, int64_t th, int64_t th_end, int64_t tw, int64_t tw_end, int many)
{
    float result[CHANNELS];
    int32_t place[CHANNELS];
    for (int i = 0; i < many; ++i) {
        result[i] = k == MAX ? x[i] : 0;
        place[i] = (int32_t)(th * kw + tw);
    }
    for (int64_t t = th; t < th_end; ++t, x += row) {
        const float *cell = x;
        for (int64_t u = tw; u < tw_end; ++u, cell += c) {
            int32_t here = (int32_t)(t * kw + u);
            for (int i = 0; i < many; ++i) {
                float v = cell[i];
                if (k == MAX) {
                    bool take = (v > result[i]) | (v != v); /* a NaN is a maximum that nothing exceeds */
                    result[i] = take ? v : result[i];
                    place[i] = take ? here : place[i];
                } else {
                    result[i] += k == L2 ? v * v : v;
                }
            }
        }
    }
    float cells = (float)((th_end - th) * (tw_end - tw));
    for (int i = 0; i < many; ++i) y[i] = k == AVG ? result[i] / cells : k == L2 ? sqrtf(result[i]) : result[i];
    if (k == MAX && at)
        for (int i = 0; i < many; ++i) at[i] = place[i];
}

static inline void pool2d_forward(kind k, const cc_call *call, const cc_team *team)
{
    cc_window window;
    if (pool2d_window(call, &window) != CCONV_OK) return; /* cannot be: infer has seen the same */
    const int64_t c = call->xs[0].dim[3], h = window.h.in, w = window.w.in, oh = window.h.out, ow = window.w.out;
    const int64_t kh = window.h.kernel, kw = window.w.kernel;
    const bool bytes = in_bytes(call);
    const cc_range rows = cc_slice(team, call->ys.dim[0] * oh, row_grain(ow * c * kh * kw));
    for (int64_t r = rows.begin; r < rows.end; ++r) {
        const int64_t n = r / oh, o = r % oh;
        int64_t th, th_end;
        cc_axis_taps(&window.h, o, &th, &th_end);
        const float *x = call->x[0] + (n * h + o * window.h.stride - window.h.before + th) * w * c;
        for (int64_t p = 0; p < ow; ++p) {
            int64_t tw, tw_end;
            cc_axis_taps(&window.w, p, &tw, &tw_end);
            const float *cell = x + (p * window.w.stride - window.w.before + tw) * c;
            const int64_t out = (r * ow + p) * c;
            for (int64_t ch = 0; ch < c; ch += CHANNELS) {
                int many = c - ch < CHANNELS ? (int)(c - ch) : CHANNELS;
                int32_t at[CHANNELS];
                bool keep = k == MAX && call->differentiate;
                cell_forward(k, call->y + out + ch, keep ? at : NULL, cell + ch, w * c, c, kw, th, th_end, tw, tw_end, many);
                if (keep && bytes)
                    for (int i = 0; i < many; ++i) ((uint8_t *)call->saved)[out + ch + i] = (uint8_t)at[i];
                else if (keep)
                    memcpy((int32_t *)call->saved + out + ch, at, (size_t)many * sizeof *at);
            }
        }
    }
}

/* ---- Backward ---- */

/* The outputs whose windows cover input cell i, inside the image's padding or not. */
static cc_range covering(const cc_axis *axis, int64_t i)
{
    int64_t place = i + axis->before, over = place - axis->kernel; /* o stride <= place < o stride + kernel */
    cc_range range = {over < 0 ? 0 : over / axis->stride + 1, place / axis->stride + 1};
    if (range.end > axis->out) range.end = axis->out;
    return range;
}

/* Adds what one output cell sends to one of its input cells, c channels. `here` is that cell's place in the window. */
static inline void cell_backward(kind k, float *restrict dx, const float *restrict dy, const float *restrict y,
                                 const uint8_t *restrict at8, const int32_t *restrict at32, int32_t here, float share,
                                 int64_t c)
{
    for (int64_t i = 0; i < c; ++i) {
        switch (k) {
        case MAX: dx[i] += (at8 ? at8[i] : at32[i]) == here ? dy[i] : 0; break;
        case AVG: dx[i] += dy[i] * share; break;
        case SUM: dx[i] += dy[i]; break;
        case L2: dx[i] += y[i] != 0 ? dy[i] / y[i] : 0; break;
        }
    }
}

static inline void pool2d_backward(kind k, const cc_call *call, const cc_team *team)
{
    cc_window window;
    if (!call->dx[0] || pool2d_window(call, &window) != CCONV_OK) return;
    const int64_t c = call->xs[0].dim[3], h = window.h.in, w = window.w.in, oh = window.h.out, ow = window.w.out;
    const int64_t kw = window.w.kernel;
    const cc_range rows = cc_slice(team, call->xs[0].dim[0] * h, row_grain(w * c));
    for (int64_t r = rows.begin; r < rows.end; ++r) {
        const int64_t n = r / h, i = r % h;
        float *dx = call->dx[0] + r * w * c;
        memset(dx, 0, (size_t)(w * c) * sizeof *dx);
        const cc_range os = covering(&window.h, i);
        for (int64_t o = os.begin; o < os.end; ++o) {
            int64_t th, th_end, t = i + window.h.before - o * window.h.stride;
            cc_axis_taps(&window.h, o, &th, &th_end);
            for (int64_t p = 0; p < ow; ++p) {
                int64_t tw, tw_end;
                cc_axis_taps(&window.w, p, &tw, &tw_end);
                const int64_t out = ((n * oh + o) * ow + p) * c;
                const float share = 1 / (float)((th_end - th) * (tw_end - tw));
                for (int64_t u = tw; u < tw_end; ++u) {
                    float *cell = dx + (p * window.w.stride - window.w.before + u) * c;
                    const float *dy = call->dy + out;
                    const int32_t here = (int32_t)(t * kw + u);
                    if (k == MAX && in_bytes(call))
                        cell_backward(k, cell, dy, NULL, (const uint8_t *)call->saved + out, NULL, here, share, c);
                    else if (k == MAX)
                        cell_backward(k, cell, dy, NULL, NULL, (const int32_t *)call->saved + out, here, share, c);
                    else
                        cell_backward(k, cell, dy, k == L2 ? call->y + out : NULL, NULL, NULL, here, share, c);
                }
            }
        }
        if (k == L2)
            for (int64_t j = 0; j < w * c; ++j) dx[j] *= call->x[0][r * w * c + j];
    }
}

/* ---- The four ops ---- */

#define POOL(op, KIND, need_function, what_backward_reads)                                                                     \
    static void op##_forward(const cc_call *call, const cc_team *team)                                                         \
    {                                                                                                                          \
        pool2d_forward(KIND, call, team);                                                                                      \
    }                                                                                                                          \
    static void op##_backward(const cc_call *call, const cc_team *team)                                                        \
    {                                                                                                                          \
        pool2d_backward(KIND, call, team);                                                                                     \
    }                                                                                                                          \
    const cc_op cc_op_##op = {.name = #op,                                                                                     \
                              .inputs = "x",                                                                                   \
                              .attributes = pool2d_attributes,                                                                 \
                              .attributes_size = sizeof(pool2d),                                                               \
                              .reads = what_backward_reads,                                                                    \
                              .infer = pool2d_infer,                                                                           \
                              .need = need_function,                                                                           \
                              .forward = op##_forward,                                                                         \
                              .backward = op##_backward};

POOL(max_pool2d, MAX, max_need, 0)
POOL(avg_pool2d, AVG, NULL, 0)
POOL(sum_pool2d, SUM, NULL, 0)
POOL(l2_pool2d, L2, NULL, CC_READS_X(0) | CC_READS_Y)
