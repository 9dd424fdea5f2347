/* Poolings. What the ops of windows do not have (dilations, padding that a whole window may lie in) is computed along one axis
 * after the other: the cells of all windows are taken side by side, then each window is reduced. */
#include "onnx/read_window.h"
#include "base/alloc.h"
#include "onnx/build.h"

enum pool_kind { POOL_MAX, POOL_SUM };

/* Whether an op of windows computes it. */
static bool pool_is_plain(const onnx_window *w)
{
    for (int i = 0; i < w->axes; ++i)
        if ((w->dilations[i] > 1 && w->kernel[i] > 1) || w->pads[i] >= w->kernel[i] || w->pads[w->axes + i] >= w->kernel[i])
            return false;
    return true;
}

static int pool_plain(onnx_call *c, const char *op, int x, const onnx_window *w, const char *more)
{
    char text[ONNX_WINDOW_TEXT], size[256];
    return onnx_channels_first(c, onnx_add1(c, op, onnx_channels_last(c, x), "%s %s%s%s", onnx_window_text(w, text),
                                            onnx_list_text(size, "pool_size", w->axes, w->kernel),
                                            w->ceil_mode ? " ceil_mode=1" : "", more));
}

/* The first cell of the window at place o along axis i. */
static int64_t pool_first(const onnx_window *w, int i, int64_t o)
{
    return o * w->strides[i] - w->pads[i];
}

/* How many cells of that window lie before `end`. */
static int64_t pool_before(const onnx_window *w, int i, int64_t o, int64_t end)
{
    const int64_t length = end - pool_first(w, i, o), n = length <= 0 ? 0 : (length - 1) / w->dilations[i] + 1;
    return n < w->kernel[i] ? n : w->kernel[i];
}

/* The cells of all windows along axis i, one window after the other. A cell outside of the image is for POOL_SUM one that `take`
 * gives as 0, for POOL_MAX the first of its window that is inside. 0: a failure. */
static int pool_indices(onnx_call *c, const onnx_window *w, int i, enum pool_kind kind)
{
    const int64_t in = w->in[i], kernel = w->kernel[i], count = w->out[i] * kernel;
    int32_t *cells = onnx_work(c, count, sizeof *cells);
    if (!cells) return 0;
    bool empty = false;
    for (int64_t o = 0; o < w->out[i]; ++o) {
        const int64_t first = pool_first(w, i, o), from = pool_before(w, i, o, 0), to = pool_before(w, i, o, in);
        const int64_t outside = kind == POOL_MAX ? first + from * w->dilations[i] : in;
        empty = empty || from == to;
        for (int64_t t = 0; t < kernel; ++t)
            cells[o * kernel + t] = (int32_t)(t >= from && t < to ? first + t * w->dilations[i] : outside);
    }
    int node = 0;
    if (empty && kind == POOL_MAX)
        onnx_refuse(c, "pads and dilations that leave windows without a cell of the image");
    else
        node = onnx_constant(c, CCONV_INT32, 1, &count, cells);
    cc_free(cells);
    return node;
}

/* x with the cells of all windows along axis `axis`, which is axis i of the window, as two axes: places and cells. */
static int pool_unfold(onnx_call *c, int x, const onnx_window *w, int i, int axis, enum pool_kind kind)
{
    if (w->out[i] < 1) return onnx_damaged(c, "expected a window no larger than the padded input along axis %d", i);
    if (w->in[i] >= INT32_MAX / 2 || w->out[i] * w->kernel[i] >= INT32_MAX / 2)
        return onnx_refuse(c, "a window of %lld cells at %lld places", (long long)w->kernel[i], (long long)w->out[i]);
    const int cells = onnx_add2(c, "take", x, pool_indices(c, w, i, kind), "axis=%d", axis);
    if (onnx_failed(c)) return 0;
    cc_shape shape = *onnx_shape(c, cells);
    for (int k = shape.rank++; k > axis + 1; --k) shape.dim[k] = shape.dim[k - 1];
    shape.dim[axis] = w->out[i];
    shape.dim[axis + 1] = w->kernel[i];
    return onnx_reshape(c, cells, shape.rank, shape.dim);
}

static int pool_by_axes(onnx_call *c, int x, const onnx_window *w, enum pool_kind kind)
{
    for (int i = 0; i < w->axes && !onnx_failed(c); ++i)
        x = onnx_add1(c, kind == POOL_MAX ? "max" : "sum", pool_unfold(c, x, w, i, 2 + i, kind), "axes=%d", 3 + i);
    return x;
}

/* Where along axis i the cells with numbers `cell` in their windows are. cell: (planes, place, ...), numbers along this axis. */
static int pool_position(onnx_call *c, const onnx_window *w, int i, int cell)
{
    const int first = onnx_steps(c, w->out[i], 0, w->kernel[i], 1 + w->axes, 1 + i);
    return onnx_add2(c, "take", pool_indices(c, w, i, POOL_MAX), onnx_add2(c, "add", cell, first, NULL), NULL);
}

/* Where in x, all of it counted, the largest cell of each window is: the first of several. Its number in the window is taken apart
 * into one for each axis, so that what is read of tables grows with the lengths of axes, not with their product. */
