/* Resize and Upsample. Every axis is resized by itself: `nearest` takes cells, the others multiply with a matrix of weights,
 * y = A x along the axis. What the op `resize` computes is left to it. */
#include "base/alloc.h"
#include "base/writer.h"
#include "onnx/reading.h"
#include <math.h>
#include <string.h>

enum resize_mode { NEAREST, LINEAR, CUBIC };

/* How places of the output are places of the input. */
enum resize_places {
    HALF_PIXEL,
    HALF_PIXEL_SYMMETRIC,
    PYTORCH_HALF_PIXEL,
    ALIGN_CORNERS,
    ASYMMETRIC,
    CROP,            /* tf_crop_and_resize */
    HALF_PIXEL_BELOW /* tf_half_pixel_for_nn, of opset 11 */
};

enum resize_rounding {
    PREFER_FLOOR,
    PREFER_CEIL,
    FLOOR,
    CEIL,
    SIMPLE /* before opset 11: down, and up where the image shrinks */
};

typedef struct resize_axis {
    int64_t in, out;
    double scale, start, end; /* start, end: of the crop, 0 to 1 */
    bool exact;               /* scale is out / in */
} resize_axis;

typedef struct resize_task {
    int mode, places, rounding;
    bool antialias, exclude_outside;
    double cubic, outside; /* the coefficient; the value outside of the image, of CROP */
    int rank;
    resize_axis axis[CCONV_MAX_RANK];
} resize_task;

/* The position of a text in a list of them, which ends with NULL. */
static int resize_choice(onnx_call *c, const char *name, const char *const *choices, const char *otherwise)
{
    const char *value = onnx_string(c, name, otherwise);
    if (onnx_failed(c)) return 0;
    for (int i = 0; choices[i]; ++i)
        if (strcmp(value, choices[i]) == 0) return i;
    return onnx_refuse(c, "%s '%s'", name, value);
}

/* A length of the output, in cells of the input. Where cells are chosen by it, it is rounded to float, as scales are: 8 / 1.6 is
 * 5. */
static double resize_length(const resize_task *r, const resize_axis *a, double length)
{
    const double found = a->exact ? length * (double)a->in / (double)a->out : length / a->scale;
    return r->mode == NEAREST ? (double)(float)found : found;
}

/* The place in the input, cell k being at k, of cell i of the output. */
static double resize_place(const resize_task *r, const resize_axis *a, int64_t i)
{
    const double at = (double)i, half = resize_length(r, a, at + 0.5) - 0.5, last = (double)(a->in - 1);
    switch (r->places) {
    case HALF_PIXEL_SYMMETRIC: return (a->exact ? 0 : ((double)a->in - (double)a->out / a->scale) / 2) + half;
    case PYTORCH_HALF_PIXEL: return a->out > 1 ? half : 0;
    case ALIGN_CORNERS: return a->out > 1 ? at * last / (double)(a->out - 1) : 0;
    case ASYMMETRIC: return resize_length(r, a, at);
    case CROP:
        return a->out > 1 ? a->start * last + at * (a->end - a->start) * last / (double)(a->out - 1)
                          : 0.5 * (a->start + a->end) * last;
    case HALF_PIXEL_BELOW: return resize_length(r, a, at + 0.5);
    default: return half;
    }
}

static int64_t resize_nearest(const resize_task *r, const resize_axis *a, int64_t i)
{
    const double at = resize_place(r, a, i);
    double cell = floor(at);
    switch (r->rounding) {
    case PREFER_FLOOR: cell = ceil(at - 0.5); break;
    case PREFER_CEIL: cell = floor(at + 0.5); break;
    case CEIL: cell = ceil(at); break;
    case SIMPLE: cell = a->scale < 1 ? ceil(at) : floor(at); break;
    default: break;
    }
    return cell < 0 ? 0 : cell > (double)(a->in - 1) ? a->in - 1 : (int64_t)cell;
}

/* The weight of a cell at this distance. */
static double resize_weight(const resize_task *r, double distance)
{
    const double x = fabs(distance), b = r->cubic;
    if (r->mode == LINEAR) return x < 1 ? 1 - x : 0;
    if (x <= 1) return ((b + 2) * x - (b + 3)) * x * x + 1;
    return x < 2 ? ((b * x - 5 * b) * x + 8 * b) * x - 4 * b : 0;
}

