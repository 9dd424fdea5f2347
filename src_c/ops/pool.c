/* Pooling over windows: max_pool, avg_pool, sum_pool, l2_pool. x (n, w, c), (n, h, w, c) or (n, d, h, w, c) -> y of the same rank,
 * channel by channel.
 *
 * For one output let P be the cells of its window that lie inside the image (padding is not a cell: no maximum is ever a padded
 * zero). Then, and since a cell belongs to every window that covers it,
 *
 *     max   y = max x[p]                 dx[p] = sum of dy over the windows whose maximum is p
 *                                                (of equal cells the first in row-major order)
 *     avg   y = sum x[p] / m             dx[p] = sum of dy / m           m = |P|; with count_include_pad all the
 *                                                                        window's cells in the padded image
 *     sum   y = sum x[p]                 dx[p] = sum of dy
 *     l2    y = sqrt(sum x[p]^2)         dx[p] = x[p] sum of dy / y     since dy/dx[p] = 2 x[p] / (2 y); 0 where y = 0
 *
 * max_pool may have relu or relu6 behind it: y = act(max x[p]), which is max act(x[p]), and dz = dy act' (told from y) takes dy's
 * place.
 *
 * Forward is sliced by output rows; backward by input rows, each of which gathers from the windows that cover it, so that
 * overlapping windows never meet in one element. The kernels know rows and columns; of a third axis each plane is pooled by itself,
 * and what the planes give is joined. Sums of many planes, and gradients of cells under many windows, are kept in double. */
#include "ops/pool.h"
#include "ops/meanings.h"
#include "algos/window.h"
#include "base/alloc.h"
#include "base/minmax.h"
#include "kernels/kernels.h"
#include "ops/infer.h"
#include <math.h>
#include <string.h>

typedef enum kind { MAX, AVG, SUM, L2 } kind;

/* clang-format off */
#define ATTRIBUTES                                                                                                             \
    {"pool_size", CC_LIST, offsetof(cc_pool_attributes, pool_size), NULL, NULL,                                                \
     "cells of the window, for each axis or one for all"},                                                                     \
    {"strides", CC_LIST, offsetof(cc_pool_attributes, strides), "", NULL,                                                      \
     "distance between windows, for each axis or one for all; none: pool_size"},                                               \
    {"padding", CC_ENUM, offsetof(cc_pool_attributes, padding), "valid", CC_PADDING_CHOICES, CC_PADDING_MEANING},              \
    {"pads", CC_LIST, offsetof(cc_pool_attributes, pads), "", NULL, CC_PADS_MEANING},                                          \
    {"ceil_mode", CC_BOOL, offsetof(cc_pool_attributes, ceil_mode), "0", NULL,                                                 \
     "1: the last window of an axis may reach beyond the image and its padding, if it begins inside"}
/* clang-format on */

static const cc_attr pool_attributes[] = {ATTRIBUTES, {0}};
static const cc_attr max_attributes[] = {
    ATTRIBUTES,
    {"activation", CC_ENUM, offsetof(cc_pool_attributes, activation), "linear", CC_ACT_CLAMPS, CC_CLAMP_MEANING},
    {0}};
static const cc_attr avg_attributes[] = {ATTRIBUTES,
                                         {"count_include_pad", CC_BOOL, offsetof(cc_pool_attributes, count_include_pad), "0",
                                          NULL, "1: cells of the padding count in the mean; 0: those of the image only"},
                                         {0}};

#define MOST_CELLS (1 << 24) /* of a window: their numbers are whole as floats */

/* ---- Shapes ---- */

