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
 * max_pool2d may have relu or relu6 behind it: y = act(max x[p]), which is max act(x[p]), and dz = dy act' (told from y) takes dy's place.
 *
 * Forward is sliced by output rows; backward by input rows, each of which gathers from the windows that cover it, so that
 * overlapping windows never meet in one element. */
#include "ops/pool.h"
#include "algos/window.h"
#include "kernels/kernels.h"
#include "ops/op.h"
#include <math.h>
#include <string.h>

typedef enum kind { MAX, AVG, SUM, L2 } kind;

typedef cc_pool_attributes pool2d;

/* clang-format off */
#define ATTRIBUTES                                                                                                             \
    {"pool_size", CC_LIST, offsetof(pool2d, pool_size), NULL, NULL},                                                           \
    {"strides", CC_LIST, offsetof(pool2d, strides), "", NULL},                                                                 \
    {"padding", CC_ENUM, offsetof(pool2d, padding), "valid", CC_PADDING_CHOICES},                                              \
    {"pads", CC_LIST, offsetof(pool2d, pads), "", NULL}
/* clang-format on */

static const cc_attr pool2d_attributes[] = {ATTRIBUTES, {0}};
static const cc_attr max_attributes[] = {
    ATTRIBUTES, {"activation", CC_ENUM, offsetof(pool2d, activation), "linear", "linear|relu|relu6"}, {0}};

#define MOST_CELLS (1 << 24) /* of a window: their numbers are whole as floats */

/* ---- Shapes ---- */