/* How many cells of the input are as wide as one of the output, where that matters; how far a place reaches to both sides. */
static double resize_wide(const resize_task *r, const resize_axis *a)
{
    return r->antialias && a->scale < 1 ? 1 / a->scale : 1;
}

static double resize_reach(const resize_task *r, const resize_axis *a)
{
    return (r->mode == LINEAR ? 1 : 2) * resize_wide(r, a);
}

/* Row i of the matrix of an axis, a->in weights. Cells beyond the image are its last ones, or do not count. */
static void resize_row(const resize_task *r, const resize_axis *a, int64_t i, float *row)
{
    const double wide = resize_wide(r, a), reach = resize_reach(r, a);
    /* from a place far outside no cell is reached but the last one, again and again */
    const double at = fmax(-reach - 1, fmin(resize_place(r, a, i), (double)a->in + reach));
    const int64_t first = (int64_t)ceil(at - reach), last = (int64_t)floor(at + reach);
    const bool inside_only = r->exclude_outside;
    double sum = 0;
    for (int64_t k = first; k <= last; ++k)
        if (!inside_only || (k >= 0 && k < a->in)) sum += resize_weight(r, ((double)k - at) / wide);
    for (int64_t k = first; k <= last; ++k) {
        const int64_t cell = k < 0 ? 0 : k >= a->in ? a->in - 1 : k;
        if (!inside_only || cell == k) row[cell] += (float)(resize_weight(r, ((double)k - at) / wide) / sum);
    }
}

static bool resize_is_outside(const resize_task *r, const resize_axis *a, int64_t i)
{
    const double at = resize_place(r, a, i);
    return r->places == CROP && (at < 0 || at > (double)(a->in - 1));
}

/* The cells of x along axis k that are nearest. */
static int resize_take(onnx_call *c, int x, const resize_task *r, int k)
{
    const resize_axis *a = &r->axis[k];
    int32_t *cells = onnx_work(c, a->out, sizeof *cells);
    if (!cells) return 0;
    for (int64_t i = 0; i < a->out; ++i) cells[i] = (int32_t)resize_nearest(r, a, i);
    const int indices = onnx_constant(c, CCONV_INT32, 1, &a->out, cells);
    cc_free(cells);
    return onnx_add2(c, "take", x, indices, "axis=%d", k);
}

/* A x along axis k. */
static int resize_blend(onnx_call *c, int x, const resize_task *r, int k)
{
    const resize_axis *a = &r->axis[k];
    const int64_t sizes[] = {a->out, a->in};
    /* the weights that are computed may be more than the elements of the matrix: those of cells beyond the image */
    if (!onnx_may_compute(c->r, (uint64_t)(2 * resize_reach(r, a) + 1) * (uint64_t)a->out)) return 0;
    float *matrix = onnx_work(c, a->out * a->in, sizeof *matrix);
    if (!matrix) return 0;
    for (int64_t i = 0; i < a->out; ++i) resize_row(r, a, i, matrix + i * a->in);
    const int weights = onnx_constant(c, CCONV_FLOAT32, 2, sizes, matrix);
    cc_free(matrix);
    if (onnx_failed(c)) return 0;
    cc_shape shape = *onnx_shape(c, x);
    if (k == shape.rank - 1 && k > 0) return onnx_add2(c, "matmul", x, weights, "transpose_b=1");
    if (k == shape.rank - 2) return onnx_add2(c, "matmul", weights, x, NULL);
    const int64_t folded[] = {cc_shape_product(&shape, 0, k), a->in, cc_shape_product(&shape, k + 1, shape.rank)};
    const int y = onnx_add2(c, "matmul", weights, onnx_reshape(c, x, 3, folded), NULL);
    shape.dim[k] = a->out;
    return onnx_reshape(c, y, shape.rank, shape.dim);
}