static cconv_status pool_window(const cc_call *call, cc_window *window)
{
    static const cc_list undilated = {1, {1}};
    const cc_pool_attributes *a = call->attributes;
    const int rank = call->xs[0].rank - 2;
    int64_t size[CC_WINDOW_AXES], cells = 1;
    CC_TRY(cc_each_check(&a->pool_size, "pool_size", rank));
    for (int i = 0; i < rank; ++i) {
        size[i] = cc_each(&a->pool_size, i);
        if (size[i] < 1) return cc_fail(CCONV_INVALID, "expected a pool_size of at least 1, received %lld", (long long)size[i]);
        if (size[i] > MOST_CELLS || (cells *= size[i]) > MOST_CELLS)
            return cc_fail(CCONV_INVALID, "expected a pool_size of at most %d cells, received %lld along axis %d", MOST_CELLS,
                           (long long)size[i], i + 1);
    }
    CC_TRY(cc_window_set(window, rank, call->xs[0].dim + 1, size, a->strides.n ? &a->strides : &a->pool_size, &undilated,
                         (cc_padding)a->padding, &a->pads, a->ceil_mode));

    for (int i = 0; i < rank; ++i) { /* so that every window holds a real cell */
        const cc_axis *axis = cc_window_axis(window, rank, i);
        char text[CC_SHAPE_TEXT];
        if (a->padding == CC_PAD_EXPLICIT && (axis->before >= axis->kernel || axis->after >= axis->kernel))
            return cc_fail(CCONV_INVALID, "expected pads smaller than the pool_size, received %lld and %lld for %lld cells",
                           (long long)axis->before, (long long)axis->after, (long long)axis->kernel);
        if (axis->in == 0 && axis->out > 0)
            return cc_fail(CCONV_INVALID, "expected an image with at least one cell, received shape %s",
                           cc_shape_text(&call->xs[0], text));
    }
    return CCONV_OK;
}

static cconv_status pool_infer(const cc_call *call, cc_shape *ys)
{
    cc_window window;
    int rank;
    CC_TRY(cc_infer_image(call, 0, &rank));
    cconv_status status = pool_window(call, &window);
    if (status != CCONV_OK) {
        const char *name = call->name, *op = call->op->name;
        cc_fail_prefix("%s%s%s%s", name ? name : "", name ? " (" : "", op, name ? ")" : "");
        return status;
    }
    *ys = call->xs[0];
    for (int i = 0; i < rank; ++i) ys->dim[1 + i] = cc_window_axis(&window, rank, i)->out;
    return CCONV_OK;
}

static int64_t pool_channels(const cc_call *call)
{
    return call->xs[0].dim[call->xs[0].rank - 1];
}

/* Where in its window each maximum was found is kept as (plane * kh + row) * kw + column: a byte if that fits, else a float. */
static size_t pool_place_bytes(const cc_window *window)
{
    return cc_window_cells(window) <= 256 ? sizeof(uint8_t) : sizeof(float);
}

/* Scratch of a thread, where windows have several planes to add up: the sums of many; what one gives for a row of outputs. */
static uint64_t pool_plane_bytes(const cc_window *window, int64_t c)
{
    if (window->d.kernel == 1) return 0;
    return CC_ALIGN_UP((uint64_t)(window->w.out * c) * (sizeof(double) + sizeof(float)));
}

/* Windows over a cell, at most, and those whose gradients are added up in float32 one after the other. */
static int64_t pool_most_over(const cc_axis *axis)
{
    return cc_min((axis->kernel + axis->stride - 1) / axis->stride, axis->out);
}

static bool pool_is_under_many(const cc_window *window)
{
    enum { FEW = 256 };
    return pool_most_over(&window->d) * pool_most_over(&window->h) * pool_most_over(&window->w) > FEW;
}

/* Scratch of a thread: a row of dx. */
static uint64_t pool_row_bytes(const cc_window *window, int64_t c)
{
    return pool_is_under_many(window) ? CC_ALIGN_UP((uint64_t)(window->w.in * c) * sizeof(double)) : 0;
}

static void pool_need(const cc_call *call, int nth, cc_need *need)
{
    cc_window window;
    if (pool_window(call, &window) != CCONV_OK) return; /* cannot be: infer has seen the same */
    need->forward_scratch = (uint64_t)nth * pool_plane_bytes(&window, pool_channels(call));
    if (call->differentiate) need->backward_scratch = (uint64_t)nth * pool_row_bytes(&window, pool_channels(call));
}

static void pool_max_need(const cc_call *call, int nth, cc_need *need)
{
    cc_window window;
    if (pool_window(call, &window) != CCONV_OK) return;
    pool_need(call, nth, need);
    need->forward_scratch = 0; /* the kernel takes all planes */
    if (!call->differentiate) return;
    need->saved = (uint64_t)cc_shape_count(&call->ys) * pool_place_bytes(&window);
    if (((const cc_pool_attributes *)call->attributes)->activation != CC_ACT_LINEAR) need->reads |= CC_READS_Y;
}

/* Rows per slice, so that one slice is worth a barrier. */
static int64_t pool_row_grain(int64_t operations_per_row)
{
    return operations_per_row > 0 ? 2048 / operations_per_row + 1 : 1;
}