static int pool_largest(onnx_call *c, int x, const onnx_window *w, bool reversed)
{
    const cc_shape shape = *onnx_shape(c, x);
    const int64_t planes = cc_shape_product(&shape, 0, 2), plane = cc_shape_product(&shape, 2, shape.rank);
    int64_t covered = 1, dim[CCONV_MAX_RANK] = {planes}, stride[ONNX_WINDOW_AXES];
    int axes[CCONV_MAX_RANK] = {0, 1};
    for (int i = 0; i < w->axes; ++i) {
        if (w->in[i] < 1 || w->out[i] < 1 || w->out[i] * w->kernel[i] >= INT32_MAX / covered)
            return onnx_refuse(c, "Indices beyond int32, or of nothing");
        covered *= w->out[i] * w->kernel[i];
        dim[1 + i] = w->out[i];
        axes[2 + i] = 2 + 2 * i;
        axes[2 + w->axes + i] = 3 + 2 * i;
        stride[i] = reversed ? cc_shape_product(&shape, 2, 2 + i) : cc_shape_product(&shape, 3 + i, shape.rank);
    }
    if (planes * plane >= INT32_MAX) return onnx_refuse(c, "Indices beyond int32");
    for (int i = 0; i < w->axes; ++i) x = pool_unfold(c, x, w, i, 2 + 2 * i, POOL_MAX);
    if (onnx_failed(c)) return 0;
    dim[1 + w->axes] = 1;
    for (int i = 0; i < w->axes; ++i) dim[1 + w->axes] *= w->kernel[i];
    x = onnx_reshape(c, onnx_transpose(c, x, 2 + 2 * w->axes, axes), 2 + w->axes, dim);
    int cell = onnx_add1(c, "argmax", x, NULL), y = onnx_steps(c, planes, 0, plane, 1 + w->axes, 0);
    for (int i = w->axes - 1; i >= 0 && !onnx_failed(c); --i) {
        const int kernel = i ? onnx_scalar(c, cell, (double)w->kernel[i]) : 0;
        const int at = pool_position(c, w, i, i ? onnx_add2(c, "mod", cell, kernel, NULL) : cell);
        y = onnx_add2(c, "add", y, onnx_add2(c, "multiply", at, onnx_scalar(c, at, (double)stride[i]), NULL), NULL);
        if (i) cell = onnx_add2(c, "floor_divide", cell, kernel, NULL);
    }
    int64_t to[CCONV_MAX_RANK] = {shape.dim[0], shape.dim[1]};
    for (int i = 0; i < w->axes; ++i) to[2 + i] = w->out[i];
    return onnx_reshape(c, y, shape.rank, to);
}

bool onnx_read_MaxPool(onnx_call *c)
{
    onnx_window w;
    const int given = onnx_input(c, 0), x = onnx_cast(c, given, CCONV_FLOAT32);
    if (!onnx_window_read(c, x, NULL, &w)) return false;
    const bool reversed = onnx_int(c, "storage_order", 0) != 0; /* in Indices the first axis is counted first */
    const int y = pool_is_plain(&w) ? pool_plain(c, "max_pool", x, &w, "") : pool_by_axes(c, x, &w, POOL_MAX);
    if (onnx_wants(c, 1)) onnx_give_as(c, 1, pool_largest(c, x, &w, reversed), ONNX_INT64);
    return onnx_give(c, 0, onnx_cast(c, y, onnx_shape(c, given)->type));
}

bool onnx_read_MaxUnpool(onnx_call *c)
{
    onnx_window w;
    const int x = onnx_input(c, 0), places = onnx_input(c, 1);
    onnx_list shape = {.n = 0};
    if (!onnx_window_read(c, x, NULL, &w)) return false;
    if (onnx_has(c, 2) && !onnx_known_ints(c, 2, &shape)) return false;
    int64_t dim[CCONV_MAX_RANK] = {onnx_shape(c, x)->dim[0], onnx_shape(c, x)->dim[1]}, count = dim[0] * dim[1];
    for (int i = 0; i < w.axes; ++i) {
        dim[2 + i] = (w.in[i] - 1) * w.strides[i] - w.pads[i] - w.pads[w.axes + i] + w.kernel[i];
        if (count < 1 || dim[2 + i] < 1 || dim[2 + i] >= INT32_MAX / count)
            return onnx_refuse(c, "an output of nothing, or of more elements than int32 counts");
        count *= dim[2 + i];
        if (shape.n == w.axes + 2 && shape.v[2 + i] != dim[2 + i]) /* what the indices count then is not agreed upon */
            return onnx_refuse(c, "output_shape %lld along axis %d, where the windows cover %lld cells",
                               (long long)shape.v[2 + i], i, (long long)dim[2 + i]);
    }
    const int64_t all = cc_shape_count(onnx_shape(c, x));
    const int inputs[] = {onnx_add1(c, "broadcast_to", onnx_scalar(c, x, 0), "shape=%lld", (long long)count),
                          onnx_reshape(c, places, 1, &all), onnx_reshape(c, x, 1, &all)};
    return onnx_give(c, 0, onnx_reshape(c, onnx_add(c, "scatter_update", 3, inputs, NULL), w.axes + 2, dim));
}