/* Whether the op `resize` computes it: axes between channels and the end, and the same weights. */
static bool resize_is_plain(const resize_task *r, cconv_dtype type)
{
    if (type != CCONV_FLOAT32 || r->rank < 3 || r->rank > 5) return false;
    for (int k = 0; k < r->rank; ++k) {
        const resize_axis *a = &r->axis[k];
        const double whole = floor(a->scale);
        if (k < 2) {
            if (a->in != a->out || a->scale != 1) return false;
            continue;
        }
        if (a->in < 1 || a->out < 1 || a->in > INT32_MAX / 64 || a->out > INT32_MAX / 64) return false;
        if ((double)a->out != a->scale * (double)a->in) return false;
        if (r->mode == NEAREST && a->scale != whole) return false; /* then no place is half way between cells */
        if (r->mode == NEAREST && !(r->places == ASYMMETRIC && (r->rounding == FLOOR || r->rounding == SIMPLE)) &&
            !(r->places == HALF_PIXEL && r->rounding <= PREFER_CEIL && (int64_t)whole % 2 == 0) &&
            !(r->places == ASYMMETRIC && whole == 1))
            return false;
        if (r->mode == LINEAR &&
            (r->places > PYTORCH_HALF_PIXEL || (r->places == PYTORCH_HALF_PIXEL && a->out == 1) || r->antialias))
            return false;
    }
    return r->mode != CUBIC;
}

/* By scales where those are given: images of other sizes are then resized, too. */
static int resize_plain(onnx_call *c, int x, const resize_task *r)
{
    int64_t size[CCONV_MAX_RANK];
    char text[256], scales[128] = "";
    bool exact = false;
    cc_writer w = cc_writer_in(scales, sizeof scales);
    for (int k = 2; k < r->rank; ++k) {
        size[k - 2] = r->axis[k].out;
        exact = exact || r->axis[k].exact;
        cc_put(&w, "%s", k > 2 ? "," : "scale=");
        cc_put_float(&w, (float)r->axis[k].scale);
    }
    return onnx_channels_first(c, onnx_add1(c, "resize", onnx_channels_last(c, x), "interpolation=%s %s",
                                            r->mode == NEAREST ? "nearest" : "bilinear",
                                            exact ? onnx_list_text(text, "size", r->rank - 2, size) : scales));
}

/* `outside` where axis k lies outside of the image. */
static int resize_fill(onnx_call *c, int y, const resize_task *r, int k)
{
    const resize_axis *a = &r->axis[k];
    int64_t dim[CCONV_MAX_RANK] = {1, 1, 1, 1, 1, 1, 1, 1};
    dim[k] = a->out;
    bool any = false;
    float *outside = onnx_work(c, a->out, sizeof *outside);
    if (!outside) return 0;
    for (int64_t i = 0; i < a->out; ++i) {
        outside[i] = resize_is_outside(r, a, i);
        any = any || outside[i] != 0;
    }
    if (any) {
        const int condition = onnx_cast(c, onnx_constant(c, CCONV_FLOAT32, r->rank, dim, outside), CCONV_BOOL);
        const int inputs[] = {condition, onnx_scalar(c, y, r->outside), y};
        y = onnx_add(c, "where", 3, inputs, NULL);
    }
    cc_free(outside);
    return y;
}

static bool resize_give(onnx_call *c, int x, const resize_task *r)
{
    const cconv_dtype type = onnx_shape(c, x)->type;
    if (onnx_failed(c)) return false;
    bool same = true;
    for (int k = 0; k < r->rank; ++k) {
        const resize_axis *a = &r->axis[k];
        if (a->in < 1 || a->out < 1 || a->in >= INT32_MAX / 2 || a->out >= INT32_MAX / 2)
            return onnx_refuse(c, "a resize of %lld cells to %lld along axis %d", (long long)a->in, (long long)a->out, k);
        same = same && a->in == a->out && (a->scale == 1 || r->places == ALIGN_CORNERS) && r->places != CROP &&
               r->places != HALF_PIXEL_BELOW;
    }
    if (same) return onnx_give(c, 0, onnx_add1(c, "identity", x, NULL));
    if (resize_is_plain(r, type)) return onnx_give(c, 0, resize_plain(c, x, r));
    if (r->mode != NEAREST && type != CCONV_FLOAT32)
        return onnx_refuse(c, "an input of whole numbers in another mode than nearest");
    for (int k = 0; k < r->rank && !onnx_failed(c); ++k) {
        const resize_axis *a = &r->axis[k];
        if (a->in == a->out && a->scale == 1 && (r->places != CROP || (a->start == 0 && a->end == 1)) &&
            r->places != HALF_PIXEL_BELOW)
            continue;
        x = r->mode == NEAREST ? resize_take(c, x, r, k) : resize_blend(c, x, r, k);
    }
    for (int k = 0; k < r->rank && r->places == CROP && !onnx_failed(c); ++k) x = resize_fill(c, x, r, k);
    return onnx_give(c, 0, x);
}