/* How many outputs from p on have windows with the same cells inside the image as that of p. */
static int64_t pool_alike(const cc_axis *axis, int64_t p)
{
    int64_t begin, begin_of_last, end, end_of_first; /* outputs whose first, and whose last cell lies inside */
    cc_axis_inside(axis, 0, &begin, &end_of_first);
    cc_axis_inside(axis, axis->kernel - 1, &begin_of_last, &end);
    return p >= begin && p < end ? end - p : 1;
}

static cc_pool pool_of(const cc_call *call, const cc_window *window)
{
    const cc_pool_attributes *a = call->attributes;
    const int64_t c = pool_channels(call);
    return (cc_pool){.c = c,
                     .step = window->w.stride * c,
                     .line = window->w.in * c,
                     .plane = window->h.in * window->w.in * c,
                     .planes = 1,
                     .width = (int)window->w.kernel,
                     .area = (int)(window->h.kernel * window->w.kernel),
                     .act = (cc_activation)a->activation,
                     .wide = pool_place_bytes(window) > 1};
}

/* How many cells along this axis the average at output o counts, of whose window `inside` lie in the image. */
static int64_t pool_counted(const cc_call *call, const cc_axis *axis, int64_t o, int64_t inside)
{
    return ((const cc_pool_attributes *)call->attributes)->count_include_pad ? cc_axis_padded_taps(axis, o) : inside;
}

/* ---- Forward ---- */

/* What the planes before gave, in y, or in `total` if there are many, is added to what the next one gives. */
static void pool_add_plane(float *y, const float *part, double *total, int64_t count)
{
    for (int64_t i = 0; i < count; ++i) {
        if (total)
            total[i] += (double)part[i];
        else
            y[i] += part[i];
    }
}

/* A row of outputs from `pool.planes` planes of the image: x is the first row that their windows see, `number` that row's in the
 * windows, planes and rows counted through. Averages count `rows` of them. */
static inline void pool_planes_forward(kind k, const cc_call *call, const cc_window *window, cc_pool pool, float *y,
                                      void *places, const float *x, int64_t number, int64_t rows)
{
    const cc_kernels *kernels = cc_kernels_get();
    for (int64_t p = 0; p < window->w.out; p += pool.outputs) {
        int64_t tw, tw_end;
        cc_axis_taps(&window->w, p, &tw, &tw_end);
        pool.outputs = pool_alike(&window->w, p);
        pool.columns = (int)(tw_end - tw);
        pool.first = (int)(number * window->w.kernel + tw);
        const float *cell = x + (p * window->w.stride - window->w.before + tw) * pool.c;
        const int64_t out = p * pool.c;
        if (k == MAX)
            kernels->pool.max(&pool, y + out, places ? (char *)places + (size_t)out * pool_place_bytes(window) : NULL, cell);
        else
            kernels->pool.sum(&pool, y + out, cell,
                              k == AVG ? 1 / (float)(rows * pool_counted(call, &window->w, p, pool.columns)) : 1, k == L2);
    }
}

static inline void pool_forward(kind k, const cc_call *call, const cc_team *team)
{
    cc_window window;
    if (pool_window(call, &window) != CCONV_OK) return;
    const int64_t c = pool_channels(call), d = window.d.in, h = window.h.in, w = window.w.in, od = window.d.out,
                  oh = window.h.out;
    const int64_t count = window.w.out * c;
    const cc_range lines = cc_slice(team, call->ys.dim[0] * od * oh, pool_row_grain(count * cc_window_cells(&window)));
    cc_pool pool = pool_of(call, &window);
    const size_t bytes = pool_plane_bytes(&window, c);
    double *wide = bytes ? (double *)((char *)call->scratch + (size_t)team->ith * bytes) : NULL;
    float *part = bytes ? (float *)(wide + count) : NULL;
    for (int64_t r = lines.begin; r < lines.end; ++r) {
        const int64_t i = r % oh, n = r / oh / od, j = r / oh % od;
        int64_t td, td_end, th, th_end;
        cc_axis_taps(&window.d, j, &td, &td_end);
        cc_axis_taps(&window.h, i, &th, &th_end);
        pool.rows = (int)(th_end - th);
        const int64_t rows =
            k == AVG ? pool_counted(call, &window.d, j, td_end - td) * pool_counted(call, &window.h, i, th_end - th) : 0;
        float *y = call->y + r * count;
        void *places =
            k == MAX && call->differentiate ? (char *)call->saved + (size_t)(r * count) * pool_place_bytes(&window) : NULL;
        double *total = k != MAX && td_end - td > CC_POOL_FEW ? wide : NULL;
        const int64_t step = k == MAX ? td_end - td : 1; /* planes at a time */
        pool.planes = (int)step;
        for (int64_t t = td; t < td_end; t += step) {
            const int64_t plane = n * d + j * window.d.stride - window.d.before + t;
            const float *x = call->x[0] + (plane * h + i * window.h.stride - window.h.before + th) * w * c;
            pool_planes_forward(k, call, &window, pool, t == td ? y : part, places, x, t * window.h.kernel + th, rows);
            if (t > td)
                pool_add_plane(y, part, total, count);
            else
                for (int64_t e = 0; total && e < count; ++e) total[e] = (double)y[e];
        }
        for (int64_t e = 0; total && e < count; ++e) y[e] = (float)total[e];
        if (k == L2)
            for (int64_t e = 0; e < count; ++e) y[e] = sqrtf(y[e]);
    }
}