static cconv_status pool2d_window(const cc_call *call, cc_window *window)
{
    static const cc_list undilated = {1, {1}};
    const pool2d *a = call->attributes;
    CC_TRY(cc_each_check(&a->pool_size, "pool_size", 2));
    const int64_t size[2] = {cc_each(&a->pool_size, 0), cc_each(&a->pool_size, 1)};
    for (int i = 0; i < 2; ++i)
        if (size[i] < 1)
            return cc_fail(CCONV_INVALID, "expected a pool_size of at least 1, received (%lld, %lld)", (long long)size[0],
                           (long long)size[1]);
    CC_TRY(cc_window_set(window, 2, call->xs[0].dim + 1, size, a->strides.n ? &a->strides : &a->pool_size, &undilated,
                         (cc_padding)a->padding, &a->pads));
    if (size[0] > MOST_CELLS || size[1] > MOST_CELLS || size[0] * size[1] > MOST_CELLS)
        return cc_fail(CCONV_INVALID, "expected a pool_size of at most %d cells, received (%lld, %lld)", MOST_CELLS,
                       (long long)size[0], (long long)size[1]);

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

/* Where in its window each maximum was found is kept as row * kw + column: a byte if that fits, else a float. */
static bool in_bytes(const cc_call *call)
{
    const pool2d *a = call->attributes;
    return cc_each(&a->pool_size, 0) * cc_each(&a->pool_size, 1) <= 256;
}

static void pool_max_need(const cc_call *call, int nth, cc_need *need)
{
    (void)nth;
    const pool2d *a = call->attributes;
    if (!call->differentiate) return;
    need->saved = (size_t)cc_shape_count(&call->ys) * (in_bytes(call) ? sizeof(uint8_t) : sizeof(float));
    if (a->activation != CC_NORM_LINEAR) need->reads |= CC_READS_Y;
}

/* Rows per slice, so that one slice is worth a barrier. */
static int64_t row_grain(int64_t operations_per_row)
{
    return operations_per_row > 0 ? 2048 / operations_per_row + 1 : 1;
}

/* The place in call->saved of output `out`. */
static void *places_at(const cc_call *call, int64_t out)
{
    return (char *)call->saved + out * (in_bytes(call) ? sizeof(uint8_t) : sizeof(float));
}

/* How many outputs from p on have windows with the same cells inside the image as that of p. */
static int64_t alike(const cc_axis *axis, int64_t p)
{
    int64_t begin, begin_of_last, end, end_of_first; /* outputs whose first, and whose last cell lies inside */
    cc_axis_inside(axis, 0, &begin, &end_of_first);
    cc_axis_inside(axis, axis->kernel - 1, &begin_of_last, &end);
    return p >= begin && p < end ? end - p : 1;
}

static cc_pool pool_of(const cc_call *call, const cc_window *window)
{
    const pool2d *a = call->attributes;
    const int64_t c = call->xs[0].dim[3];
    return (cc_pool){.c = c,
                     .step = window->w.stride * c,
                     .line = window->w.in * c,
                     .width = (int)window->w.kernel,
                     .act = (cc_norm_act)a->activation,
                     .wide = !in_bytes(call)};
}

/* ---- Forward ---- */

static inline void pool2d_forward(kind k, const cc_call *call, const cc_team *team)
{
    cc_window window;
    if (pool2d_window(call, &window) != CCONV_OK) return; /* cannot be: infer has seen the same */
    const cc_kernels *kernels = cc_kernels_get();
    const int64_t c = call->xs[0].dim[3], h = window.h.in, w = window.w.in, oh = window.h.out, ow = window.w.out;
    const cc_range lines = cc_slice(team, call->ys.dim[0] * oh, row_grain(ow * c * window.h.kernel * window.w.kernel));
    cc_pool pool = pool_of(call, &window);
    for (int64_t r = lines.begin; r < lines.end; ++r) {
        const int64_t n = r / oh, o = r % oh;
        int64_t th, th_end;
        cc_axis_taps(&window.h, o, &th, &th_end);
        const float *x = call->x[0] + (n * h + o * window.h.stride - window.h.before + th) * w * c;
        pool.rows = (int)(th_end - th);
        for (int64_t p = 0; p < ow; p += pool.outputs) {
            int64_t tw, tw_end;
            cc_axis_taps(&window.w, p, &tw, &tw_end);
            pool.outputs = alike(&window.w, p);
            pool.columns = (int)(tw_end - tw);
            pool.first = (int)(th * window.w.kernel + tw);
            const float *cell = x + (p * window.w.stride - window.w.before + tw) * c;
            const int64_t out = (r * ow + p) * c;
            if (k == MAX)
                kernels->pool_max(&pool, call->y + out, call->differentiate ? places_at(call, out) : NULL, cell);
            else
                kernels->pool_sum(&pool, call->y + out, cell, k == AVG ? 1 / (float)(pool.rows * pool.columns) : 1, k == L2);
        }
        if (k == L2)
            for (int64_t i = 0; i < ow * c; ++i) call->y[r * ow * c + i] = sqrtf(call->y[r * ow * c + i]);
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

/* Adds what the outputs of a stretch send to their cells in one row, of L2 before it is multiplied by x. */
static void add_ratios(const cc_pool *k, float *dx, const float *dy, const float *y)
{
    for (int64_t o = 0; o < k->outputs; ++o, dx += k->step, dy += k->c, y += k->c)
        for (int j = 0; j < k->columns; ++j)
            for (int64_t i = 0; i < k->c; ++i) dx[j * k->c + i] += y[i] != 0 ? dy[i] / y[i] : 0;
}

/* One row of dx, from one row of outputs; t is its row in their windows, `at` the outputs' first element. */
static inline void line_backward(kind k, const cc_call *call, const cc_window *window, cc_pool pool, float *dx, int64_t at,
                                 int64_t t, int64_t rows, bool add)
{
    const cc_kernels *kernels = cc_kernels_get();
    for (int64_t p = 0; p < window->w.out; p += pool.outputs) {
        int64_t tw, tw_end;
        cc_axis_taps(&window->w, p, &tw, &tw_end);
        pool.outputs = alike(&window->w, p);
        pool.columns = (int)(tw_end - tw);
        pool.first = (int)(t * window->w.kernel + tw);
        float *cell = dx + (p * window->w.stride - window->w.before + tw) * pool.c;
        const int64_t out = at + p * pool.c;
        const float *dy = call->dy + out, *y = k == L2 || pool.act != CC_NORM_LINEAR ? call->y + out : NULL;
        switch (k) {
        case MAX: kernels->pool_max_backward(&pool, cell, dy, y, places_at(call, out), add); break;
        case AVG: kernels->pool_sum_backward(&pool, cell, dy, 1 / (float)(rows * pool.columns), add); break;
        case SUM: kernels->pool_sum_backward(&pool, cell, dy, 1, add); break;
        case L2: add_ratios(&pool, cell, dy, y); break;
        }
    }
}

/* Where no windows overlap, the only one over a cell writes it; else what they send is added up. */
static inline void pool2d_backward(kind k, const cc_call *call, const cc_team *team)
{
    cc_window window;
    if (!call->dx[0] || pool2d_window(call, &window) != CCONV_OK) return;
    const int64_t c = call->xs[0].dim[3], h = window.h.in, w = window.w.in, oh = window.h.out, ow = window.w.out;
    const cc_range lines = cc_slice(team, call->xs[0].dim[0] * h, row_grain(w * c));
    const bool add = k == L2 || window.h.kernel > window.h.stride || window.w.kernel > window.w.stride;
    const bool all = window.w.kernel == window.w.stride && ow * window.w.stride - window.w.before >= w; /* a row's every cell */
    cc_pool pool = pool_of(call, &window);
    pool.rows = 1;
    for (int64_t r = lines.begin; r < lines.end; ++r) {
        const int64_t n = r / h, i = r % h;
        float *dx = call->dx[0] + r * w * c;
        const cc_range os = covering(&window.h, i);
        if (add || !all || os.begin >= os.end) memset(dx, 0, (size_t)(w * c) * sizeof *dx);
        for (int64_t o = os.begin; o < os.end; ++o) {
            int64_t th, th_end, t = i + window.h.before - o * window.h.stride;
            cc_axis_taps(&window.h, o, &th, &th_end);
            line_backward(k, call, &window, pool, dx, (n * oh + o) * ow * c, t, th_end - th, add);
        }
        if (k == L2)
            for (int64_t j = 0; j < w * c; ++j) dx[j] *= call->x[0][r * w * c + j];
    }
}

/* ---- The four ops ---- */

#define POOL(op, KIND, table, need_function, what_backward_reads)                                                                    \
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
                              .attributes = table,                                                                             \
                              .attributes_size = sizeof(pool2d),                                                               \
                              .reads = what_backward_reads,                                                                    \
                              .per_sample = cc_per_sample_x,                                                                   \
                              .infer = pool2d_infer,                                                                           \
                              .need = need_function,                                                                           \
                              .forward = op##_forward,                                                                         \
                              .backward = op##_backward};

POOL(max_pool2d, MAX, max_attributes, pool_max_need, 0)
POOL(avg_pool2d, AVG, pool2d_attributes, NULL, 0)
POOL(sum_pool2d, SUM, pool2d_attributes, NULL, 0)
POOL(l2_pool2d, L2, pool2d_attributes, NULL, CC_READS_X(0) | CC_READS_Y)