/* The sizes of the output by scales, or by sizes of which `policy` makes a scale that keeps the image's proportions. */
static bool resize_set_scale(onnx_call *c, resize_task *r, int k, double scale)
{
    if (!(scale > 0)) return onnx_damaged(c, "expected scales above 0, received %g", scale);
    if (!((double)r->axis[k].in * scale < INT32_MAX / 2)) return onnx_refuse(c, "a scale of %g", scale);
    r->axis[k].scale = scale;
    r->axis[k].exact = false;
    r->axis[k].out = (int64_t)floor((double)r->axis[k].in * scale);
    return true;
}

static bool resize_set_sizes(onnx_call *c, resize_task *r, int n, const int *axes, const int64_t *sizes, int policy)
{
    enum { STRETCH, NOT_LARGER, NOT_SMALLER };
    double scale = 0;
    for (int i = 0; i < n; ++i) {
        if (r->axis[axes[i]].in < 1 || sizes[i] < 1 || sizes[i] >= INT32_MAX / 2)
            return onnx_refuse(c, "a resize of %lld cells to %lld along axis %d", (long long)r->axis[axes[i]].in,
                               (long long)sizes[i], axes[i]);
        const double own = (double)sizes[i] / (double)r->axis[axes[i]].in;
        if (i == 0 || (policy == NOT_LARGER ? own < scale : own > scale)) scale = own;
    }
    for (int i = 0; i < n; ++i) {
        resize_axis *a = &r->axis[axes[i]];
        if (!(scale * (double)a->in < INT32_MAX / 2)) return onnx_refuse(c, "a scale of %g", scale);
        a->out = policy == STRETCH ? sizes[i] : (int64_t)floor(scale * (double)a->in + 0.5);
        a->scale = policy == STRETCH ? (double)a->out / (double)a->in : scale;
        a->exact = policy == STRETCH;
    }
    return true;
}

/* The axes that are resized: all, or those of `axes`. */
static int resize_axes(onnx_call *c, int rank, int axes[CCONV_MAX_RANK])
{
    onnx_list list;
    if (!onnx_ints(c, "axes", &list)) {
        for (int i = 0; i < rank; ++i) axes[i] = i;
        return rank;
    }
    if (list.n > rank) return onnx_damaged(c, "expected no more than %d axes, received %d", rank, list.n);
    for (int i = 0; i < list.n; ++i) axes[i] = onnx_axis(c, list.v[i], rank);
    return list.n;
}

static bool resize_begin(onnx_call *c, int x, resize_task *r)
{
    *r = (resize_task){.rank = onnx_shape(c, x)->rank, .cubic = -0.75, .places = ASYMMETRIC, .rounding = SIMPLE};
    for (int k = 0; k < r->rank; ++k)
        r->axis[k] = (resize_axis){onnx_shape(c, x)->dim[k], onnx_shape(c, x)->dim[k], 1, 0, 1, true};
    return !onnx_failed(c);
}

/* Resize of opset 10, and Upsample: scales of all axes, no more. */
static bool resize_old(onnx_call *c, int scales_input)
{
    static const char *const modes[] = {"nearest", "linear", NULL};
    const int x = onnx_input(c, 0);
    resize_task r;
    if (!resize_begin(c, x, &r)) return false;
    const char *mode = onnx_string(c, "mode", "nearest");
    if (onnx_failed(c)) return false;
    if (strcmp(mode, "bilinear") == 0)
        r.mode = LINEAR;
    else
        r.mode = resize_choice(c, "mode", modes, "nearest");
    float scales[CCONV_MAX_RANK];
    int n = CCONV_MAX_RANK;
    if (onnx_opset(c) < 7) { /* of images only */
        n = 4;
        scales[0] = scales[1] = 1;
        scales[2] = onnx_float(c, "height_scale", 0);
        scales[3] = onnx_float(c, "width_scale", 0);
    } else if (scales_input ? !onnx_known_floats(c, scales_input, scales, &n) : !onnx_floats(c, "scales", scales, &n)) {
        return onnx_failed(c) ? false : onnx_damaged(c, "expected scales, received none");
    }
    if (n != r.rank) return onnx_damaged(c, "expected %d scales, received %d", r.rank, n);
    for (int k = 0; k < n; ++k)
        if (!resize_set_scale(c, &r, k, (double)scales[k])) return false;
    return resize_give(c, x, &r);
}