/* ---- Backward ---- */

/* The outputs whose windows cover input cell i, inside the image's padding or not. */
static cc_range pool_covering(const cc_axis *axis, int64_t i)
{
    int64_t place = i + axis->before, over = place - axis->kernel; /* o stride <= place < o stride + kernel */
    cc_range range = {over < 0 ? 0 : over / axis->stride + 1, place / axis->stride + 1};
    if (range.end > axis->out) range.end = axis->out;
    return range;
}

/* Adds what the outputs of a stretch send to their cells in one row, of L2 before it is multiplied by x. */
static void pool_add_ratios(const cc_pool *k, float *dx, const float *dy, const float *y)
{
    for (int64_t o = 0; o < k->outputs; ++o, dx += k->step, dy += k->c, y += k->c)
        for (int j = 0; j < k->columns; ++j)
            for (int64_t i = 0; i < k->c; ++i) dx[j * k->c + i] += y[i] != 0 ? dy[i] / y[i] : 0;
}

/* The same of any kind, in double. */
static void pool_add_wide(kind k, const cc_pool *pool, double *dx, const float *dy, const float *y, const void *places,
                          double factor)
{
    for (int64_t o = 0; o < pool->outputs; ++o, dx += pool->step, dy += pool->c)
        for (int64_t i = 0; i < pool->c; ++i) {
            const int64_t at = o * pool->c + i;
            double dz = k == L2 ? y[at] != 0 ? (double)dy[i] / (double)y[at] : 0 : (double)dy[i] * factor;
            if (k == MAX && pool->act != CC_ACT_LINEAR && !(y[at] > 0 && (pool->act == CC_ACT_RELU || y[at] < 6))) dz = 0;
            int begin = 0, end = pool->columns;
            if (k == MAX) {
                const int place = pool->wide ? (int)((const float *)places)[at] : ((const uint8_t *)places)[at];
                begin = place - pool->first;
                if (begin < 0 || begin >= pool->columns) continue;
                end = begin + 1;
            }
            for (int j = begin; j < end; ++j) dx[j * pool->c + i] += dz;
        }
}

/* One row of dx, or of the sums `wide` if they are not NULL, from one row of outputs, which begins at `at`; `number` and `rows` as
 * above. */
static inline void pool_line_backward(kind k, const cc_call *call, const cc_window *window, cc_pool pool, float *dx,
                                      double *wide, int64_t at, int64_t number, int64_t rows, bool add)
{
    const cc_kernels *kernels = cc_kernels_get();
    for (int64_t p = 0; p < window->w.out; p += pool.outputs) {
        int64_t tw, tw_end;
        cc_axis_taps(&window->w, p, &tw, &tw_end);
        pool.outputs = pool_alike(&window->w, p);
        pool.columns = (int)(tw_end - tw);
        pool.first = (int)(number * window->w.kernel + tw);
        const int64_t first = (p * window->w.stride - window->w.before + tw) * pool.c, out = at + p * pool.c;
        float *cell = dx + first;
        const float *dy = call->dy + out, *y = k == L2 || pool.act != CC_ACT_LINEAR ? call->y + out : NULL;
        const void *places = k == MAX ? (char *)call->saved + (size_t)out * pool_place_bytes(window) : NULL;
        const int64_t cells = k == AVG ? rows * pool_counted(call, &window->w, p, pool.columns) : 1;
        if (wide) {
            pool_add_wide(k, &pool, wide + first, dy, y, places, 1 / (double)cells);
            continue;
        }
        switch (k) {
        case MAX: kernels->pool.max_backward(&pool, cell, dy, y, places, add); break;
        case AVG: kernels->pool.sum_backward(&pool, cell, dy, 1 / (float)cells, add); break;
        case SUM: kernels->pool.sum_backward(&pool, cell, dy, 1, add); break;
        case L2: pool_add_ratios(&pool, cell, dy, y); break;
        }
    }
}