/* For each place along axis i: how many cells of its window lie in the image, or with `padding` in the image and its padding. */
static int pool_counts(onnx_call *c, const onnx_window *w, int i, bool padding)
{
    int64_t dim[CCONV_MAX_RANK] = {1, 1, 1, 1, 1, 1, 1, 1};
    dim[2 + i] = w->out[i];
    float *counts = onnx_work(c, w->out[i], sizeof *counts);
    if (!counts) return 0;
    const int64_t begin = padding ? -w->pads[i] : 0, end = w->in[i] + (padding ? w->pads[w->axes + i] : 0);
    for (int64_t o = 0; o < w->out[i]; ++o) counts[o] = (float)(pool_before(w, i, o, end) - pool_before(w, i, o, begin));
    const int node = onnx_constant(c, CCONV_FLOAT32, 2 + w->axes, dim, counts);
    cc_free(counts);
    return node;
}

bool onnx_read_AveragePool(onnx_call *c)
{
    onnx_window w;
    const int x = onnx_input(c, 0);
    if (!onnx_window_read(c, x, NULL, &w)) return false;
    const bool padding = onnx_int(c, "count_include_pad", 0) != 0;
    if (pool_is_plain(&w)) return onnx_give(c, 0, pool_plain(c, "avg_pool", x, &w, padding ? " count_include_pad=1" : ""));
    const int y = pool_by_axes(c, x, &w, POOL_SUM);
    int counts = 0;
    if (onnx_failed(c)) return false;
    for (int i = 0; i < w.axes; ++i) {
        const int more = pool_counts(c, &w, i, padding);
        counts = counts ? onnx_add2(c, "multiply", counts, more, NULL) : more;
    }
    return onnx_give(c, 0, onnx_add2(c, "divide", y, counts, NULL));
}

/* |x|^p, and the root that takes it back. */
static int pool_power(onnx_call *c, int x, int64_t p)
{
    if (p == 1) return onnx_add1(c, "abs", x, NULL);
    if (p == 2) return onnx_add1(c, "square", x, NULL);
    return onnx_add2(c, "power", onnx_add1(c, "abs", x, NULL), onnx_scalar(c, x, (double)p), NULL);
}

static int pool_root(onnx_call *c, int x, int64_t p)
{
    if (p == 1) return x;
    if (p == 2) return onnx_add1(c, "sqrt", x, NULL);
    return onnx_add2(c, "power", x, onnx_scalar(c, x, 1 / (double)p), NULL);
}

static bool pool_p(onnx_call *c, int64_t *p)
{
    *p = onnx_int(c, "p", 2);
    return *p >= 1 ? !onnx_failed(c) : onnx_damaged(c, "expected p of at least 1, received %lld", (long long)*p);
}

bool onnx_read_LpPool(onnx_call *c)
{
    onnx_window w;
    int64_t p;
    const int x = onnx_input(c, 0);
    if (!onnx_window_read(c, x, NULL, &w) || !pool_p(c, &p)) return false;
    if (p == 2 && pool_is_plain(&w)) return onnx_give(c, 0, pool_plain(c, "l2_pool", x, &w, ""));
    const int powers = pool_power(c, x, p);
    const int sums = pool_is_plain(&w) ? pool_plain(c, "sum_pool", powers, &w, "") : pool_by_axes(c, powers, &w, POOL_SUM);
    return onnx_give(c, 0, pool_root(c, sums, p));
}

/* Reduces all axes but the first two; they stay with size 1. */
static int pool_reduce(onnx_call *c, const char *op, int x)
{
    int64_t axes[CCONV_MAX_RANK];
    const int rank = onnx_shape(c, x)->rank;
    char text[256];
    for (int i = 2; i < rank; ++i) axes[i - 2] = i;
    if (rank < 3) return x;
    return onnx_add1(c, op, x, "%s keepdims=1", onnx_list_text(text, "axes", rank - 2, axes));
}

static bool pool_global(onnx_call *c, const char *op, const char *reduction)
{
    const int x = onnx_input(c, 0), axes = onnx_shape(c, x)->rank - 2;
    if (axes < 1 || axes > ONNX_WINDOW_AXES) return onnx_give(c, 0, pool_reduce(c, reduction, x));
    return onnx_give(c, 0, onnx_channels_first(c, onnx_add1(c, op, onnx_channels_last(c, x), "keepdims=1")));
}

bool onnx_read_GlobalAveragePool(onnx_call *c)
{
    return pool_global(c, "global_avg_pool", "mean");
}

bool onnx_read_GlobalMaxPool(onnx_call *c)
{
    return pool_global(c, "global_max_pool", "max");
}

bool onnx_read_GlobalLpPool(onnx_call *c)
{
    int64_t p;
    if (!pool_p(c, &p)) return false;
    return onnx_give(c, 0, pool_root(c, pool_reduce(c, "sum", pool_power(c, onnx_input(c, 0), p)), p));
}