bool onnx_read_Upsample(onnx_call *c)
{
    return resize_old(c, onnx_opset(c) < 9 ? 0 : 1);
}

static bool resize_read_attributes(onnx_call *c, resize_task *r, int *policy)
{
    static const char *const modes[] = {"nearest", "linear", "cubic", NULL};
    static const char *const places[] = {"half_pixel", "half_pixel_symmetric", "pytorch_half_pixel",   "align_corners",
                                         "asymmetric", "tf_crop_and_resize",   "tf_half_pixel_for_nn", NULL};
    static const char *const roundings[] = {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil", NULL};
    static const char *const policies[] = {"stretch", "not_larger", "not_smaller", NULL};
    r->mode = resize_choice(c, "mode", modes, "nearest");
    r->places = resize_choice(c, "coordinate_transformation_mode", places, "half_pixel");
    r->rounding = resize_choice(c, "nearest_mode", roundings, "round_prefer_floor");
    *policy = resize_choice(c, "keep_aspect_ratio_policy", policies, "stretch");
    r->antialias = onnx_int(c, "antialias", 0) != 0 && r->mode != NEAREST;
    r->exclude_outside = onnx_int(c, "exclude_outside", 0) != 0;
    r->cubic = (double)onnx_float(c, "cubic_coeff_a", -0.75f);
    r->outside = (double)onnx_float(c, "extrapolation_value", 0);
    return !onnx_failed(c);
}

/* An input that is there, and has elements. */
static bool resize_has(onnx_call *c, int i)
{
    return onnx_has(c, i) && cc_shape_count(onnx_shape(c, onnx_input(c, i))) > 0;
}

bool onnx_read_Resize(onnx_call *c)
{
    if (onnx_opset(c) < 11) return resize_old(c, 1);
    const int x = onnx_input(c, 0);
    resize_task r;
    int policy, axes[CCONV_MAX_RANK];
    if (!resize_begin(c, x, &r) || !resize_read_attributes(c, &r, &policy)) return false;
    const int n = resize_axes(c, r.rank, axes);
    float values[2 * CCONV_MAX_RANK];
    int room = 2 * CCONV_MAX_RANK;
    if (onnx_failed(c)) return false;
    if (r.places == CROP) {
        if (!onnx_has(c, 1)) return onnx_damaged(c, "expected a roi for tf_crop_and_resize");
        if (!onnx_known_floats(c, 1, values, &room)) return false;
        if (room != 2 * n) return onnx_damaged(c, "expected a roi of %d numbers, received %d", 2 * n, room);
        for (int i = 0; i < n; ++i) {
            if (!isfinite(values[i]) || !isfinite(values[n + i])) return onnx_damaged(c, "expected a roi of finite numbers");
            r.axis[axes[i]].start = (double)values[i];
            r.axis[axes[i]].end = (double)values[n + i];
        }
    }
    room = 2 * CCONV_MAX_RANK;
    onnx_list sizes;
    if (resize_has(c, 3)) {
        if (!onnx_known_ints(c, 3, &sizes)) return false;
        if (sizes.n != n) return onnx_damaged(c, "expected %d sizes, received %d", n, sizes.n);
        if (!resize_set_sizes(c, &r, n, axes, sizes.v, policy)) return false;
    } else if (resize_has(c, 2)) {
        if (!onnx_known_floats(c, 2, values, &room)) return false;
        if (room != n) return onnx_damaged(c, "expected %d scales, received %d", n, room);
        for (int i = 0; i < n; ++i)
            if (!resize_set_scale(c, &r, axes[i], (double)values[i])) return false;
    } else {
        return onnx_damaged(c, "expected scales or sizes, received none");
    }
    return resize_give(c, x, &r);
}