/* How many rows of the window at row (od, oh) of the outputs, those of all planes, averages count. */
static int64_t pool_rows_of(const cc_call *call, const cc_window *window, int64_t od, int64_t oh)
{
    int64_t td, td_end, th, th_end;
    cc_axis_taps(&window->d, od, &td, &td_end);
    cc_axis_taps(&window->h, oh, &th, &th_end);
    return pool_counted(call, &window->d, od, td_end - td) * pool_counted(call, &window->h, oh, th_end - th);
}

static bool pool_overlaps(const cc_axis *axis)
{
    return axis->kernel > axis->stride;
}

/* Where no windows overlap, the only one over a cell writes it; else what they send is added up. */
static inline void pool_backward(kind k, const cc_call *call, const cc_team *team)
{
    cc_window window;
    if (!call->dx[0] || pool_window(call, &window) != CCONV_OK) return;
    const int64_t c = pool_channels(call), d = window.d.in, h = window.h.in, w = window.w.in;
    const cc_range lines = cc_slice(team, call->xs[0].dim[0] * d * h, pool_row_grain(w * c));
    const bool add = k == L2 || pool_overlaps(&window.d) || pool_overlaps(&window.h) || pool_overlaps(&window.w);
    const bool all =
        window.w.kernel == window.w.stride && window.w.out * window.w.stride - window.w.before >= w; /* a row's every cell */
    double *wide = NULL;
    if (pool_is_under_many(&window)) wide = (double *)((char *)call->scratch + (size_t)team->ith * pool_row_bytes(&window, c));
    cc_pool pool = pool_of(call, &window);
    pool.rows = 1;
    for (int64_t r = lines.begin; r < lines.end; ++r) {
        const int64_t i = r % h, n = r / h / d, j = r / h % d;
        float *dx = call->dx[0] + r * w * c;
        const cc_range planes = pool_covering(&window.d, j), rows = pool_covering(&window.h, i);
        if (add || !all || planes.begin >= planes.end || rows.begin >= rows.end) memset(dx, 0, (size_t)(w * c) * sizeof *dx);
        if (wide) memset(wide, 0, (size_t)(w * c) * sizeof *wide);
        for (int64_t od = planes.begin; od < planes.end; ++od)
            for (int64_t oh = rows.begin; oh < rows.end; ++oh) {
                const int64_t td = j + window.d.before - od * window.d.stride, th = i + window.h.before - oh * window.h.stride;
                const int64_t at = ((n * window.d.out + od) * window.h.out + oh) * window.w.out * c;
                pool_line_backward(k, call, &window, pool, dx, wide, at, td * window.h.kernel + th,
                                   k == AVG ? pool_rows_of(call, &window, od, oh) : 0, add);
            }
        for (int64_t e = 0; wide && e < w * c; ++e) dx[e] = (float)wide[e];
        if (k == L2)
            for (int64_t e = 0; e < w * c; ++e) dx[e] *= call->x[0][r * w * c + e];
    }
}

/* ---- The four ops ---- */

#define POOL(op, KIND, table, need_function, what_backward_reads)                                                              \
    static void op##_forward(const cc_call *call, const cc_team *team)                                                         \
    {                                                                                                                          \
        pool_forward(KIND, call, team);                                                                                        \
    }                                                                                                                          \
    static void op##_backward(const cc_call *call, const cc_team *team)                                                        \
    {                                                                                                                          \
        pool_backward(KIND, call, team);                                                                                       \
    }                                                                                                                          \
    const cc_op cc_op_##op = {.name = #op,                                                                                     \
                              .inputs = "x",                                                                                   \
                              .attributes = table,                                                                             \
                              .attributes_size = sizeof(cc_pool_attributes),                                                   \
                              .reads = what_backward_reads,                                                                    \
                              .per_sample = cc_per_sample_x,                                                                   \
                              .infer = pool_infer,                                                                             \
                              .need = need_function,                                                                           \
                              .forward = op##_forward,                                                                         \
                              .backward = op##_backward};

POOL(max_pool, MAX, max_attributes, pool_max_need, 0)
POOL(avg_pool, AVG, avg_attributes, pool_need, 0)
POOL(sum_pool, SUM, pool_attributes, pool_need, 0)
POOL(l2_pool, L2, pool_attributes, pool_need, CC_READS_X(0) | CC_READS_Y)
